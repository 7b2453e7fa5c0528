"""What nobody does and time alone brings: told once for each time that it begins."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.core.ids import new_id
from app.core.scopes import ENGINE
from app.events.models import Event
from app.jobs.models import Job
from app.notifications.incident_models import Incident
from app.notifications.models import Cursor
from app.notifications.teller import Teller
from app.ops.heartbeats import ProcessFacts, beat, sign_off
from app.ops.watches.marks import read_marks
from app.ops.watches.waiting_runs import FEWEST_BEHIND
from app.ops.watches.watching import watch, watch_silence
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.queue_models import QueueSwitch
from app.runs.states import AttemptState
from app.schedules.models import Schedule
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.worker.stand_in import StandIn
from tests.database.telling_world import AlwaysCurrent
from tests.factories.outcomes import make_running, make_succeeded
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

WORKER = "worker-1:42"


class Watched:
    """One organization with a schedule, a worker that keeps time and takes runs, and what was told."""

    def __init__(self, database: OpenDatabase) -> None:
        self.database = database
        self.clock = ManualClock("2027-01-05 12:00")
        with database.transaction() as session:
            self.organization_id = make_organization(session)
            self.job = make_job(session, self.organization_id)
            self.schedule = make_schedule(session, self.job, name="Orders")
        self.process = ProcessFacts(new_id(), WORKER, "1.0", 5, True, "tower", 7)
        self.beat()

    def beat(self, process: ProcessFacts | None = None, **said: Any) -> None:
        now = self.clock.moment
        with self.database.transaction() as session:
            beat(session, process or self.process, now=now, ticked_at=now, tick_ms=2, **said)

    def wait(self, schedule: Schedule | None = None, job: Job | None = None) -> UUID:
        """A run that is ready now."""
        now = self.clock.moment
        with self.database.transaction() as session:
            ids = {} if job else {"schedule_id": (schedule or self.schedule).id, "slot_at": now}
            return make_run(session, job or self.job, now=now, **ids)

    def begin(self, run_id: UUID) -> None:
        now = self.clock.moment
        with self.database.transaction() as session:
            until = now + timedelta(minutes=1)
            assert ledger.start(session, run_id=run_id, worker=WORKER, lease_until=until, now=now) is not None

    def end(self, run_id: UUID) -> None:
        end = AttemptEnd(AttemptState.SUCCEEDED, None, None, {}, None)
        with self.database.transaction() as session:
            assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=self.clock.moment)

    def look(self, *, is_heard: bool = True, **later: float) -> list[str]:
        """What is told after some time."""
        return [event.kind for event in self.look_closely(is_heard=is_heard, **later)]

    def look_closely(self, *, is_heard: bool = True, **later: float) -> list[Event]:
        self.clock.advance(**later)
        if is_heard:
            self.beat()
        before = {event.id for event in self._events()}
        told = watch(self.database, self.clock)
        events = [event for event in self._events() if event.id not in before]
        assert told == len(events)
        return events

    def _events(self) -> list[Event]:
        with self.database.reading() as session:
            return list(session.scalars(select(Event).order_by(Event.id)))


@pytest.fixture
def watched(database: OpenDatabase) -> Watched:
    return Watched(database)


class TestLateRuns:
    def test_are_told_once_for_each_time_that_a_schedule_is_late(self, watched: Watched) -> None:
        first = watched.wait()

        assert watched.look(minutes=5) == []
        (told,) = watched.look_closely(seconds=1)
        assert (told.kind, told.subject_id, told.organization_id) == ("run.late", first, watched.organization_id)
        assert told.data["text"] == "It was due at 2027-01-05 12:00 UTC and has not started."
        assert told.data["schedule_id"] == str(watched.schedule.id)
        watched.wait()
        assert watched.look(minutes=6) == []

        with watched.database.transaction() as session:
            session.execute(update(Run).values(state="skipped", finished_at=watched.clock.moment))
        (over,) = watched.look_closely()
        assert (over.kind, over.subject_id) == ("schedule.in_time", watched.schedule.id)
        watched.wait()
        (again,) = watched.look_closely(minutes=6)
        assert again.kind == "run.late"

    def test_say_how_many_more_wait(self, watched: Watched) -> None:
        watched.wait()
        watched.clock.advance(minutes=1)
        watched.wait()
        watched.clock.advance(minutes=1)
        watched.wait()

        (told,) = watched.look_closely(minutes=6)

        assert told.data["text"].endswith("has not started. 2 more of its runs wait as well.")

    def test_are_none_in_a_queue_that_somebody_paused(self, watched: Watched) -> None:
        watched.wait()
        with watched.database.transaction() as session:
            session.add(QueueSwitch(name="code", paused_at=watched.clock.moment, paused_by="ann@example.com"))

        assert watched.look(minutes=30) == []

    def test_are_none_that_started_once_or_that_somebody_asked_for(self, watched: Watched) -> None:
        watched.wait(job=watched.job)
        tried = watched.wait()
        with watched.database.transaction() as session:
            session.get_one(Run, tried).attempt = 1

        assert watched.look(minutes=6) == []

    def test_are_told_by_one_of_several_that_look(self, watched: Watched) -> None:
        watched.wait()
        assert watched.look(minutes=6) == ["run.late"]

        with watched.database.reading(ENGINE) as session:
            assert sum(map(len, read_marks(session).values())) == 1
        assert watched.look() == []


class TestBacklogs:
    def test_are_told_and_told_to_be_over(self, watched: Watched) -> None:
        runs = [watched.wait(job=watched.job) for _ in range(FEWEST_BEHIND)]

        assert watched.look(minutes=10) == []
        (told,) = watched.look_closely(seconds=1)
        assert (told.kind, told.subject_id) == ("queue.backlog", watched.organization_id)
        assert told.data["queue"] == "code"
        assert told.data["waiting"] == FEWEST_BEHIND
        assert told.data["text"].startswith(
            "10 runs have been ready for 10 min or longer, the first of them for 10 min"
        )

        for run_id in runs[1:]:
            watched.begin(run_id)
        # One of them still waits.
        assert watched.look() == []
        watched.begin(runs[0])
        (over,) = watched.look_closely()
        assert (over.kind, over.data) == ("queue.relieved", {"queue": "code"})
        assert watched.look(minutes=1) == []

    def test_are_none_of_a_few_runs(self, watched: Watched) -> None:
        for _ in range(FEWEST_BEHIND - 1):
            watched.wait(job=watched.job)

        assert watched.look(minutes=30) == []


class TestLongRuns:
    def running(self, watched: Watched, *, good: int) -> UUID:
        """A run that begins now, of a job whose runs took three seconds so often before."""
        now = watched.clock.moment
        with watched.database.transaction() as session:
            job = make_job(session, watched.organization_id, name="Orders")
            for number in range(good):
                make_succeeded(session, job, now=now - timedelta(hours=1 + number))
            return make_running(session, job, now=now)

    def test_are_told_as_longer_and_then_as_stuck(self, watched: Watched) -> None:
        run_id = self.running(watched, good=3)

        assert watched.look(minutes=2) == []
        (told,) = watched.look_closely(seconds=1)
        assert (told.kind, told.subject_id) == ("run.longer", run_id)
        assert (told.data["usual_seconds"], told.data["seconds"]) == (3.0, 121.0)
        assert told.data["text"].startswith("It has run 2 min 1 s (typical 3.0 s).")
        assert watched.look(minutes=7) == []
        (stuck,) = watched.look_closely(minutes=1)
        assert (stuck.kind, stuck.subject_id) == ("run.stuck", run_id)
        assert watched.look(minutes=30) == []

    def test_are_none_where_nobody_knows_what_is_usual(self, watched: Watched) -> None:
        self.running(watched, good=2)

        assert watched.look(hours=5) == []

    def test_are_stuck_when_their_worker_is_silent(self, watched: Watched) -> None:
        self.running(watched, good=0)

        assert watched.look(is_heard=False, seconds=91) == ["run.stuck"]


class TestSilence:
    def test_is_told_of_workers_and_schedulers_until_they_are_heard(self, watched: Watched) -> None:
        assert watched.look(is_heard=False, minutes=3) == []
        told = watched.look_closely(is_heard=False, seconds=1)

        assert {event.kind for event in told} == {"system.silent"}
        assert {event.data["part"] for event in told} == {"scheduler", "workers"}
        assert {event.organization_id for event in told} == {SYSTEM_ORGANIZATION_ID}
        assert all("since 2027-01-05 12:00 UTC" in event.data["text"] for event in told)
        assert watched.look(is_heard=False, minutes=1) == []
        assert watched.look() == ["system.heard", "system.heard"]
        assert watched.look(minutes=1) == []

    def test_is_told_where_the_last_worker_signed_off(self, watched: Watched) -> None:
        keeper = ProcessFacts(new_id(), "time:1", "1.0", 0, True, "tower", 8)
        with watched.database.transaction() as session:
            sign_off(session, watched.process, now=watched.clock.moment)
        watched.clock.advance(minutes=4)
        watched.beat(keeper)

        (told,) = watched.look_closely(is_heard=False)

        assert told.data["part"] == "workers"

    def test_is_told_of_a_worker_that_starts_nothing(self, watched: Watched) -> None:
        watched.clock.advance(minutes=10)
        watched.beat(problem="The database was upgraded by a newer version.")

        (told,) = watched.look_closely(is_heard=False)

        assert told.data["part"] == "workers"

    def test_is_none_of_a_process_that_was_never_there(self, database: OpenDatabase) -> None:
        clock = ManualClock("2027-01-05 12:00")

        assert watch(database, clock) == 0

    def test_of_all_schedulers_is_told_by_workers(self, watched: Watched) -> None:
        worker = ProcessFacts(new_id(), "worker-2:1", "1.0", 5, False, "tower", 9)
        assert watch_silence(watched.database, watched.clock) is False
        watched.clock.advance(minutes=4)
        watched.beat(worker)

        assert watch_silence(watched.database, watched.clock) is True
        assert watch_silence(watched.database, watched.clock) is True

        with watched.database.reading() as session:
            (told,) = session.scalars(select(Event).where(Event.kind == "system.silent"))
        assert told.data["part"] == "scheduler"
        # It says so itself when it is back.
        assert watched.look() == ["system.heard"]

    def test_is_told_to_people_by_workers_as_long_as_it_lasts(self, watched: Watched) -> None:
        gate = AlwaysCurrent()
        stand_in = StandIn(watched.database, watched.clock, gate, Teller(watched.database, watched.clock, gate))
        with watched.database.transaction() as session:
            session.add(Cursor(name="events", last_id=0, holes=[], read_at=watched.clock.moment))
        assert stand_in.look() is False
        watched.clock.advance(minutes=4)
        watched.beat(ProcessFacts(new_id(), "worker-2:1", "1.0", 5, False, "tower", 9))

        assert stand_in.look() is True

        with watched.database.reading() as session:
            (incident,) = session.scalars(select(Incident))
            assert incident.organization_id == SYSTEM_ORGANIZATION_ID
            assert incident.title == "Nothing is heard of the scheduler"
