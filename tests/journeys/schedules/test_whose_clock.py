"""One run by three clocks: yours, the schedule's and UTC, on every page that tells its time."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_schedule
from tests.fakes.clock import utc
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

# It began at 09:30:00 UTC. Each clock: its choice in the address, the hour of the timeline's row, and the minute.
CLOCKS = {
    "Berlin (yours)": ("", "Tue 5 Jan, 10:00", "Tue 5 Jan, 10:30"),
    "New York": ("?tz=schedule", "Tue 5 Jan, 04:00", "Tue 5 Jan, 04:30"),
    "UTC": ("?tz=utc", "Tue 5 Jan, 09:00", "Tue 5 Jan, 09:30"),
}


@pytest.fixture(scope="module")
def schedule_id(site: Site, job: Job) -> UUID:
    with site.database.transaction() as session:
        return make_schedule(
            session, job, name="Every three hours", cron="30 */3 * * *", timezone="America/New_York",
            next_run_at=utc("2027-01-05 14:30"), created_at=utc("2027-01-03 09:30"),
            switched_at=utc("2027-01-04 09:30"), switched_by="ana@example.com",
        ).id  # fmt: skip


@pytest.fixture(scope="module")
def run_id(site: Site, job: Job, schedule_id: UUID) -> UUID:
    """The one that is looked at: the newest, and the only one in its hour."""
    with site.database.transaction() as session:
        make_failed(session, job, now=utc("2027-01-05 06:30"), schedule_id=schedule_id)
        return make_succeeded(session, job, now=utc("2027-01-05 09:30"), schedule_id=schedule_id)


@pytest.fixture(scope="module")
def address(site: Site, schedule_id: UUID, run_id: UUID) -> str:
    return f"{site.url}/schedules/{schedule_id}"


class TestEveryTime:
    @pytest.mark.parametrize("clock", CLOCKS)
    def test_of_the_page_is_told_by_the_clock_that_is_chosen(
        self, page: Page, address: str, run_id: UUID, clock: str
    ) -> None:
        """A39: timeline, last runs, lengths and history tell one run by the same clock, and the facts follow."""
        query, hour, minute = CLOCKS[clock]
        page.goto(address)
        if query:
            page.get_by_role("navigation", name="Whose clock").get_by_role("link", name=clock).click()
        expect(page).to_have_url(f"{address}{query}")
        expect(page.get_by_role("link", name=clock)).to_have_attribute("aria-current", "true")
        timeline = page.get_by_role("region", name="Timeline, ", include_hidden=True)
        expect(timeline.locator("tr").filter(has_text=hour)).to_have_count(1)
        expect(page.locator(f"#r-{run_id} .when .sub")).to_have_text(f"{minute}:00")
        expect(page.locator(f'#trend-table a[href="/runs/{run_id}"]')).to_have_text(f"{minute}:00")
        event = page.locator("#history tr").filter(has=page.locator(f'a[href="/runs/{run_id}"]'))
        expect(event.locator(".when .sub")).to_have_text(minute)
        expect(page.locator("#facts")).to_contain_text(f"Sun 3 Jan, {minute[-5:]}")
        expect(page.locator("#facts")).to_contain_text(f"by ana@example.com, Mon 4 Jan, {minute[-5:]}")

    @pytest.mark.parametrize(
        ("choice", "last", "coming"),
        [
            ("Schedule", "Tue 5 Jan, 04:30 New York", "Tue 5 Jan, 09:30 New York"),
            ("UTC", "Tue 5 Jan, 09:30", "Tue 5 Jan, 14:30"),
            ("Mine", "Tue 5 Jan, 10:30", "Tue 5 Jan, 15:30"),
        ],
    )
    def test_of_the_lists_is_told_by_the_clock_that_is_chosen(
        self, page: Page, site: Site, address: str, run_id: UUID, choice: str, last: str, coming: str
    ) -> None:
        """A39: lists of schedules and runs and the overview tell one run by the clock that is chosen on any of them."""
        page.goto(f"{site.url}/schedules")
        page.get_by_role("group", name="Whose clock").get_by_role("button", name=choice).click()

        button = page.get_by_role("group", name="Whose clock").get_by_role("button", name=choice)
        expect(button).to_have_attribute("aria-pressed", "true")
        row = page.get_by_role("row").filter(has_text="Every three hours")
        expect(row).to_contain_text(last)
        expect(row).to_contain_text(coming)
        for path in ("/runs", "/"):
            page.goto(f"{site.url}{path}")
            expect(page.locator(f"#run-{run_id}")).to_contain_text(last)
        if choice != "Schedule":
            table = page.locator("#day-table tr").filter(has_text=last.replace(":30", ":00"))
            expect(table).to_have_count(1)

    def test_of_the_list_is_told_by_yours(self, page: Page, site: Site, address: str, run_id: UUID) -> None:
        """A39: the list tells the same run by the viewer's clock, as the page of the schedule does at first."""
        page.goto(f"{site.url}/schedules")

        expect(page.get_by_role("row").filter(has_text="Every three hours")).to_contain_text("Tue 5 Jan, 10:30")
