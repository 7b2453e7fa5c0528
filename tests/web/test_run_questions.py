"""What is asked before one run is cancelled, taken off the queue, or started beside another one."""

from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import select

from app.runs.models import Run
from app.runs.states import RunState
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import load_run, make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

DIALOG = {"HX-Target": "dialog#dialog"}


@pytest.fixture
def failed(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_failed(session, make_job(session, organization_id, name="Orders"), now=clock.moment)


@pytest.fixture
def running(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_running(session, make_job(session, organization_id, name="Orders"), now=clock.moment)


def states_of(database: OpenDatabase, job_id: UUID) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(Run.state).where(Run.job_id == job_id)))


class TestCancelling:
    def test_asks_and_says_what_stays(self, operator: Browser, running: UUID) -> None:
        page = unescape(operator.visit(f"/runs/{running}/cancel").text)
        dialog = operator.visit(f"/runs/{running}/cancel", htmx=True, headers=DIALOG).text

        assert "What it has written so far stays." in page
        assert "<h1>Cancel Orders?</h1>" in page
        assert 'id="dialog-title">Cancel Orders?' in dialog
        assert "<html" not in dialog

    def test_is_asked_from_the_page_of_the_run(self, operator: Browser, running: UUID) -> None:
        shown = operator.visit(f"/runs/{running}").text

        assert f'hx-get="/runs/{running}/cancel"' in shown
        assert f'action="/runs/{running}/cancel"' not in shown

    def test_of_what_is_over_leads_to_the_run(self, operator: Browser, failed: UUID) -> None:
        assert operator.visit(f"/runs/{failed}/cancel").location == f"/runs/{failed}"

    def test_is_for_those_who_may(self, viewer: Browser, stranger: Browser, running: UUID) -> None:
        assert viewer.visit(f"/runs/{running}/cancel").status_code == 403
        assert stranger.visit(f"/runs/{running}/cancel").status_code == 404


class TestRemoving:
    def test_asks_says_that_it_cannot_be_undone_and_leads_back_to_the_list(self, admin: Browser, failed: UUID) -> None:
        asked = unescape(admin.visit(f"/runs/{failed}/removal?here=tab%3Ddead%26q%3Dorders").text)
        answer = admin.send(f"/runs/{failed}/removal", {"here": "tab=dead&q=orders"})

        assert "Remove Orders from the queue?" in asked
        assert "This cannot be undone." in asked
        assert 'name="here" value="tab=dead&q=orders"' in asked
        assert answer.location == "/queue?tab=dead&q=orders"

    @pytest.mark.parametrize("place", ["list", "run"])
    def test_is_asked_from_the_list_and_from_the_run(self, admin: Browser, failed: UUID, place: str) -> None:
        shown = admin.visit("/queue?tab=dead" if place == "list" else f"/runs/{failed}").text

        assert f'hx-get="/runs/{failed}/removal' in shown
        assert f'action="/runs/{failed}/removal"' not in shown

    def test_of_what_waits_says_that_it_will_not_start(
        self, admin: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, organization_id), now=clock.moment)

        assert "It has not started, and will not." in admin.visit(f"/runs/{run_id}/removal").text

    @pytest.mark.parametrize("here", ["endpoint=web.login", "_external=yes&_scheme=ftp", "%zz", "https://evil.example"])
    def test_leads_nowhere_else(self, admin: Browser, failed: UUID, here: str) -> None:
        answer = admin.visit(f"/runs/{failed}/removal", query_string={"here": here})

        assert answer.status_code == 200
        assert "ftp:" not in answer.text
        assert 'href="/queue?' in answer.text

    def test_leads_who_may_not_to_the_run(self, viewer: Browser, stranger: Browser, failed: UUID) -> None:
        for browser in (viewer, stranger):
            assert browser.visit(f"/runs/{failed}/removal").location == f"/runs/{failed}"

    def test_is_asked_of_anybodys_run_too(self, platform_admin: Browser, database: OpenDatabase, failed: UUID) -> None:
        shown = platform_admin.visit("/queue?tab=dead&of=all").text
        asked = platform_admin.visit(f"/queue/all/{failed}/removal").text
        platform_admin.send(f"/queue/all/{failed}/removal", {"here": "tab=dead&of=all"})

        assert f'hx-get="/queue/all/{failed}/removal' in shown
        assert "Remove 1 run?" in asked
        with database.reading() as session:
            assert load_run(session, failed).removed_at is not None


class TestRunningBesideAnother:
    def test_of_a_schedule_is_asked_first(
        self, operator: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            schedule_id = make_schedule(session, job, name="Nightly").id
            make_running(session, job, now=clock.moment, schedule_id=schedule_id)
        clock.advance(minutes=3)

        asked = operator.send(f"/schedules/{schedule_id}/run", {"request_key": "k"})
        question = unescape(operator.visit(asked.location).text)
        operator.send(f"/schedules/{schedule_id}/run", {"request_key": "k", "sure": "yes"})

        assert asked.location == f"/schedules/{schedule_id}/run"
        assert "Run Nightly now?" in question
        assert "A run of it has gone on for 3 min. This starts a second one alongside." in question
        assert states_of(database, job.id) == [RunState.READY, RunState.RUNNING]

    def test_of_a_job_is_asked_first(
        self, operator: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Orders")
            make_running(session, job, now=clock.moment)

        asked = operator.send(f"/jobs/{job.id}/run", {"request_key": "k"}, htmx=True)
        question = operator.visit(f"/jobs/{job.id}/run").text
        operator.send(f"/jobs/{job.id}/run", {"request_key": "k", "sure": "yes"}, htmx=True)

        assert asked.headers["HX-Redirect"] == f"/jobs/{job.id}/run"
        assert "Run Orders now?" in question
        assert states_of(database, job.id) == [RunState.READY, RunState.RUNNING]

    def test_is_not_asked_of_the_second_of_two_clicks(
        self, operator: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            schedule_id = make_schedule(session, job).id
            make_running(session, job, now=clock.moment, schedule_id=schedule_id, request_key="k")

        again = operator.send(f"/schedules/{schedule_id}/run", {"request_key": "k"})

        assert again.location == "/schedules"
        assert states_of(database, job.id) == [RunState.RUNNING]

    def test_is_not_asked_where_none_goes_on(
        self, operator: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            schedule_id = make_schedule(session, job).id
            make_succeeded(session, job, now=clock.moment, schedule_id=schedule_id)

        operator.send(f"/schedules/{schedule_id}/run", {"request_key": "k"})

        assert states_of(database, job.id) == [RunState.READY, RunState.SUCCEEDED]
        assert operator.visit(f"/schedules/{schedule_id}/run").location == f"/schedules/{schedule_id}"
