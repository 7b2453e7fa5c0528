"""The choices of a rhythm and what they write, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.schedules.form import choice, open_new, preview, text_field
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

# As the guide tells them. What somebody saved by a choice depends on each of them.
CHOICES = {
    "Every 5 minutes": "*/5 * * * *",
    "Every 15 minutes": "*/15 * * * *",
    "Every 30 minutes": "*/30 * * * *",
    "Every hour": "0 * * * *",
    "Every 3 hours": "0 */3 * * *",
    "Every 6 hours": "0 */6 * * *",
    "Twice a day": "0 6,18 * * *",
    "Every day": "0 6 * * *",
    "Weekdays": "0 9 * * 1-5",
    "Every week": "0 9 * * 1",
    "Monthly, on a day": "0 6 1 * *",
    "Monthly, last day": "0 6 L * *",
}


class TestTheChoices:
    def test_are_twelve_and_custom_and_write_their_text(self, page: Page, site: Site) -> None:
        """A16: exactly twelve presets and Custom; each selects the text it is documented with."""
        open_new(page, site)
        radios = page.locator("#preset").get_by_role("radio")
        labels = radios.evaluate_all("found => found.map(one => one.labels[0].textContent.trim())")
        assert labels == [*CHOICES, "Custom"]

        for label, cron in reversed(CHOICES.items()):
            choice(page, label).check(force=True)
            expect(text_field(page)).to_have_value(cron)

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
