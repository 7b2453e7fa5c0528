"""How open pages keep fresh, and what they say when they cannot. The time of the page is moved by the tests."""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from app.jobs.models import Job
from app.runs import ledger
from app.runs.ledger import AttemptEnd
from app.runs.states import AttemptState
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_gap
from tests.journeys.conftest import HARMLESS
from tests.journeys.live.conftest import Visits
from tests.journeys.schedules.form import row_of
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

# Within which a change is on the screen, the refresh included.
PROMISED_MS = 3_000
SAY = "detail => document.dispatchEvent(new CustomEvent('toast', {detail}))"
BROKEN = '<div data-toast="Something went wrong on the server. (reference 8f2c)"></div>'


def pill(page: Page) -> Locator:
    return page.locator("[data-live-pill]")


def finish(site: Site, run_id: UUID) -> None:
    """Let a run end well."""
    with site.database.transaction() as session:
        end = AttemptEnd(AttemptState.SUCCEEDED)
        assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=site.clock.moment)


def add_run(site: Site, job: Job) -> None:
    with site.database.transaction() as session:
        make_succeeded(session, job, now=site.clock.moment)


@pytest.fixture(scope="module")
def harmless() -> re.Pattern[str]:
    """What these tests make the server answer."""
    return re.compile(f"{HARMLESS.pattern}|status of 50")


@pytest.fixture(scope="module", autouse=True)
def _nightly(site: Site, ana: Member, job: Job) -> None:
    site.add_schedule(ana, job, "Nightly", "0 6 * * *")


@pytest.fixture(scope="module", autouse=True)
def _clock(page: Page) -> None:
    page.clock.install()


@pytest.fixture(autouse=True)
def _no_route_stays(page: Page) -> Iterator[None]:
    yield
    page.unroute_all()


def pass_time(page: Page, milliseconds: int = PROMISED_MS) -> None:
    page.clock.run_for(milliseconds)


class TestAChange:
    def test_is_on_the_screen_within_three_seconds(self, page: Page, site: Site, job: Job) -> None:
        """A09: a run that ends is seen to have ended."""
        with site.database.transaction() as session:
            run_id = make_running(session, job, now=site.clock.moment)
        page.goto(f"{site.url}/runs")
        badge = page.locator(f"#run-{run_id} .badge")
        expect(badge).to_have_text("Running")
        finish(site, run_id)

        pass_time(page)

        expect(badge).to_have_text("Succeeded")

    def test_of_missed_slots_is_on_the_screen_and_leaves_the_title_its_mark(
        self, page: Page, site: Site, ana: Member, job: Job
    ) -> None:
        """They have no runs: the list beside that of the runs that were missed is fresh by itself."""
        hourly = site.add_schedule(ana, job, "Hourly", "0 * * * *")
        with site.database.transaction() as session:
            make_failed(session, job, now=site.clock.moment, schedule_id=hourly)
        page.goto(f"{site.url}/runs?state=missed")
        slots = page.locator("#missed-slots")
        for number in (1, 2):
            with site.database.transaction() as session:
                schedule, last = session.get_one(Schedule, hourly), site.clock.moment - number * timedelta(hours=2)
                make_gap(session, schedule, last, last)
                make_succeeded(session, job, now=site.clock.moment)

            pass_time(page)

            expect(slots.get_by_role("link", name="Hourly")).to_have_count(number)
            expect(page).to_have_title("(1 failing) Runs · Belfry")
        expect(slots).to_have_count(1)

    def test_is_left_for_later_while_paused(self, page: Page, site: Site, job: Job, visits: Visits) -> None:
        """A10: nothing is asked for while paused, and at once after that."""
        page.goto(f"{site.url}/schedules")
        pill(page).click()
        expect(pill(page)).to_have_text("Paused")
        before = visits.to_pages
        add_run(site, job)
        pass_time(page, 20_000)
        during = visits.to_pages
        with page.expect_response(re.compile("/schedules/rows")):
            pill(page).click()
            pass_time(page, 1_000)

        assert during == before
        expect(pill(page)).to_have_text("Live")

    @pytest.mark.parametrize("path", ["/queue", "/queue/workers", "/admin/system", "/admin/schedules"])
    def test_told_by_the_clock_is_left_for_later_too(self, page: Page, site: Site, visits: Visits, path: str) -> None:
        """A10: what comes every ten seconds by itself, and not by the counters."""
        page.goto(f"{site.url}{path}")
        pill(page).click()
        expect(pill(page)).to_have_text("Paused")
        before = visits.to_pages
        pass_time(page, 30_000)
        during = visits.to_pages
        pill(page).click()
        with page.expect_response(lambda answer: "/live" not in answer.url):
            pass_time(page, 11_000)

        assert during == before

    def test_of_a_run_that_goes_on_is_left_for_later_too(
        self, page: Page, site: Site, job: Job, visits: Visits
    ) -> None:
        """A10: its log and how far it is, which come every two seconds."""
        with site.database.transaction() as session:
            run_id = make_running(session, job, now=site.clock.moment, lines=["It began."])
        page.goto(f"{site.url}/runs/{run_id}")
        pill(page).click()
        expect(pill(page)).to_have_text("Paused")
        before = visits.to_pages
        pass_time(page, 10_000)
        during = visits.to_pages
        pill(page).click()
        with page.expect_response(re.compile(f"/runs/{run_id}/log")):
            pass_time(page, 3_000)

        assert during == before

    def test_that_could_not_be_fetched_is_left_for_later_too(self, page: Page, site: Site, job: Job) -> None:
        """A10, A12: a part that failed does not come again by itself while the page is paused."""
        asked: list[str] = []
        page.goto(f"{site.url}/schedules")
        page.route("**/schedules/rows*", lambda route: (asked.append(route.request.url), route.fulfill(status=500)))
        add_run(site, job)
        pass_time(page)
        expect(page.get_by_text("Could not refresh (server error).")).to_be_visible()
        pill(page).click()
        before = len(asked)
        pass_time(page, 30_000)
        during = len(asked)
        page.unroute_all()
        page.get_by_role("button", name="Try again").click()

        expect(page.get_by_text("Could not refresh (server error).")).to_have_count(0)
        assert during == before

    def test_that_is_none_of_a_part_swaps_nothing(self, page: Page, site: Site, job: Job) -> None:
        """A14: counters answer 204 while nothing happened, a part 304 while nothing of it did, and nothing grows."""
        page.goto(f"{site.url}/schedules")
        count = "document.querySelectorAll('*').length"
        for status in (200, 304):
            add_run(site, job)
            with page.expect_response(re.compile("/schedules/rows")) as rows:
                pass_time(page)
            assert rows.value.status == status
            page.locator("#rows:not(.htmx-request)").wait_for()
        nodes = page.evaluate(count)
        with page.expect_response(re.compile("/live")) as counters:
            pass_time(page)

        assert counters.value.status == 204
        assert page.evaluate(count) == nodes


class TestARefreshThatFails:
    def test_leaves_what_is_there_says_so_and_recovers(self, page: Page, site: Site, job: Job) -> None:
        """A12: the rows stay, the reference is told, and the next answer takes it away."""
        page.goto(f"{site.url}/schedules")
        page.route("**/schedules/rows*", lambda route: route.fulfill(status=500, body=BROKEN))
        add_run(site, job)
        pass_time(page)
        note = page.get_by_text("Could not refresh (server error, ref 8f2c).")
        expect(note).to_be_visible()
        expect(row_of(page, "Nightly")).to_be_visible()
        expect(page.locator("#toasts .toast")).to_have_count(0)
        page.unroute("**/schedules/rows*")

        pass_time(page, 6_000)

        expect(note).to_have_count(0)
        expect(row_of(page, "Nightly")).to_be_visible()

    def test_can_be_tried_again_at_once(self, page: Page, site: Site, job: Job) -> None:
        """A12: by a press."""
        page.goto(f"{site.url}/schedules")
        page.route("**/schedules/rows*", lambda route: route.fulfill(status=503, body=""))
        add_run(site, job)
        pass_time(page)
        expect(page.get_by_text("Could not refresh (server error).")).to_be_visible()
        page.unroute("**/schedules/rows*")

        page.get_by_role("button", name="Try again").click()

        expect(page.get_by_text("Could not refresh")).to_have_count(0)

    def test_of_the_counters_is_told_by_the_pill(self, page: Page, site: Site) -> None:
        """A12: when the poll itself answers 500."""
        page.goto(f"{site.url}/schedules")
        page.route("**/live?*", lambda route: route.fulfill(status=500, body=""))
        pass_time(page)
        expect(pill(page)).to_contain_text("Could not refresh – showing")
        page.unroute("**/live?*")
        pass_time(page)

        expect(pill(page)).to_have_text("Live")


class TestMessages:
    def test_beyond_three_take_the_place_of_the_oldest_that_is_no_error(self, page: Page, site: Site) -> None:
        """An error stays until somebody closes it, however much is said after it."""
        page.goto(f"{site.url}/schedules")
        toasts = page.locator("#toasts .toast p")
        for kind, message in [
            ("error", "Refused"),
            ("success", "A"),
            ("info", "B"),
            ("success", "C"),
            ("error", "Again"),
        ]:
            page.evaluate(SAY, {"kind": kind, "message": message})
        expect(toasts).to_have_text(["Refused", "C", "Again"])

        for kind, message in [("error", "Too long"), ("success", "Saved")]:
            page.evaluate(SAY, {"kind": kind, "message": message})

        expect(toasts).to_have_text(["Refused", "Again", "Too long", "Saved"])
        pass_time(page, 11_000)
        expect(toasts).to_have_text(["Refused", "Again", "Too long"])


class TestANetworkThatIsAway:
    def test_is_told_with_the_age_of_what_is_shown(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/schedules")
        page.route("**/live?*", lambda route: route.abort("internetdisconnected"))
        pass_time(page)
        expect(pill(page)).to_contain_text("Offline – showing")
        for _ in range(30):
            pass_time(page)
        table = page.locator(".table-wrap")
        expect(table).to_have_attribute("data-stale", re.compile(r"As of \d\d:\d\d:\d\d, 1 min old"))
        page.unroute("**/live?*")
        pass_time(page)

        expect(pill(page)).to_have_text("Live")
        expect(table).not_to_have_attribute("data-stale", re.compile(""))


class TestASessionThatEnded:
    def test_is_told_and_takes_nothing_typed_away(self, page: Page, site: Site, ana: Member) -> None:
        """A13: the pill says so, and half a form stays."""
        page.goto(f"{site.url}/schedules")
        page.get_by_role("link", name="New schedule").first.click()
        page.get_by_label("Name", exact=True).fill("Half a name")
        cookies = page.context.cookies()
        page.context.clear_cookies()
        pass_time(page)

        expect(pill(page)).to_have_text("Signed out – sign in again")
        expect(page.get_by_label("Name", exact=True)).to_have_value("Half a name")
        page.context.add_cookies([{k: cookie[k] for k in ("name", "value", "domain", "path")} for cookie in cookies])
