"""The list of runs, a run's page and what is reached from both, in a real browser."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from app.jobs.models import Job
from app.runs import ledger
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_gap, make_job, make_schedule
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

# The poll of the counters, the refresh, and three seconds of rest.
REFRESH_MS = 12_000


@pytest.fixture(scope="module")
def job(site: Site, ana: Member) -> Job:
    with site.database.transaction() as session:
        return make_job(session, ana.organization_id, name="Nightly export")


@pytest.fixture(scope="module")
def runs(site: Site, job: Job) -> dict[str, UUID]:
    """A good and a failed run of one schedule, and one that goes on, the newest last."""
    now = site.clock.moment
    with site.database.transaction() as session:
        schedule = make_schedule(session, job, name="Hourly", next_run_at=now + timedelta(hours=1))
        make_gap(session, schedule, now - timedelta(hours=9), now - timedelta(hours=3), slots=7)
        of_it = {"schedule_id": schedule.id}
        return {
            "good": make_succeeded(session, job, now=now - timedelta(hours=2), lines=["begin", "read 4 rows"], **of_it),
            "failed": make_failed(session, job, now=now - timedelta(hours=1), lines=["begin", "503"], **of_it),
            "running": make_running(session, job, now=now - timedelta(minutes=5), lines=["begin"], **of_it),
        }


def rows(page: Page) -> Locator:
    return page.locator("#run-rows tr")


def order(page: Page) -> list[str]:
    return [str(row.get_attribute("id")) for row in rows(page).all()]


def add_run(site: Site, job: Job) -> UUID:
    with site.database.transaction() as session:
        return make_succeeded(session, job, now=site.clock.moment)


class TestAFailedRun:
    def test_says_why_above_its_log_and_is_run_again(self, page: Page, site: Site, runs: dict[str, UUID]) -> None:
        """A49: the first error stands above the log, and Run again leads to the new run, which links the old one."""
        page.goto(f"{site.url}/runs/{runs['failed']}")
        error = page.locator("#run-remark")
        expect(error).to_contain_text("The shop did not answer.")
        top = error.bounding_box()
        log = page.locator("#log").bounding_box()
        assert top is not None
        assert log is not None
        assert top["y"] < log["y"]

        page.get_by_role("button", name="Run again").click()

        expect(page).not_to_have_url(f"{site.url}/runs/{runs['failed']}")
        page.get_by_role("link", name="an older run").click()
        expect(page).to_have_url(f"{site.url}/runs/{runs['failed']}")
        expect(page.get_by_role("link", name="a newer run")).to_be_visible()

    def test_copies_its_address_without_a_clipboard(self, page: Page, site: Site, runs: dict[str, UUID]) -> None:
        # As on an address that is neither this machine nor encrypted.
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        page.goto(f"{site.url}/runs/{runs['failed']}")

        page.get_by_role("button", name="Copy link").click()

        expect(page.get_by_text("Link copied.")).to_be_visible()

    def test_leads_to_its_neighbours_and_to_the_last_good_one(
        self, page: Page, site: Site, runs: dict[str, UUID]
    ) -> None:
        page.goto(f"{site.url}/runs/{runs['failed']}")
        page.get_by_role("link", name="Previous run").click()
        expect(page).to_have_url(f"{site.url}/runs/{runs['good']}")
        page.get_by_role("link", name="Next run").click()
        page.get_by_role("link", name="Compare with the last good run").click()

        expect(page.get_by_role("region", name="Values of both runs")).to_contain_text("The shop did not answer.")
        expect(page.get_by_text("They part at line 2.")).to_be_visible()


def test_the_rate_of_a_schedule_leaves_out_what_was_skipped(
    page: Page, site: Site, ana: Member, job: Job, runs: dict[str, UUID]
) -> None:
    """A38: the success rate says of how many, and does not count what was skipped or cancelled."""
    with site.database.transaction() as session:
        schedule = make_schedule(session, job, name="Rarely", next_run_at=site.clock.moment + timedelta(hours=1))
        of_it = {"now": site.clock.moment - timedelta(hours=3), "schedule_id": schedule.id}
        ids = [make_succeeded(session, job, **of_it) for _ in range(5)]
        for run_id, state in zip(ids[:2], ("skipped", "cancelled"), strict=True):
            session.get_one(ledger.Run, run_id).state = state
        session.get_one(ledger.Run, ids[2]).state = "failed"

    page.goto(f"{site.url}/schedules?q=rarely")

    strip = page.get_by_role("row").filter(has_text="Rarely").locator("[data-cell=strip]")
    expect(strip).to_contain_text("2 of 3 in 7 days")
    expect(strip).to_contain_text("5 runs · 1 failed · 1 skipped")


def test_a_view_is_saved_and_opened(page: Page, site: Site, runs: dict[str, UUID]) -> None:
    page.goto(f"{site.url}/runs?state=failed")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("Failures")
    page.get_by_role("button", name="Save view").click()
    page.goto(f"{site.url}/runs")

    page.get_by_role("navigation", name="Saved views").get_by_role("link", name="Failures").click()

    expect(page).to_have_url(f"{site.url}/runs?state=failed")


class TestNothingIsWrong:
    @THEMES
    @WIDTHS
    def test_with_the_list_and_what_it_leads_to(
        self, page: Page, site: Site, runs: dict[str, UUID], theme: Theme, width: int
    ) -> None:
        """A02, A03: axe finds nothing in the list of runs, a comparison and the saved views, and all fit a phone."""
        show(page, theme, width)
        found = []
        for path in ("/runs?last=7d&trigger=manual&since=2027-01-01T00:00", f"/runs/{runs['failed']}",
                     f"/runs/{runs['failed']}/compare?all=1", f"/runs/{runs['failed']}/again", "/views",
                     "/views/new?list=runs&state=failed", "/runs?state=missed"):  # fmt: skip
            page.goto(f"{site.url}{path}")
            found += [f"{path}: {one}" for one in violations(page)]
            if is_too_wide(page):
                found.append(f"{path} is wider than {width}")

        assert found == []
