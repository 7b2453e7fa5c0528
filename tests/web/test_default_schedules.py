"""The default schedules of a new installation, as the person who set it up sees them."""

from uuid import UUID

import pytest
from sqlalchemy import select

from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.defaults import find_default, give_default_schedules
from app.schedules.queries import ScheduleRow
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser
from tests.web.filled_form import filled_form

pytestmark = pytest.mark.usefixtures("real_kinds")

WHAT_TO_DO = "This sync needs a connection to Meta, and there is none. Connect an account first."


@pytest.fixture
def meta(owner: Browser, database: OpenDatabase, clock: ManualClock) -> ScheduleRow:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=owner.organization_id, now=clock.moment)
    with database.reading() as session:
        return find_default(session, organization_id=owner.organization_id, service="meta")


def enabled(owner: Browser, schedule_id: UUID) -> None:
    owner.send(f"/schedules/{schedule_id}/enabled", {"enabled": "yes"})


class TestDefaultSchedules:
    def test_stand_among_schedules_and_jobs(self, owner: Browser, meta: ScheduleRow) -> None:
        schedules, jobs = owner.visit("/schedules").text, owner.visit("/jobs").text

        assert all(name in schedules for name in ("Meta sync", "Google Analytics sync", "Shopify sync"))
        assert "Needs connection" in schedules
        assert "Sync: Reads Meta" in jobs

    def test_leave_the_first_steps_to_be_done(self, owner: Browser, meta: ScheduleRow) -> None:
        text = owner.visit("/").text

        assert "Make a job" in text
        assert "Success rate" not in text

    def test_say_what_is_missing_once_one_is_on(self, owner: Browser, meta: ScheduleRow) -> None:
        enabled(owner, meta.id)

        text = owner.visit(f"/schedules/{meta.id}").text

        assert "Needs connection." in text
        assert WHAT_TO_DO in text

    def test_are_run_by_hand_into_a_skipped_run_that_says_why(
        self, owner: Browser, meta: ScheduleRow, database: OpenDatabase
    ) -> None:
        owner.send(f"/schedules/{meta.id}/run", {"request_key": "k"})
        notice = owner.visit("/schedules").text

        with database.reading() as session:
            run = session.scalars(select(Run)).one()
        text = owner.visit(f"/runs/{run.id}").text
        assert "Skipped" in text
        assert WHAT_TO_DO in text
        assert f"Meta sync was skipped. {WHAT_TO_DO}" in notice

    def test_cannot_be_deleted(self, owner: Browser, meta: ScheduleRow) -> None:
        answer = owner.send(f"/schedules/{meta.id}/delete")

        assert answer.status_code == 409
        assert "is the default schedule of its service and stays" in answer.text
        assert "Disable it instead." in owner.visit(f"/schedules/{meta.id}").text

    def test_have_jobs_that_nobody_deletes(self, owner: Browser, meta: ScheduleRow) -> None:
        seen, sent = owner.visit(f"/jobs/{meta.job_id}/delete"), owner.send(f"/jobs/{meta.job_id}/delete")

        assert (seen.status_code, sent.status_code) == (409, 409)
        assert "It came with the organization and stays" in seen.text
        assert f"/jobs/{meta.job_id}/delete" not in owner.visit("/jobs").text

    def test_have_jobs_with_policies_of_their_own(
        self, owner: Browser, meta: ScheduleRow, database: OpenDatabase
    ) -> None:
        form = owner.visit(f"/jobs/{meta.job_id}/edit")
        sent = filled_form(form.text, "job-form") | {"tries": ["5"], "time_limit_seconds": ["1800"]}

        owner.send(f"/jobs/{meta.job_id}", sent)

        with database.reading() as session:
            job = session.get_one(Job, meta.job_id)
        assert 'value="600"' in form.text
        assert (job.tries, job.time_limit_seconds, job.retry_delay_seconds) == (5, 1_800, 600)
        assert (job.retry_backoff, job.definition) == ("fixed", {"service": "meta"})
        text = owner.visit(f"/jobs/{meta.job_id}").text
        assert "It is tried up to 5 times, with 10 min in between." in text
        assert "tries: 3 → 5" in text
        assert "time limit: 1 h → 30 min" in text

    def test_are_no_kind_to_choose_for_a_new_job(self, owner: Browser) -> None:
        refused = owner.send("/jobs", {"kind": "sync", "name": "Mine"})

        assert "What kind of work is it?" in owner.visit("/jobs/new?kind=sync").text
        assert refused.status_code == 422

    def test_come_with_an_organization(self, owner: Browser) -> None:
        owner.send("/organizations", {"name": "Harbour", "timezone": "UTC"})

        assert "Shopify sync" in owner.visit("/schedules").text
