"""The choices of a rhythm and what they write, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from app.schedules.presets import PRESETS
from tests.journeys.schedules.form import choice, open_new, preview, text_field
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


class TestTheChoices:
    def test_are_twelve_and_custom_and_write_their_text(self, page: Page, site: Site) -> None:
        """A16: exactly twelve presets and Custom; each selects the text it is documented with."""
        open_new(page, site)
        expect(page.locator("#preset").get_by_role("radio")).to_have_count(13)

        for preset in reversed(PRESETS):
            choice(page, preset.label).check(force=True)
            expect(text_field(page)).to_have_value(preset.cron)

    def test_show_their_own_fields_alone_and_these_write_the_text(self, page: Page, site: Site) -> None:
        open_new(page, site)
        choice(page, "Every week").check(force=True)
        expect(page.get_by_label("Minute", exact=True)).to_be_hidden()
        page.get_by_label("Time", exact=True).fill("07:15")
        page.get_by_role("checkbox", name="Fri").check(force=True)
        expect(text_field(page)).to_have_value("15 7 * * 1,5")
        choice(page, "Every day").check(force=True)

        expect(text_field(page)).to_have_value("15 7 * * *")
        expect(page.get_by_role("checkbox", name="Fri")).to_be_hidden()


class TestTyping:
    def test_shows_sentence_and_five_runs_and_keeps_the_focus(self, page: Page, site: Site) -> None:
        """A20: soon after the last key. How soon the server answers is measured by a benchmark, not here."""
        open_new(page, site)
        text_field(page).fill("")
        text_field(page).press_sequentially("*/15 * * * *")

        expect(preview(page).locator(".preview-sentence")).to_contain_text("Every 15 minutes", timeout=5_000)
        expect(preview(page).locator(".next-wall")).to_have_count(5)
        expect(text_field(page)).to_be_focused()
        expect(text_field(page)).to_have_value("*/15 * * * *")
        expect(choice(page, "Every 15 minutes")).to_be_checked()
