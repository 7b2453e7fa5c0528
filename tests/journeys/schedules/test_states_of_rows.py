"""What the list says of schedules that do not simply run: of each its own words."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from tests.factories.outcomes import make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import utc
from tests.journeys.schedules.form import row_of
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

TOMORROW = utc("2027-01-06 06:00")
DAY = timedelta(days=1)
# Each with the words that its row alone has.
WORDS = {
    "Switched off": "— (disabled)",
    "Brand new": "Never run",
    "All over": "No future run: its times are over",
    "On request": "Only by hand",
    "Unreadable": "The zone Nowhere/Land is not known.",
    "Overdue": "Late",
    "Unconnected": "Needs connection",
}


@pytest.fixture(scope="module", autouse=True)
def _schedules(site: Site, ana: Member, job: Job) -> None:
    """One in each state. All but the new one and the one that cannot run have run yesterday."""
    now = site.clock.moment
    same = {"cron": "0 6 * * *"}
    columns = {
        "Switched off": {"enabled": False, "next_run_at": TOMORROW},
        "All over": {"ends_at": now - DAY, "next_run_at": None},
        "On request": {"cron": "@manually", "next_run_at": None},
        "Unreadable": {"problem": "The zone Nowhere/Land is not known.", "next_run_at": None},
        "Overdue": {"next_run_at": now - timedelta(minutes=5)},
    }
    with site.database.transaction() as session:
        for name, own in columns.items():
            schedule = make_schedule(session, job, name=name, **same | own)
            make_succeeded(session, job, now=now - DAY, schedule_id=schedule.id)
        make_schedule(session, job, name="Brand new", next_run_at=TOMORROW, **same)
        sync = make_job(session, ana.organization_id, name="Read Meta", kind=KindName.SYNC, service="meta")
        make_schedule(session, sync, name="Unconnected", next_run_at=TOMORROW, **same)


@pytest.mark.parametrize("name", WORDS)
def test_a_row_says_how_its_schedule_stands(page: Page, site: Site, name: str) -> None:
    """A41: disabled, never run, without a future, late, without its connection: each says so, and no other one."""
    page.goto(f"{site.url}/schedules")

    expect(page.locator("#rows tr")).to_have_count(len(WORDS))
    expect(row_of(page, name)).to_contain_text(WORDS[name])
    expect(page.locator("#rows tr").filter(has_text=re.compile(re.escape(WORDS[name])))).to_have_count(1)


@pytest.mark.parametrize("name", ["Switched off", "All over", "On request", "Unreadable"])
def test_a_row_of_what_does_not_run_promises_no_time(page: Page, site: Site, name: str) -> None:
    """A41: what is not going to run by itself has no next time."""
    page.goto(f"{site.url}/schedules")

    expect(row_of(page, name).locator("[data-label='Next run']")).to_be_visible()
    expect(row_of(page, name).locator("[data-label='Next run'] time")).to_have_count(0)
