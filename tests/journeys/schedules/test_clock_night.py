"""The night in which New York has one hour twice: what the dialog says is what the scheduler then does."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.models import Schedule
from tests.factories.tenants import Member
from tests.fakes.clock import utc
from tests.journeys.schedules.form import (
    choose_zone,
    name_field,
    open_new,
    preview,
    row_of,
    save_and_close,
    type_text,
)
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def moment() -> str:
    return "2027-11-06 16:00"


class TestTheHourThatComesTwice:
    def test_is_listed_once_and_says_so(self, page: Page, site: Site, job: Job) -> None:
        """A25: 7 November is listed once, with a note that says once; then it is saved."""
        open_new(page, site)
        name_field(page).fill("Night")
        page.get_by_label("Job", exact=True).select_option(label=job.name)
        choose_zone(page, "America/New_York")
        type_text(page, "30 1 * * *")

        expect(preview(page).locator(".next-wall").filter(has_text=re.compile("^Sun 7 Nov, 01:30"))).to_have_count(1)
        note = "01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time."
        expect(preview(page).locator(".note").get_by_text(note, exact=True)).to_be_visible()
        save_and_close(page)
        expect(row_of(page, "Night")).to_be_visible()

    def test_and_runs_once(self, page: Page, site: Site, ana: Member) -> None:
        """A25: a scheduler that goes through that night by the clock of the pages makes one run, the first time."""
        site.keep_time(utc("2027-11-07 16:00"))

        with site.database.reading() as session:
            mine = select(Run.slot_at).where(Run.organization_id == ana.organization_id)
            assert list(session.scalars(mine)) == [utc("2027-11-07 05:30")]
            schedule_id = session.scalars(
                select(Schedule.id).where(Schedule.organization_id == ana.organization_id)
            ).one()
        page.goto(f"{site.url}/schedules/{schedule_id}/slots?day=2027-11-07")
        expect(page.locator("#slots tbody tr")).to_have_count(1)
        expect(page.locator("#slots tbody tr")).to_contain_text("01:30")
