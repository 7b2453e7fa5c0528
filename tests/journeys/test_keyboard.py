"""The life of a schedule by keys alone, in a real browser on the real processes. The tests build on each other."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Belfry, Outside, make_account, make_http_job
from tests.journeys.schedules.form import dialog, name_field, preview, row_of, tab_to, text_field, toasts

pytestmark = pytest.mark.journey

NAME = "By keyboard"
UNTIL_IT_HAS_RUN_MS = 40_000


@pytest.fixture(scope="module", autouse=True)
def _job(page: Page, belfry: Belfry, outside: Outside) -> None:
    """One that fails at its only try."""
    make_account(page, belfry)
    make_http_job(page, belfry, "Ask the shop", f"{outside.url}/broken", tries=1)


def go_to(page: Page, name: str) -> None:
    """From the list to something on the page of the schedule, and press it."""
    tab_to(page, page.get_by_role("link", name=NAME, exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    press(page, name)


def press(page: Page, name: str) -> None:
    tab_to(
        page,
        page.locator("main")
        .get_by_role("button", name=name, exact=True)
        .or_(page.get_by_role("link", name=name, exact=True))
        .first,
    )
    page.keyboard.press("Enter")


class TestByKeysAlone:
    def test_a_schedule_is_made(self, page: Page, belfry: Belfry) -> None:
        """A54: Tab leads everywhere, Enter goes on and saves nothing, arrows choose, Ctrl with Enter saves."""
        page.goto(f"{belfry.url}/schedules")
        tab_to(page, page.get_by_role("link", name="New schedule").first)
        page.keyboard.press("Enter")
        expect(name_field(page)).to_be_focused()
        page.keyboard.type(NAME)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Job", exact=True)).to_be_focused()
        page.keyboard.type("Ask")
        tab_to(page, page.locator("#preset").get_by_role("radio", checked=True))
        page.keyboard.press("ArrowRight")
        expect(text_field(page)).to_have_value("0 9 * * 1-5")
        tab_to(page, page.get_by_role("combobox", name="Time zone"))
        page.keyboard.type("calcutta")
        page.keyboard.press("Enter")
        expect(preview(page)).to_contain_text("Kolkata time")
        page.keyboard.press("Control+Enter")

        expect(dialog(page)).to_be_hidden()
        expect(row_of(page, NAME)).to_contain_text("weekday")
        expect(toasts(page)).to_contain_text(f"{NAME} created.")
        expect(page).to_have_url(f"{belfry.url}/schedules")

    def test_is_disabled_and_enabled(self, page: Page, belfry: Belfry) -> None:
        """A54: the switch of the list."""
        page.goto(f"{belfry.url}/schedules")
        switch = page.get_by_role("switch", name=NAME)
        tab_to(page, switch)
        page.keyboard.press("Space")
        expect(switch).to_have_attribute("aria-checked", "false")
        page.keyboard.press("Space")

        expect(switch).to_have_attribute("aria-checked", "true")

    def test_is_run(self, page: Page, belfry: Belfry) -> None:
        """A54: from its page, where the run then ends."""
        page.goto(f"{belfry.url}/schedules")
        go_to(page, "Run now")

        expect(page.locator("#runs")).to_contain_text("Failed", timeout=UNTIL_IT_HAS_RUN_MS)

    def test_its_run_is_retried(self, page: Page, belfry: Belfry, outside: Outside) -> None:
        """A54: from the log of the failed run."""
        tab_to(page, page.locator("#runs").get_by_role("link", name=re.compile("^Log of")), most=90)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Ask the shop")
        failed = page.url
        press(page, "Retry")
        expect(page).not_to_have_url(failed)

        expect(page.locator("#run-head")).to_contain_text("Failed", timeout=UNTIL_IT_HAS_RUN_MS)

    def test_an_old_version_is_restored(self, page: Page, belfry: Belfry) -> None:
        """A54: an edit, then the version from before it, from the list of versions."""
        page.goto(f"{belfry.url}/schedules")
        go_to(page, "Edit")
        expect(dialog(page)).to_be_visible()
        tab_to(page, text_field(page))
        page.keyboard.press("Control+A")
        page.keyboard.type("0 10 * * 1-5")
        page.keyboard.press("Control+Enter")
        expect(dialog(page)).to_be_hidden()
        expect(page.locator("#facts code")).to_have_text("0 10 * * 1-5")
        press(page, "Versions")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Versions of {NAME}")
        tab_to(page, page.get_by_role("link", name="Restore…").last)
        page.keyboard.press("Enter")
        press(page, "Restore version")

        expect(toasts(page)).to_contain_text("estored")
        page.goto(f"{belfry.url}/schedules")
        expect(row_of(page, NAME)).to_contain_text("09:00")

    def test_is_deleted(self, page: Page, belfry: Belfry) -> None:
        """A54: and brought back by the message that says so; then deleted once more."""
        page.goto(f"{belfry.url}/schedules")
        go_to(page, "Delete")
        expect(toasts(page)).to_contain_text(f"{NAME} deleted.")
        tab_to(page, page.get_by_role("button", name="Undo"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        press(page, "Delete")

        expect(toasts(page)).to_contain_text(f"{NAME} deleted.")
        expect(page.get_by_role("link", name=NAME, exact=True)).to_have_count(0)
