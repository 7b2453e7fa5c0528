"""What somebody does in a page is left alone by its refreshes."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.factories.outcomes import make_running, make_succeeded
from tests.factories.tenants import Member
from tests.journeys.live.test_polling import add_run, finish, pass_time
from tests.journeys.schedules.form import row_of
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

CALM_MS = 4_000


@pytest.fixture(scope="module", autouse=True)
def _nightly(site: Site, ana: Member, job: Job) -> None:
    for name in ("Nightly", "Weekly"):
        site.add_schedule(ana, job, name, "0 6 * * *")


@pytest.fixture(scope="module", autouse=True)
def _clock(page: Page) -> None:
    page.clock.install()


@pytest.fixture
def running(site: Site, job: Job) -> UUID:
    """A run that is going, with one before it."""
    with site.database.transaction() as session:
        make_succeeded(session, job, now=site.clock.moment - timedelta(minutes=5))
        return make_running(session, job, now=site.clock.moment)


def order(page: Page) -> list[str]:
    found: list[str] = page.locator("#run-rows tr").evaluate_all("rows => rows.map(row => row.id)")
    return found


def refresh_rows(page: Page, path: str) -> None:
    with page.expect_response(re.compile(path)):
        pass_time(page)


class TestWhatIsTyped:
    def test_stays_with_focus_and_caret(self, page: Page, site: Site, job: Job) -> None:
        """A05: in the search of the list."""
        page.goto(f"{site.url}/schedules")
        field = page.get_by_role("searchbox")
        field.fill("nightly")
        field.press("ArrowLeft")
        field.press("ArrowLeft")
        add_run(site, job)

        refresh_rows(page, "/schedules/rows")

        expect(field).to_be_focused()
        expect(field).to_have_value("nightly")
        assert field.evaluate("field => field.selectionStart") == 5


class TestWhatIsOpen:
    def test_stays_open(self, page: Page, site: Site, job: Job) -> None:
        """A06: the menu of a row."""
        page.goto(f"{site.url}/schedules")
        row_of(page, "Nightly").get_by_label("Actions for Nightly").click()
        add_run(site, job)

        refresh_rows(page, "/schedules/rows")

        expect(row_of(page, "Nightly").get_by_role("button", name="Run now")).to_be_visible()


class TestTheOrderOfRows:
    def test_stays_while_somebody_is_in_the_table(self, page: Page, site: Site, job: Job, running: UUID) -> None:
        """A08: cells change, new rows wait behind a button, and come when the focus has been gone for a while."""
        page.goto(f"{site.url}/runs")
        page.locator(f"#open-{running}").focus()
        before = order(page)
        finish(site, running)
        with site.database.transaction() as session:
            newer = make_running(session, job, now=site.clock.moment + timedelta(seconds=1))
        pass_time(page)
        expect(page.locator(f"#run-{running} .badge")).to_have_text("Succeeded")
        during = order(page)
        expect(page.get_by_role("button", name="1 new run – Show")).to_be_visible()
        expect(page.locator(f"#open-{running}")).to_be_focused()
        page.locator(f"#open-{running}").blur()
        pass_time(page, CALM_MS)

        expect(page.locator(f"#run-{newer}")).to_be_visible()
        assert during == before
        assert order(page)[0] == f"run-{newer}"
        expect(page.get_by_text("– Show")).to_have_count(0)

    def test_is_given_up_when_the_new_ones_are_asked_for(self, page: Page, site: Site, job: Job, running: UUID) -> None:
        """A08: the button shows them at once."""
        page.goto(f"{site.url}/runs")
        page.locator(f"#open-{running}").focus()
        with site.database.transaction() as session:
            newer = [make_running(session, job, now=site.clock.moment + timedelta(seconds=n)) for n in (2, 3)]
        pass_time(page)

        page.get_by_role("button", name="2 new runs – Show").click()

        for run_id in newer:
            expect(page.locator(f"#run-{run_id}")).to_be_visible()
        expect(page.get_by_text("– Show")).to_have_count(0)

    def test_stays_where_more_than_the_rows_is_refreshed(self, page: Page, site: Site, job: Job, running: UUID) -> None:
        """A08: on the overview the button is not taken away by the refresh that brought it."""
        page.goto(f"{site.url}/")
        page.locator(f"#open-{running}").focus()
        with site.database.transaction() as session:
            newer = make_running(session, job, now=site.clock.moment + timedelta(seconds=1))
        pass_time(page)

        page.get_by_role("button", name="1 new run – Show").click()

        expect(page.locator(f"#run-{newer}")).to_be_visible()
        expect(page.get_by_text("– Show")).to_have_count(0)

    def test_is_kept_for_a_pointer_over_the_table(self, page: Page, site: Site, job: Job, running: UUID) -> None:
        """A08: what one is about to press does not move away."""
        page.goto(f"{site.url}/runs")
        # The first sign of somebody brings the script of tables.
        with page.expect_event("requestfinished", lambda request: "table.js" in request.url):
            page.mouse.move(5, 5)
        pass_time(page, 1_500)
        page.locator(f"#run-{running}").hover()
        with site.database.transaction() as session:
            make_running(session, job, now=site.clock.moment + timedelta(seconds=4))
        before = order(page)
        with page.expect_response(re.compile("/runs")):
            pass_time(page, 1_500)

        expect(page.get_by_role("button", name="1 new run – Show")).to_be_visible()
        assert order(page) == before
