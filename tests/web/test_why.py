"""Why it did not run and why it waits, as the pages of a schedule and of a run say it."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.core.ids import new_id
from app.jobs.models import Job
from app.ops.models import Heartbeat
from app.runs.models import Run
from app.runs.queue_models import Queue, QueueSwitch
from app.schedules.models import Schedule
from app.web.formatting import absolute_time
from tests.factories.causes import CAUSES, Held, Scene
from tests.factories.outcomes import make_running
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase
from tests.fakes.statements import counted
from tests.web.conftest import Browser

NEXT = utc("2027-01-05 14:00")
EVER = utc("2027-01-01")


def report(database: OpenDatabase, at: Any, **columns: Any) -> None:
    usual = {"version": "1.0", "slots": 5, "schedules": True, "started_at": EVER, "beat_at": at, "ticked_at": at}
    with database.transaction() as session:
        session.add(Heartbeat(process_id=new_id(), name="tower:7", **(usual | columns)))


@pytest.fixture
def _crew(database: OpenDatabase, clock: ManualClock) -> None:
    report(database, clock.moment)


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id)


@pytest.fixture
def schedule(database: OpenDatabase, job: Job) -> Schedule:
    with database.transaction() as session:
        return make_schedule(session, job, next_run_at=NEXT)


@pytest.fixture
def run_id(database: OpenDatabase, job: Job, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_run(session, job, now=clock.moment)


def note(browser: Browser, path: str, element_id: str) -> str:
    """The words of a note on a page; empty without it."""
    text = browser.visit(path).text
    found = re.search(rf'<div class="note"[^>]*id="{element_id}".*?</div>', text, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split()) if found else ""


class TestTheSchedulePage:
    @pytest.mark.usefixtures("_crew")
    def test_asks_nothing_while_nothing_is_wrong(self, viewer: Browser, schedule: Schedule) -> None:
        assert note(viewer, f"/schedules/{schedule.id}", "why") == ""

    @pytest.mark.usefixtures("_crew")
    def test_says_who_switched_it_off_on_the_clock_of_the_viewer(
        self, viewer: Browser, schedule: Schedule, database: OpenDatabase
    ) -> None:
        off = {"enabled": False, "switched_at": utc("2027-01-04 09:30"), "switched_by": "ana@example.com"}
        with database.transaction() as session:
            session.execute(update(Schedule).values(**off))

        words = note(viewer, f"/schedules/{schedule.id}", "why")

        assert words.startswith("Why has it not run? It is off: ana@example.com switched it off at Mon 4 Jan, ")
        assert "Enable it to run it on schedule again." in words

    def test_says_that_no_scheduler_runs(self, viewer: Browser, schedule: Schedule) -> None:
        assert "No scheduler is running." in note(viewer, f"/schedules/{schedule.id}", "why")

    @pytest.mark.usefixtures("_crew")
    def test_leaves_to_other_notes_what_they_say(
        self, viewer: Browser, schedule: Schedule, database: OpenDatabase
    ) -> None:
        with database.transaction() as session:
            session.execute(update(Schedule).values(problem="There is no time zone “Mars”.", next_run_at=None))

        assert "Mars" in note(viewer, f"/schedules/{schedule.id}", "problem")
        assert note(viewer, f"/schedules/{schedule.id}", "why") == ""

    @pytest.mark.usefixtures("_crew")
    def test_leads_to_the_run_in_the_way(
        self, viewer: Browser, job: Job, schedule: Schedule, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            going = make_running(session, job, now=clock.moment, schedule_id=schedule.id)
            waiting = make_run(session, job, now=clock.moment, schedule_id=schedule.id)
            session.execute(update(Run).where(Run.id == waiting).values(state="waiting", reason="overlap"))

        text = viewer.visit(f"/schedules/{schedule.id}", htmx=True).text

        assert f"The previous run ({going}) is still going" in text
        assert f'<a class="note-action" href="/runs/{going}">Open the run</a>' in text


class TestTheRunPage:
    @pytest.mark.usefixtures("_crew")
    def test_asks_nothing_while_nothing_is_wrong(self, viewer: Browser, run_id: UUID) -> None:
        assert note(viewer, f"/runs/{run_id}", "run-why") == ""

    @pytest.mark.usefixtures("_crew")
    def test_says_who_paused_the_queue(self, viewer: Browser, run_id: UUID, database: OpenDatabase) -> None:
        with database.transaction() as session:
            session.add(QueueSwitch(name="code", paused_at=utc("2027-01-05 11:00"), paused_by="root@example.com"))

        words = note(viewer, f"/runs/{run_id}", "run-why")

        assert words.startswith("Why does it wait? Its queue “code” is paused, by root@example.com since Tue 5 Jan, ")
        assert "its queue is paused" in viewer.visit(f"/runs/{run_id}", htmx=True).text

    @pytest.mark.usefixtures("_crew")
    def test_says_its_place_in_line(
        self, viewer: Browser, job: Job, run_id: UUID, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.execute(update(Queue).where(Queue.name == "code").values(concurrency=1))
            make_running(session, job, now=clock.moment)

        words = note(viewer, f"/runs/{run_id}", "run-why")

        assert "At most 1 run of the queue “code” may go on at once, and 1 does." in words
        assert "It is one of the next." in words
        assert words.endswith("belfry queue set code --at-once NUMBER Open the queue")

    def test_says_that_no_worker_serves_its_queue(self, viewer: Browser, run_id: UUID, database: OpenDatabase) -> None:
        report(database, utc("2027-01-05 12:00"), queues="sync")

        assert "Start one: belfry worker --queues code" in note(viewer, f"/runs/{run_id}", "run-why")
        assert "no worker serves its queue" in viewer.visit(f"/runs/{run_id}").text

    @pytest.mark.usefixtures("_crew")
    def test_says_of_a_run_that_waits_for_another_one_only_for_which(
        self, viewer: Browser, run_id: UUID, database: OpenDatabase
    ) -> None:
        with database.transaction() as session:
            make_run(session, session.get_one(Job, session.get_one(Run, run_id).job_id), now=EVER, parent_run_id=run_id)
            session.execute(update(Run).where(Run.id == run_id).values(state="waiting", reason="children"))

        text = viewer.visit(f"/runs/{run_id}").text

        assert "1 of 1 runs that it started have not ended yet." in text
        assert "waits for the runs that it started" in text
        assert 'id="run-remark"' not in text

    @pytest.mark.usefixtures("_crew")
    def test_reads_three_times_for_it_and_never_of_a_run_that_is_over(
        self, viewer: Browser, run_id: UUID, database: OpenDatabase, clock: ManualClock
    ) -> None:
        # The first visit of all asks what the database is like.
        viewer.visit(f"/runs/{run_id}")
        with counted(database) as of_waiting:
            viewer.visit(f"/runs/{run_id}", htmx=True)
        with database.transaction() as session:
            session.execute(update(Run).values(state="succeeded", finished_at=clock.moment))

        with counted(database) as of_over:
            viewer.visit(f"/runs/{run_id}", htmx=True)

        # Roles are taken on in passing.
        waiting, over = ([one for one in group if "set_config" not in one] for group in (of_waiting, of_over))
        # Of what is over it is read instead as what it was run again, and whether its job takes parameters.
        assert len(waiting) - (len(over) - 2) == 3


@pytest.mark.parametrize("inject", CAUSES)
def test_each_cause_is_named_on_the_clock_of_the_viewer(
    viewer: Browser,
    organization_id: UUID,
    database: OpenDatabase,
    clock: ManualClock,
    inject: Callable[[Scene], Held],
) -> None:
    with database.transaction() as session:
        held = inject(Scene(session, organization_id, clock.moment))

    said = held.said(lambda at: absolute_time(at, zone="Europe/Riga", now=clock.moment, seconds=True))

    of_schedule = note(viewer, f"/schedules/{held.schedule_id}", "why")
    assert of_schedule.startswith("Why has it not run?")
    assert said in of_schedule
    if held.waits is not None:
        assert note(viewer, f"/runs/{held.waits}", "run-why").startswith(f"Why does it wait? {said}")
