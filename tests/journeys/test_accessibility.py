"""axe-core finds nothing wrong with the dialog of a schedule, its page and what lies behind it. Built on each other."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.axe import violations
from tests.journeys.conftest import Belfry, Outside, make_account, make_http_job, make_schedule, start_job

pytestmark = pytest.mark.journey

CRON, ZONE = "30 2 * * *", "America/New_York"
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
WIDTHS = pytest.mark.parametrize("width", [1360, 360])
Theme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def schedule(page: Page, belfry: Belfry, outside: Outside) -> str:
    """The address of a schedule with runs, versions and a twin."""
    make_account(page, belfry)
    make_http_job(page, belfry, "Ask the shop", f"{outside.url}/ok")
    address = make_schedule(page, belfry, "Nightly", "Ask the shop", CRON, ZONE)
    make_schedule(page, belfry, "Twin", "Ask the shop", CRON, ZONE)
    start_job(page, belfry, "Ask the shop")
    page.goto(address)
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("main")).to_contain_text("Succeeded", timeout=40_000)
    page.goto(f"{address}/edit")
    page.get_by_label("Notes").fill("Ask Ben before you switch it off.")
    page.get_by_role("button", name="Save schedule").click()
    expect(page.get_by_role("status").filter(has_text="Nightly saved").first).to_be_visible()
    return address


def show(page: Page, theme: Theme, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def open_dialog(page: Page, belfry: Belfry) -> None:
    page.goto(f"{belfry.url}/schedules")
    page.get_by_role("link", name="New schedule").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


@THEMES
@WIDTHS
class TestNothingIsWrong:
    """No violation, light and dark, and no page is wider than the screen."""

    @pytest.mark.parametrize(
        "part",
        ["", "?t=7d&tz=schedule", "/edit", "/delete", "/history", "/versions", "/versions/1/restore", "/slots"],
    )
    def test_with_the_page_of_a_schedule_and_those_behind_it(
        self, page: Page, schedule: str, part: str, theme: Theme, width: int
    ) -> None:
        show(page, theme, width)
        answer = page.goto(f"{schedule}{part}")

        assert answer is not None
        assert answer.ok
        assert violations(page) == []
        assert not is_too_wide(page)

    @pytest.mark.parametrize("path", ["/schedules", "/schedules/new"])
    def test_with_the_list_and_the_form_as_a_page(
        self, page: Page, belfry: Belfry, schedule: str, path: str, theme: Theme, width: int
    ) -> None:
        show(page, theme, width)
        page.goto(f"{belfry.url}{path}")

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_dialog_and_all_it_can_say(
        self, page: Page, belfry: Belfry, schedule: str, theme: Theme, width: int
    ) -> None:
        show(page, theme, width)
        open_dialog(page, belfry)
        found = violations(page)
        for summary in page.get_by_role("dialog").locator("summary").all():
            summary.click()
        page.get_by_label("Cron text").fill(CRON)
        page.locator("select#timezone").select_option(ZONE, force=True)
        if width == 360:
            page.get_by_role("button", name="Show the next runs").click()
        expect(page.locator("#form-preview")).to_contain_text("does not exist")

        assert found == []
        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_list_of_time_zones(
        self, page: Page, belfry: Belfry, schedule: str, theme: Theme, width: int
    ) -> None:
        show(page, theme, width)
        open_dialog(page, belfry)
        page.get_by_role("combobox", name="Time zone").press("ArrowDown")
        expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_a_refused_save_and_the_question_before_closing(
        self, page: Page, belfry: Belfry, schedule: str, theme: Theme, width: int
    ) -> None:
        show(page, theme, width)
        open_dialog(page, belfry)
        page.get_by_label("Cron text").fill("60 * * * *")
        page.get_by_role("button", name="Save schedule").click()
        expect(page.locator(".error-summary")).to_be_visible()
        found = violations(page)
        page.keyboard.press("Escape")
        expect(page.get_by_text("Discard changes?")).to_be_visible()

        assert found == []
        assert violations(page) == []
