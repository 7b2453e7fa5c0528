"""The overview and the banner about the scheduler: what is broken, what runs next, and whether anybody keeps time."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.core.ids import new_id
from app.jobs.models import Job
from app.ops.heartbeats import ProcessFacts, beat
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_schedule
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

FACTS = ProcessFacts(new_id(), "worker-1:42", "0.1.0", 5, True, host="worker-1", pid=42)


def keep_time(site: Site) -> None:
    """A sign of life of the only scheduler."""
    now = site.clock.moment
    with site.database.transaction() as session:
        beat(session, FACTS, now=now, ticked_at=now, tick_ms=5)


@pytest.fixture(scope="module", autouse=True)
def broken(site: Site, ana: Member, job: Job) -> UUID:
    """One schedule that fails since an hour ago, and one that comes next."""
    keep_time(site)
    now = site.clock.moment
    with site.database.transaction() as session:
        failing = make_schedule(session, job, name="GA4 events", cron="5 * * * *", next_run_at=now + 2 * QUARTER)
        make_schedule(session, job, name="Meta Ads", cron="*/15 * * * *", next_run_at=now + timedelta(seconds=230))
        make_succeeded(session, job, now=now - timedelta(days=1), schedule_id=failing.id)
        return make_failed(session, job, now=now - timedelta(hours=1), schedule_id=failing.id, error="Refused (401)")


class TestTheOverview:
    def test_says_what_is_broken_and_what_runs_next(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/")

        expect(page.locator(".tile", has_text="Failing now")).to_contain_text("1 new today")
        expect(page.locator(".tile", has_text="Next run")).to_contain_text("in 3 min")
        expect(page.locator(".tile", has_text="Next run")).to_contain_text("Meta Ads")
        line = page.locator("#attention li").filter(has_text="GA4 events")
        expect(line).to_contain_text("Refused (401)")
        expect(line.get_by_role("button", name="Retry GA4 events")).to_be_visible()
        expect(page.locator("#attention")).to_be_in_viewport()

    def test_draws_the_day_and_has_it_as_a_table(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/")
        page.get_by_text("View as table").click()

        table = page.get_by_role("region", name="Runs by the hour, Berlin")
        expect(table.locator("tr").filter(has_text="Tue 5 Jan, 12:00")).to_contain_text("1")
        expect(page.locator("#day svg.lane")).to_have_attribute("aria-label", "Since Mon 4 Jan, 21:00: "
            "1 run ended: 1 failed. Due by Tue 5 Jan, 21:00: 39.")  # fmt: skip


class TestTheBanner:
    def test_comes_when_the_scheduler_stops_and_goes_when_it_is_back(self, page: Page, site: Site) -> None:
        """A47: amber after 30 seconds, red after 90 with how many are overdue, and gone with the next beat."""
        keep_time(site)
        page.goto(f"{site.url}/runs")
        banner = page.locator("#scheduler-notice .note")
        expect(banner).to_have_count(0)

        site.clock.advance(seconds=35)
        expect(banner).to_have_attribute("data-state", "warning", timeout=10_000)

        site.clock.advance(minutes=20)
        expect(banner).to_have_attribute("data-state", "failed", timeout=10_000)
        expect(banner).to_contain_text("1 schedule is overdue.")

        keep_time(site)
        expect(banner).to_have_count(0, timeout=10_000)

    def test_stays_away_where_nothing_needs_a_scheduler(self, page: Page, site: Site) -> None:
        """A47: somebody whose organization has nothing that is on is not bothered."""
        other = page.context.browser.new_context() if page.context.browser else None
        assert other is not None
        site.enter(other)
        site.clock.advance(minutes=10)
        fresh = other.new_page()
        fresh.goto(f"{site.url}/runs")

        expect(fresh.locator("#scheduler-notice .note")).to_have_count(0)
        other.close()
