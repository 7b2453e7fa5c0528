"""Pages of jobs: the list, running by hand, deleting, and who may do which."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.models import Schedule
from tests.factories.work import make_schedule, make_workflow
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

pytestmark = pytest.mark.usefixtures("real_kinds")

COMMON = {"tries": "3", "retry_delay_seconds": "5", "retry_backoff": "fixed", "time_limit_seconds": "600"}


@pytest.fixture
def job(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_workflow(session, organization_id)


def stored(database: Database, name: str) -> Job:
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.name == name)).one()


def count(database: Database, table: type[Any]) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


class TestTheList:
    def test_leads_to_the_first_job(self, owner: Browser) -> None:
        text = owner.visit("/jobs").text

        assert "No jobs yet" in text
        assert 'href="/jobs/new"' in text

    def test_says_what_each_does_without_its_secrets(self, viewer: Browser, job: Job, database: Database) -> None:
        with database.transaction() as session:
            make_schedule(session, job, name="Every morning")

        text = viewer.visit("/jobs").text.replace("<wbr>", "")

        assert "GET https://hooks.example.com/sync" in text
        assert "Every morning" in text
        assert "s3cr3t" not in text
        assert "secret-1" not in text

    def test_goes_on_when_one_definition_cannot_be_read(self, viewer: Browser, job: Job, database: Database) -> None:
        with database.transaction() as session:
            session.get_one(Job, job.id).definition = {"steps": []}

        response = viewer.visit("/jobs")

        assert response.status_code == 200
        assert "cannot read" in response.text

    def test_shows_how_the_last_run_stands(self, operator: Browser, job: Job) -> None:
        operator.send(f"/jobs/{job.id}/run", {"request_key": "k"})

        assert "Queued" in operator.visit("/jobs", htmx=True).text


class TestRunningAndDeleting:
    def test_a_double_click_is_one_run(self, operator: Browser, job: Job, database: Database) -> None:
        for _ in range(2):
            operator.send(f"/jobs/{job.id}/run", {"request_key": "k"}, htmx=True)

        assert count(database, Run) == 1

    def test_a_press_a_minute_later_is_another_run(
        self, operator: Browser, job: Job, database: Database, clock: ManualClock
    ) -> None:
        for _ in range(2):
            operator.send(f"/jobs/{job.id}/run", {"request_key": "k"}, htmx=True)
            clock.advance(seconds=61)

        assert count(database, Run) == 2

    def test_deleting_names_the_schedules_and_waiting_runs_that_go_too(
        self, admin: Browser, job: Job, database: Database
    ) -> None:
        with database.transaction() as session:
            make_schedule(session, job, name="Every morning")
        admin.send(f"/jobs/{job.id}/run", {"request_key": "k"})

        text = admin.visit(f"/jobs/{job.id}/delete").text

        assert "Every morning" in text
        assert "1 waiting run is" in text

    def test_deleting_ends_its_schedules(self, admin: Browser, job: Job, database: Database) -> None:
        with database.transaction() as session:
            schedule = make_schedule(session, job, name="Every morning")

        admin.send(f"/jobs/{job.id}/delete")

        with database.reading() as session:
            assert session.get_one(Schedule, schedule.id).deleted_at is not None
        assert "No jobs yet" in admin.visit("/jobs").text


COMMANDS: dict[str, dict[str, str]] = {"": {"name": "Mine"}, "run": {"request_key": "k"}, "delete": {}}


class TestWhoMayWhat:
    @pytest.mark.parametrize("page", ["edit", "delete"])
    def test_a_stranger_finds_no_page(self, stranger: Browser, job: Job, page: str) -> None:
        response = stranger.visit(f"/jobs/{job.id}/{page}")

        assert response.status_code == 404

    @pytest.mark.parametrize(("role", "status"), [("stranger", 404), ("viewer", 403)])
    @pytest.mark.parametrize("command", COMMANDS)
    def test_nobody_else_changes_anything(
        self,
        request: pytest.FixtureRequest,
        job: Job,
        database: Database,
        command: str,
        role: str,
        status: int,
    ) -> None:
        browser: Browser = request.getfixturevalue(role)

        response = browser.send(f"/jobs/{job.id}/{command}".rstrip("/"), COMMANDS[command])

        assert response.status_code == status
        assert (stored(database, "Tell the warehouse").deleted_at, count(database, Run)) == (None, 0)

    def test_functions_for_the_installation_are_offered_to_platform_admins_alone(
        self, admin: Browser, platform_admin: Browser
    ) -> None:
        names = [one.name for one in job_kinds_only_for_the_platform(admin)]

        offered = [name for name in names if f'value="{name}"' in admin.visit("/jobs/new?kind=code").text]
        to_platform = [name for name in names if f'value="{name}"' in platform_admin.visit("/jobs/new?kind=code").text]

        assert (offered, to_platform) == ([], names)

    def test_functions_for_the_installation_are_refused_to_others(self, admin: Browser, database: Database) -> None:
        for one in job_kinds_only_for_the_platform(admin):
            response = admin.send("/jobs", COMMON | {"kind": "code", "name": "Mine", "function": one.name})

            assert response.status_code == 422
        assert count(database, Job) == 0


def job_kinds_only_for_the_platform(browser: Browser) -> list[Any]:
    kind = browser.application.extensions[EXTENSION].kinds[KindName.CODE]
    return [one for one in kind.functions() if one.platform_only]
