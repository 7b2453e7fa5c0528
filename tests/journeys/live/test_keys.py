"""Single keys in a real browser: what they do, and where they do nothing."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from app.jobs.models import Job
from tests.factories.outcomes import make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_job, make_schedule
from tests.journeys.schedules.form import dialog, row_of
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

NAMES = ("Hourly", "Nightly", "Weekly")


@pytest.fixture(scope="module", autouse=True)
def _schedules(site: Site, ana: Member, job: Job) -> None:
    for name in NAMES:
        made = site.add_schedule(ana, job, name, "0 6 * * *")
        with site.database.transaction() as session:
            make_succeeded(session, job, now=site.clock.moment - QUARTER, schedule_id=made)


@pytest.fixture
def schedules(page: Page, site: Site) -> Page:
    """The list, with nothing focused."""
    page.goto(f"{site.url}/schedules")
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def switch_keys_off(route: Route) -> None:
    """As a profile does."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("<body", '<body data-shortcuts="off"', 1))


def names(page: Page) -> Locator:
    return page.locator("#rows .name")


class TestKeys:
    def test_open_help_which_the_menu_shows_as_well(self, schedules: Page) -> None:
        """A54: a question mark, or an entry of the menu."""
        press(schedules, "?")
        expect(dialog(schedules)).to_contain_text("Search this page")
        expect(schedules).to_have_url(re.compile("/help$"))
        press(schedules, "Escape")
        expect(dialog(schedules)).to_be_hidden()

        schedules.locator(".account summary").click()
        schedules.get_by_role("link", name="Help and keys").click()

        expect(dialog(schedules)).to_contain_text("Go to Runs")

    def test_lead_to_the_search(self, schedules: Page) -> None:
        """A54: a slash."""
        press(schedules, "/")

        expect(schedules.get_by_role("searchbox")).to_be_focused()
        expect(schedules.get_by_role("searchbox")).to_have_value("")

    @pytest.mark.parametrize(("letter", "heading"), [("r", "Runs"), ("q", "Queue"), ("a", "Audit"), ("o", "Overview")])
    def test_go_to_pages(self, schedules: Page, letter: str, heading: str) -> None:
        """A54: g and a letter."""
        press(schedules, "g", letter)

        expect(schedules.get_by_role("heading", level=1)).to_have_text(heading)

    def test_make_something_new(self, schedules: Page) -> None:
        """A54: n opens the form, and types nothing into it."""
        press(schedules, "n")

        expect(schedules.get_by_label("Name", exact=True)).to_be_focused()
        expect(schedules.get_by_label("Name", exact=True)).to_have_value("")

    def test_pause_and_resume(self, schedules: Page) -> None:
        """A54: p."""
        pill = schedules.locator("[data-live-pill]")
        press(schedules, "p")
        expect(pill).to_have_text("Paused")
        press(schedules, "p")

        expect(pill).to_have_text("Live")

    def test_go_through_rows_and_open_one(self, schedules: Page) -> None:
        """A54: j, k, arrows and Enter."""
        second = names(schedules).nth(1).text_content()
        press(schedules, "j", "j", "j")
        expect(names(schedules).nth(2)).to_be_focused()
        press(schedules, "k", "ArrowUp", "ArrowDown")
        expect(names(schedules).nth(1)).to_be_focused()
        press(schedules, "Enter")

        expect(schedules.get_by_role("heading", level=1)).to_have_text(second or "")

    def test_open_the_menu_of_a_row_and_leave_it(self, schedules: Page) -> None:
        """A54: a dot, and Escape."""
        press(schedules, "j", ".")
        menu = schedules.locator("#rows details[open]")
        expect(menu).to_have_count(1)
        expect(menu.get_by_role("button", name="Run now")).to_be_focused()
        press(schedules, "Escape")

        expect(menu).to_have_count(0)

    def test_edit_a_row_and_what_a_page_shows(self, schedules: Page, site: Site) -> None:
        """A54: e."""
        first = names(schedules).first.text_content() or ""
        press(schedules, "j", "e")
        expect(schedules.get_by_label("Name", exact=True)).to_have_value(first)
        press(schedules, "Escape")
        expect(dialog(schedules)).to_be_hidden()
        names(schedules).first.click()
        expect(schedules.get_by_role("heading", level=1)).to_have_text(first)
        press(schedules, "e")

        expect(schedules.get_by_label("Name", exact=True)).to_have_value(first)

    def test_tick_a_page_and_untick_it(self, schedules: Page) -> None:
        """A54: a, on all rows that can be ticked."""
        ticked = schedules.locator("#rows input[type=checkbox]:checked")
        everything = names(schedules).count()
        press(schedules, "a")
        expect(ticked).to_have_count(everything)
        press(schedules, "a")

        expect(ticked).to_have_count(0)

    def test_lead_to_what_can_be_done_to_the_ticked(self, schedules: Page) -> None:
        """A54: b, past all rows that are left; without a tick there is nothing to lead to."""
        press(schedules, "b")
        expect(schedules.locator("#bulk :focus")).to_have_count(0)
        press(schedules, "j", "x", "b")

        expect(schedules.locator("#bulk").get_by_role("button", name="Enable 1")).to_be_focused()

    def test_go_from_run_to_run(self, schedules: Page, site: Site, ana: Member) -> None:
        """A54: brackets, also where a keyboard needs Alt for them."""
        with site.database.transaction() as session:
            job = make_job(session, ana.organization_id, name="Twice a day")
            made = make_schedule(session, job, name="Twice a day").id
            first, second = (
                make_succeeded(session, job, now=site.clock.moment - QUARTER * back, schedule_id=made)
                for back in (2, 1)
            )
        schedules.goto(f"{site.url}/runs/{first}")
        press(schedules, "]")
        expect(schedules).to_have_url(re.compile(f"/runs/{second}"))
        press(schedules, "[")
        expect(schedules).to_have_url(re.compile(f"/runs/{first}"))
        press(schedules, "Control+Alt+]")

        expect(schedules).to_have_url(re.compile(f"/runs/{second}"))

    def test_change_whose_clock_times_are_told_by(self, schedules: Page) -> None:
        """A54: t, from yours to the schedule's and back."""
        names(schedules).first.click()
        clocks = schedules.get_by_label("Whose clock").locator("[aria-current]")
        before = clocks.text_content()
        press(schedules, "t")
        expect(clocks).not_to_have_text(before or "")
        press(schedules, "t")

        expect(clocks).to_have_text(before or "")

    @pytest.mark.parametrize("path", ["/", "/schedules", "/runs", "/queue"])
    def test_change_whose_clock_a_list_tells_times_by(self, schedules: Page, site: Site, path: str) -> None:
        """A54: t, from yours to the schedules', to UTC and back to yours."""
        schedules.goto(f"{site.url}{path}")
        pressed = schedules.get_by_label("Whose clock").locator("[aria-pressed=true]")
        for label in ("Schedule", "UTC", "Mine"):
            press(schedules, "t")
            expect(pressed).to_have_text(label)

        expect(schedules).to_have_url(f"{site.url}{path}")


class TestNothing:
    def test_is_done_while_somebody_types(self, schedules: Page) -> None:
        """A54: in a field a key is a letter."""
        press(schedules, "j")
        field = schedules.get_by_role("searchbox")
        field.click()
        schedules.keyboard.type("gr?np/x.et")

        expect(field).to_have_value("gr?np/x.et")
        expect(dialog(schedules)).to_be_hidden()
        expect(schedules.get_by_role("heading", level=1)).to_have_text("Schedules")

    @pytest.mark.parametrize("modifier", ["Control", "Alt", "Meta"])
    def test_is_done_with_a_modifier(self, schedules: Page, modifier: str) -> None:
        """A54: those belong to the browser."""
        press(schedules, "j", f"{modifier}+k", f"{modifier}+e")

        expect(names(schedules).first).to_be_focused()
        expect(dialog(schedules)).to_be_hidden()

    def test_is_done_behind_a_dialog(self, schedules: Page) -> None:
        """A54: nor under a question."""
        press(schedules, "?")
        expect(dialog(schedules)).to_be_visible()
        press(schedules, "g", "r", "n")

        expect(dialog(schedules)).to_contain_text("Search this page")

    def test_is_done_where_the_person_wants_none(self, schedules: Page) -> None:
        """A54: switched off, not even their script is loaded."""
        schedules.route("**/schedules", switch_keys_off)
        schedules.reload()
        press(schedules, "?", "j", "g", "r")

        expect(schedules.get_by_role("heading", level=1)).to_have_text("Schedules")
        expect(dialog(schedules)).to_be_hidden()
        expect(schedules.locator("script[src*='keys.js']")).to_have_count(0)
        schedules.unroute_all()

    def test_is_changed_by_any_single_key(self, schedules: Page, site: Site) -> None:
        """A54: whatever is pressed on a row, nothing is sent that changes something."""
        sent: list[str] = []
        schedules.on("request", lambda request: sent.append(request.method))
        press(schedules, "j", *"abcdfhilmoqsuvwyzxXDR[]", "Delete", "Backspace", "Escape")

        expect(row_of(schedules, "Nightly")).to_be_visible()
        assert set(sent) <= {"GET"}
