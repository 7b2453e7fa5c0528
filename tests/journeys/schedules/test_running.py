"""Starting a schedule by hand in a real browser."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.policies import Overlap
from tests.factories.tenants import Member
from tests.journeys.schedules.form import go, row_of, toasts
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

SEEN_MS = 8_000
PRESS_ALL = "ids => { for (const id of ids) document.getElementById(`run-${id}`).click(); }"


@pytest.fixture
def schedule_id(site: Site, ana: Member, job: Job, request: pytest.FixtureRequest) -> UUID:
    return site.add_schedule(ana, job, request.node.name, "0 6 * * *", overlap=Overlap.ALLOW)


def count_runs(site: Site, schedule_id: UUID) -> int:
    with site.database.reading() as session:
        return session.scalars(select(func.count()).select_from(Run).where(Run.schedule_id == schedule_id)).one()


class TestRunNow:
    def test_pressed_twice_on_the_page_is_one_run(self, page: Page, site: Site, schedule_id: UUID) -> None:
        """A35: a double click on the page of a schedule."""
        page.goto(f"{site.url}/schedules/{schedule_id}")
        page.get_by_role("button", name="Run now").dblclick()
        expect(toasts(page)).to_contain_text("View run")

        assert count_runs(site, schedule_id) == 1

    def test_pressed_twice_in_the_list_is_one_run(
        self, page: Page, site: Site, schedule_id: UUID, request: pytest.FixtureRequest
    ) -> None:
        """A35: a double click in the menu of a row."""
        name = request.node.name
        page.goto(f"{site.url}/schedules")
        row_of(page, name).get_by_label(f"Actions for {name}").click()
        row_of(page, name).get_by_role("button", name="Run now").dblclick()
        expect(toasts(page)).to_contain_text("View run")

        assert count_runs(site, schedule_id) == 1

    def test_pressed_in_two_rows_at_once_starts_both(
        self, page: Page, site: Site, ana: Member, job: Job, request: pytest.FixtureRequest
    ) -> None:
        """A35: the buttons of all rows share a form, and none waits for another's answer to be taken."""
        both = [site.add_schedule(ana, job, f"{request.node.name} {one}", "0 6 * * *") for one in "12"]
        go(page, f"{site.url}/schedules")
        for _ in range(2):
            page.evaluate(PRESS_ALL, [str(one) for one in both])
        for schedule_id in both:
            expect(page.locator(f"#s-{schedule_id} .badge").first).to_have_text("Queued", timeout=SEEN_MS)

        assert [count_runs(site, schedule_id) for schedule_id in both] == [1, 1]

    def test_sent_twice_is_one_run(self, page: Page, site: Site, schedule_id: UUID) -> None:
        """A35: two POSTs with the same key, as a browser without scripts sends them."""
        page.goto(f"{site.url}/schedules/{schedule_id}")
        form = page.locator("form").filter(has=page.get_by_role("button", name="Run now"))
        fields = {field: form.locator(f"[name={field}]").input_value() for field in ("csrf_token", "request_key")}
        for _ in range(2):
            assert page.request.post(f"{site.url}/schedules/{schedule_id}/run", form=fields).ok

        assert count_runs(site, schedule_id) == 1
