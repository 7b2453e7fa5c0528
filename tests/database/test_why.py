"""Why a schedule did not run and why a run waits: each cause is put there, and has to be named with its facts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.scopes import Scope
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops.models import Heartbeat
from app.ops.why.answers import why_run, why_schedule
from app.ops.why.reasons import Why, WhyCode, in_utc
from app.runs.models import Run
from app.runs.queries import RunNotFound
from app.runs.queue_models import ConnectionLimit, Queue, QueueSwitch
from app.runs.states import Reason, RunState
from app.schedules.models import ClockStepSeen, Gap, Schedule, SchedulingStop
from app.schedules.queries import ScheduleNotFound
from app.tenants.models import Organization
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
MADE = utc("2027-01-01")
SOON = NOW + timedelta(minutes=3)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def report(session: Session, name: str = "tower:7", **columns: Any) -> None:
    """A process that was heard of just now."""
    beat_at = columns.get("beat_at", NOW)
    usual = {"version": "1.0", "slots": 5, "schedules": True, "started_at": MADE, "ticked_at": beat_at, "tick_ms": 2}
    session.add(Heartbeat(process_id=new_id(), name=name, **({"beat_at": NOW} | usual | columns)))
    session.flush()


def change(session: Session, run_id: UUID, **columns: Any) -> None:
    session.execute(update(Run).where(Run.id == run_id).values(**columns))


def set_queue(session: Session, name: str = "code", **columns: Any) -> None:
    session.execute(update(Queue).where(Queue.name == name).values(**columns))


def of_run(session: Session, job: Job, run_id: UUID) -> Why:
    return why_run(session, organization_id=job.organization_id, run_id=run_id, telling=in_utc(NOW))


def of_schedule(session: Session, schedule: Schedule) -> Why:
    session.flush()
    return why_schedule(session, organization_id=schedule.organization_id, schedule_id=schedule.id, telling=in_utc(NOW))


def also(why: Why) -> list[WhyCode]:
    return [one.code for one in why.also]


@pytest.fixture
def schedule(session: Session, job: Job) -> Schedule:
    return make_schedule(session, job, next_run_at=SOON, created_at=MADE)


@pytest.fixture
def crew(session: Session) -> None:
    """A worker with five slots that keeps time as well."""
    report(session)


@pytest.mark.usefixtures("crew")
class TestASchedule:
    def test_is_not_due_while_nothing_is_wrong(self, session: Session, schedule: Schedule) -> None:
        why = of_schedule(session, schedule)

        assert (why.code, why.holds, why.until) == (WhyCode.NOT_DUE, False, SOON)
        assert why.words == "It is next due at 2027-01-05 12:03:00 UTC."

    def test_says_who_switched_it_off_and_when(self, session: Session, schedule: Schedule) -> None:
        schedule.enabled, schedule.switched_at, schedule.switched_by = False, ago(days=3), "ana@example.com"

        why = of_schedule(session, schedule)

        assert (why.code, why.by, why.since) == (WhyCode.PAUSED, "ana@example.com", ago(days=3))
        assert why.words.startswith("It is off: ana@example.com switched it off at 2027-01-02 12:00:00 UTC.")
        assert why.also == ()

    @pytest.mark.parametrize(
        ("code_id", "opening"),
        [(None, "It was made switched off, at"), ("nightly", "It was loaded from code switched off, at")],
    )
    def test_says_that_nobody_switched_it_on(
        self, session: Session, schedule: Schedule, code_id: str | None, opening: str
    ) -> None:
        schedule.enabled, schedule.code_id = False, code_id

        why = of_schedule(session, schedule)

        assert (why.code, why.by, why.since) == (WhyCode.PAUSED, None, MADE)
        assert why.words.startswith(opening)

    def test_says_who_made_it_so(self, session: Session, schedule: Schedule) -> None:
        schedule.enabled, schedule.switched_at, schedule.switched_by = False, MADE, "ana@example.com"

        assert of_schedule(session, schedule).words.startswith("It is off: ana@example.com made it so at")

    def test_does_not_say_what_nobody_recorded(self, session: Session, schedule: Schedule) -> None:
        schedule.enabled, schedule.version = False, 3

        why = of_schedule(session, schedule)

        assert (why.code, why.by, why.since) == (WhyCode.PAUSED, None, None)
        assert why.words.startswith("It is off. Who switched it off, if anybody did, is not recorded.")

    def test_says_that_it_left_the_code(self, session: Session, schedule: Schedule) -> None:
        schedule.enabled, schedule.code_id, schedule.left_code_at = False, "nightly", ago(hours=1)

        why = of_schedule(session, schedule)

        assert (why.code, why.since) == (WhyCode.LEFT_CODE, ago(hours=1))

    def test_says_who_stopped_scheduling_since_when_and_why(self, session: Session, schedule: Schedule) -> None:
        stop = {"stopped_at": ago(hours=2), "stopped_by": "root@example.com", "reason": "Moving house", "is_open": True}
        session.add(SchedulingStop(id=new_id(), **stop))

        why = of_schedule(session, schedule)

        assert (why.code, why.by, why.since) == (WhyCode.SCHEDULING_STOPPED, "root@example.com", ago(hours=2))
        assert "“Moving house”" in why.words

    def test_is_not_held_by_a_stop_that_is_over(self, session: Session, schedule: Schedule) -> None:
        over = {"started_at": ago(hours=1), "started_by": "root", "is_open": None}
        session.add(SchedulingStop(id=new_id(), stopped_at=ago(hours=2), stopped_by="root", reason="Moving", **over))

        assert of_schedule(session, schedule).code is WhyCode.NOT_DUE

    def test_says_that_the_clock_was_set(self, session: Session, schedule: Schedule) -> None:
        session.add(ClockStepSeen(seconds=3_600, seen_at=ago(seconds=10), held_until=NOW + timedelta(seconds=50)))

        why = of_schedule(session, schedule)

        assert (why.code, why.until) == (WhyCode.CLOCK_SET, NOW + timedelta(seconds=50))

    def test_says_why_it_was_set_aside(self, session: Session, schedule: Schedule) -> None:
        schedule.problem, schedule.next_run_at = "There is no time zone “Mars”.", None

        why = of_schedule(session, schedule)

        assert why.code is WhyCode.SET_ASIDE
        assert "There is no time zone “Mars”." in why.words

    def test_says_what_to_connect(self, session: Session, job: Job) -> None:
        sync = make_job(session, job.organization_id, name="Ads", kind=KindName.SYNC)
        sync.service = "meta"

        why = of_schedule(session, make_schedule(session, sync, next_run_at=SOON))

        assert (why.code, also(why)) == (WhyCode.NEEDS_CONNECTION, [WhyCode.NOT_DUE])
        assert why.words.startswith("This sync needs a connection to Meta")

    def test_says_that_its_job_left_the_code(self, session: Session, job: Job) -> None:
        job.left_code_at = ago(hours=1)

        why = of_schedule(session, make_schedule(session, job, next_run_at=SOON))

        assert (why.code, why.since) == (WhyCode.LEFT_CODE, ago(hours=1))
        assert why.words.startswith("Its job is no longer in the code since")

    @pytest.mark.parametrize(("cron", "code"), [("@manually", WhyCode.ON_REQUEST), ("0 0 1 1 *", WhyCode.NEVER)])
    def test_tells_one_without_times_from_one_whose_times_are_over(
        self, session: Session, job: Job, cron: str, code: WhyCode
    ) -> None:
        schedule = make_schedule(session, job, cron=cron, next_run_at=None)

        assert of_schedule(session, schedule).code is code

    def test_names_the_gap_that_its_last_slots_lie_in(self, session: Session, schedule: Schedule) -> None:
        slots = {"first_slot_at": ago(hours=3), "last_slot_at": ago(hours=1), "slots": 25}
        owner = {"organization_id": schedule.organization_id, "schedule_id": schedule.id}
        session.add(Gap(**slots, **owner, reason="scheduler_down", at=ago(minutes=5)))

        why = of_schedule(session, schedule)

        assert (why.code, why.since, why.until) == (WhyCode.GAP, ago(hours=3), ago(hours=1))
        assert "its 25 slots from" in why.words
        assert why.words.endswith("no scheduler was running.")

    def test_says_that_its_last_slot_ran(self, session: Session, job: Job, schedule: Schedule) -> None:
        make_succeeded(session, job, now=ago(minutes=5), schedule_id=schedule.id, slot_at=ago(minutes=5))

        why = of_schedule(session, schedule)

        assert (why.code, also(why)) == (WhyCode.NOT_DUE, [WhyCode.RAN])

    def test_says_why_its_last_slot_failed(self, session: Session, job: Job, schedule: Schedule) -> None:
        mistake = "“fetch” cannot run: there is a mistake in it. jobs.py:2: tries=0 is not possible."
        make_failed(session, job, now=ago(minutes=5), schedule_id=schedule.id, slot_at=ago(minutes=5), error=mistake)

        (ran,) = of_schedule(session, schedule).also

        assert ran.code is WhyCode.RAN
        assert ran.words.endswith(f"ran: failed. {mistake}")

    def test_names_the_run_that_its_last_slot_was_skipped_for(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        going = make_running(session, job, now=ago(minutes=30), schedule_id=schedule.id, slot_at=ago(minutes=30))
        left_out = make_run(session, job, now=ago(minutes=5), schedule_id=schedule.id, slot_at=ago(minutes=5))
        skipped = {"state": "skipped", "reason": "overlap", "finished_at": ago(minutes=5)}
        change(session, left_out, **skipped, error="The previous run was still going.")

        why = of_schedule(session, schedule)

        assert (why.code, why.run_id, why.since) == (WhyCode.PREVIOUS_RUN, going, ago(minutes=30))
        assert why.words.endswith("That run is still going, for 30 min now.")
        assert also(why) == [WhyCode.RUNNING, WhyCode.NOT_DUE]

    def test_names_what_holds_its_run_that_waits(self, session: Session, job: Job, schedule: Schedule) -> None:
        run_id = make_run(session, job, now=ago(minutes=5), schedule_id=schedule.id, slot_at=ago(minutes=5))
        session.add(QueueSwitch(name="code", paused_at=ago(hours=1), paused_by="root@example.com"))

        why = of_schedule(session, schedule)

        assert (why.code, why.by, why.waiting_run_id) == (WhyCode.QUEUE_PAUSED, "root@example.com", run_id)
        assert why.words.startswith("Its run that was due at 2027-01-05 11:55:00 UTC waits. Its queue “code” is paused")

    def test_lists_every_cause_the_first_one_first(self, session: Session, schedule: Schedule) -> None:
        schedule.enabled = False
        session.add(SchedulingStop(id=new_id(), stopped_at=NOW, stopped_by="root", reason="Moving", is_open=True))

        why = of_schedule(session, schedule)

        assert (why.code, also(why)) == (WhyCode.PAUSED, [WhyCode.SCHEDULING_STOPPED])

    def test_is_told_to_its_organization_alone(self, session: Session, schedule: Schedule) -> None:
        stranger = make_organization(session, "Stranger")

        with pytest.raises(ScheduleNotFound):
            why_schedule(session, organization_id=stranger, schedule_id=schedule.id, telling=in_utc(NOW))


class TestAScheduleWithoutAScheduler:
    def test_says_since_when_it_is_silent(self, session: Session, schedule: Schedule) -> None:
        report(session, beat_at=ago(minutes=10))
        report(session, "worker:8", schedules=False)

        why = of_schedule(session, schedule)

        assert (why.code, why.since, why.also) == (WhyCode.SCHEDULER_SILENT, ago(minutes=10), ())
        assert why.words.startswith("No scheduler has kept time since 2027-01-05 11:50:00 UTC.")

    def test_says_since_when_it_reports_and_ticks_no_more(self, session: Session, schedule: Schedule) -> None:
        report(session, ticked_at=ago(minutes=20))

        why = of_schedule(session, schedule)

        assert (why.code, why.since) == (WhyCode.SCHEDULER_SILENT, ago(minutes=20))

    def test_says_since_when_the_last_one_signed_off(self, session: Session, schedule: Schedule) -> None:
        report(session, beat_at=ago(seconds=5), is_stopping=True, pid=0)
        report(session, "killed:9", beat_at=ago(hours=1), pid=9)

        why = of_schedule(session, schedule)

        assert (why.code, why.since) == (WhyCode.SCHEDULER_SILENT, ago(seconds=5))
        assert why.words.startswith("No scheduler is running since 2027-01-05 11:59:55 UTC.")

    def test_says_that_there_is_none(self, session: Session, schedule: Schedule) -> None:
        why = of_schedule(session, schedule)

        assert (why.code, why.since) == (WhyCode.SCHEDULER_SILENT, None)
        assert why.words.startswith("No scheduler is running.")


@pytest.mark.usefixtures("crew")
class TestARunInLine:
    def test_is_held_by_nothing_while_nothing_is_wrong(self, session: Session, job: Job) -> None:
        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.holds, why.position, why.before) == (WhyCode.STARTING, False, 1, 0)

    def test_says_who_paused_its_queue_since_when(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        session.add(QueueSwitch(name="code", paused_at=ago(hours=1), paused_by="root@example.com"))
        session.flush()

        why = of_run(session, job, run_id)

        assert (why.code, why.by, why.since) == (WhyCode.QUEUE_PAUSED, "root@example.com", ago(hours=1))
        assert "resumes the queue on the Queue page" in why.words

    def test_names_the_limit_of_its_queue_with_its_place(self, session: Session, job: Job) -> None:
        other = make_job(session, make_organization(session, "Other"))
        set_queue(session, concurrency=2)
        make_running(session, other, now=NOW)
        change(session, make_run(session, other, now=NOW), hinted_at=NOW)
        ids = [make_run(session, job, now=ago(minutes=5 - number)) for number in range(3)]

        why = of_run(session, job, ids[2])

        assert (why.code, why.limit, why.taken) == (WhyCode.QUEUE_LIMIT, 2, 2)
        assert (why.position, why.before) == (3, 2)
        assert "At most 2 runs of the queue “code” may go on at once, and 2 do." in why.words

    def test_tells_nothing_of_others_but_numbers(self, session: Session, job: Job) -> None:
        other = make_job(session, make_organization(session, "Rivals"), name="Secret plan")
        set_queue(session, concurrency=1)
        theirs = [make_running(session, other, now=NOW), *(make_run(session, other, now=ago(hours=1)) for _ in "ab")]
        run_ids = [make_run(session, job, now=NOW) for _ in range(3)]

        why = of_run(session, job, run_ids[2])

        # One of theirs is going on, so of the two that wait one goes before the third of ours.
        assert (why.position, why.before) == (3, 3)
        assert not any(word in repr(why) for word in ("Rivals", "Secret", *map(str, theirs)))

    def test_names_the_rate_of_its_queue(self, session: Session, job: Job) -> None:
        set_queue(session, rate_starts=10, rate_seconds=60, tokens=0.2, tokens_at=ago(seconds=3))

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.limit, why.position) == (WhyCode.QUEUE_RATE, 10, 1)
        assert "At most 10 runs of the queue “code” may start in 60 seconds." in why.words

    def test_is_not_held_by_a_rate_that_has_room_again(self, session: Session, job: Job) -> None:
        set_queue(session, rate_starts=10, rate_seconds=60, tokens=0.2, tokens_at=ago(seconds=6))

        assert of_run(session, job, make_run(session, job, now=NOW)).code is WhyCode.STARTING

    def test_names_the_limit_of_its_job(self, session: Session, job: Job) -> None:
        job.concurrency = 1
        make_running(session, job, now=NOW)

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.limit, why.taken) == (WhyCode.JOB_LIMIT, 1, 1)
        assert "At most 1 run of its job may go on at once, and 1 does." in why.words

    def test_counts_of_the_runs_that_stand_aside_only_those_of_its_own_job(self, session: Session, job: Job) -> None:
        other = make_job(session, job.organization_id, name="Other")
        for each in (job, job, other):
            change(session, make_run(session, each, now=ago(minutes=5)), aside_at=ago(minutes=4))
        job.concurrency = 1
        make_running(session, job, now=NOW)
        third = make_job(session, job.organization_id, name="Third")
        ids = [make_run(session, one, now=at) for one, at in ((job, ago(seconds=1)), (third, NOW))]
        change(session, ids[0], aside_at=NOW)

        at_the_limit, free = (of_run(session, job, run_id) for run_id in ids)

        assert (at_the_limit.code, at_the_limit.position, at_the_limit.before) == (WhyCode.JOB_LIMIT, 3, 2)
        assert (free.code, free.position, free.before) == (WhyCode.STARTING, 1, 0)

    def test_names_the_limit_of_its_connection(self, session: Session, job: Job) -> None:
        session.add(ConnectionLimit(organization_id=job.organization_id, connection_key="meta:7", concurrency=1))
        change(session, make_running(session, job, now=NOW), connection_key="meta:7")
        run_id = make_run(session, job, now=NOW)
        change(session, run_id, connection_key="meta:7")

        why = of_run(session, job, run_id)

        assert (why.code, why.limit, why.taken) == (WhyCode.CONNECTION_LIMIT, 1, 1)

    def test_is_not_held_by_the_same_key_of_another_organization(self, session: Session, job: Job) -> None:
        other = make_job(session, make_organization(session, "Other"))
        session.add(ConnectionLimit(organization_id=job.organization_id, connection_key="meta:7", concurrency=1))
        change(session, make_running(session, other, now=NOW), connection_key="meta:7")
        run_id = make_run(session, job, now=NOW)
        change(session, run_id, connection_key="meta:7")

        assert of_run(session, job, run_id).code is WhyCode.STARTING

    def test_names_the_limit_of_its_organization(self, session: Session, job: Job) -> None:
        session.get_one(Organization, job.organization_id).concurrency = 2
        for name in ("One", "Two"):
            make_running(session, make_job(session, job.organization_id, name=name, kind=KindName.WORKFLOW), now=NOW)

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.limit, why.taken) == (WhyCode.ORGANIZATION_LIMIT, 2, 2)

    def test_says_until_when_its_account_takes_no_calls(self, session: Session, job: Job) -> None:
        limited = {"limited_until": SOON, "explanation": "Too many calls."}
        session.add(ConnectionLimit(organization_id=job.organization_id, connection_key="meta:7", **limited))
        run_id = make_run(session, job, now=NOW)
        change(session, run_id, connection_key="meta:7")

        why = of_run(session, job, run_id)

        assert (why.code, why.until) == (WhyCode.CONNECTION_RATE_LIMITED, SOON)
        assert why.words.endswith("It says: Too many calls.")

    def test_says_that_all_slots_are_taken(self, session: Session, job: Job) -> None:
        for _ in range(5):
            change(session, make_running(session, job, now=NOW), worker="tower:7")

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.limit, why.taken, why.position) == (WhyCode.WORKERS_BUSY, 5, 5, 1)

    def test_is_beyond_limits_once_a_worker_was_called_for_it(self, session: Session, job: Job) -> None:
        set_queue(session, concurrency=1)
        run_id = make_run(session, job, now=NOW)
        change(session, run_id, hinted_at=NOW)

        why = of_run(session, job, run_id)

        assert (why.code, why.position) == (WhyCode.STARTING, None)

    def test_lists_every_cause_the_first_one_first(self, session: Session, job: Job) -> None:
        set_queue(session, concurrency=1)
        job.concurrency = 1
        make_running(session, job, now=NOW)
        session.add(QueueSwitch(name="code", paused_at=NOW, paused_by="root"))

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert why.code is WhyCode.QUEUE_PAUSED
        assert also(why) == [WhyCode.JOB_LIMIT, WhyCode.QUEUE_LIMIT]

    def test_is_told_to_its_organization_alone(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        stranger = make_organization(session, "Stranger")

        with pytest.raises(RunNotFound):
            why_run(session, organization_id=stranger, run_id=run_id, telling=in_utc(NOW))


class TestARunWithoutAWorker:
    def test_says_since_when_none_serves_its_queue(self, session: Session, job: Job) -> None:
        report(session, "gone:1", beat_at=ago(minutes=10), queues="code,sync")
        report(session, "other:2", queues="sync")

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.since, why.also) == (WhyCode.NO_WORKER, ago(minutes=10), ())
        assert why.words.endswith("Start one: belfry worker --queues code")

    def test_says_until_when_one_that_signed_off_did(self, session: Session, job: Job) -> None:
        report(session, "ended:1", beat_at=ago(seconds=5), queues="code", is_stopping=True, pid=0)

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.since) == (WhyCode.NO_WORKER, ago(seconds=5))
        assert why.words.startswith("No worker serves its queue “code” since 2027-01-05 11:59:55 UTC.")

    def test_says_that_none_ever_did(self, session: Session, job: Job) -> None:
        report(session, "other:2", queues="sync")
        report(session, "clock:3", slots=0)

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert (why.code, why.since) == (WhyCode.NO_WORKER, None)

    def test_says_what_is_wrong_with_those_there_are(self, session: Session, job: Job) -> None:
        report(session, problem="The database was upgraded by a newer version.")

        why = of_run(session, job, make_run(session, job, now=NOW))

        assert why.code is WhyCode.WORKER_PROBLEM
        assert why.words.endswith("tower:7: The database was upgraded by a newer version.")


@pytest.mark.usefixtures("crew")
class TestARunThatWaitsForSomething:
    def test_names_the_previous_run_and_for_how_long_it_goes_on(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        going = make_running(session, job, now=ago(minutes=12), schedule_id=schedule.id, slot_at=ago(minutes=12))
        run_id = make_run(session, job, now=ago(minutes=5), schedule_id=schedule.id, slot_at=ago(minutes=5))
        change(session, run_id, state="waiting", reason="overlap")

        why = of_run(session, job, run_id)
        whole = of_schedule(session, schedule)

        assert (why.code, why.run_id, why.since) == (WhyCode.PREVIOUS_RUN, going, ago(minutes=12))
        assert why.words.startswith(f"The previous run ({going}) is still going, for 12 min now.")
        assert (whole.code, whole.run_id, whole.waiting_run_id) == (WhyCode.PREVIOUS_RUN, going, run_id)

    def test_counts_the_runs_that_it_started(self, session: Session, job: Job) -> None:
        parent = make_running(session, job, now=ago(minutes=12))
        change(session, parent, state="waiting", reason="children")
        make_succeeded(session, job, now=ago(minutes=10), parent_run_id=parent)
        make_run(session, job, now=NOW, parent_run_id=parent)

        why = of_run(session, job, parent)

        assert why.code is WhyCode.CHILDREN
        assert why.words.startswith("1 of 2 runs that it started have not ended yet.")

    def test_says_when_its_next_try_is_and_what_the_last_one_met(self, session: Session, job: Job) -> None:
        run_id = make_waiting_retry(session, job, now=ago(minutes=2), ready_at=SOON)
        change(session, run_id, error="The shop did not answer.")

        why = of_run(session, job, run_id)

        assert (why.code, why.until) == (WhyCode.NEXT_TRY, SOON)
        assert why.words.startswith("Its last try failed: The shop did not answer.")

    def test_says_that_its_wait_is_over(self, session: Session, job: Job) -> None:
        run_id = make_waiting_retry(session, job, now=ago(minutes=2), ready_at=ago(seconds=1))

        assert of_run(session, job, run_id).code is WhyCode.STARTING


class TestARunThatIsOver:
    @pytest.mark.parametrize(
        ("state", "reason", "code"),
        [
            (RunState.SKIPPED, Reason.OVERLAP, WhyCode.PREVIOUS_RUN),
            (RunState.SKIPPED, Reason.NEEDS_CONNECTION, WhyCode.NEEDS_CONNECTION),
            (RunState.CANCELLED, Reason.REPLACED, WhyCode.CANCELLED),
            (RunState.MISSED, None, WhyCode.MISSED),
            (RunState.FAILED, Reason.ERROR, WhyCode.RAN),
        ],
    )
    def test_says_what_became_of_it(
        self, session: Session, job: Job, state: RunState, reason: Reason | None, code: WhyCode
    ) -> None:
        run_id = make_run(session, job, now=NOW)
        change(session, run_id, state=state.value, reason=reason and reason.value, error="Because.", finished_at=NOW)

        assert of_run(session, job, run_id).code is code


class TestTheRoleOfATenant:
    @pytest.mark.parametrize("ask", [why_run, why_schedule], ids=["run", "schedule"])
    def test_suffices_and_is_taken_on_again(self, database: OpenDatabase, ask: Callable[..., Why]) -> None:
        with database.transaction() as session:
            report(session)
            job = make_job(session, make_organization(session))
            other = make_job(session, make_organization(session, "Other"))
            set_queue(session, concurrency=1)
            make_running(session, other, now=NOW)
            schedule = make_schedule(session, job, next_run_at=SOON)
            run_id = make_run(session, job, now=NOW, schedule_id=schedule.id)
            subject = {"run_id": run_id} if ask is why_run else {"schedule_id": schedule.id}

        with database.reading(Scope.tenant(job.organization_id)) as session:
            why = ask(session, organization_id=job.organization_id, telling=in_utc(NOW), **subject)
            own = ask(session, organization_id=job.organization_id, telling=in_utc(NOW), **subject)

        assert (why.code, why.taken) == (WhyCode.QUEUE_LIMIT, 1)
        assert own == why

    def test_reads_with_three_statements(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            job = make_job(session, make_organization(session))
            schedule = make_schedule(session, job, next_run_at=SOON)
            make_run(session, job, now=NOW, schedule_id=schedule.id)
        statements: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
            statements.append(statement)

        event.listen(database.read, "before_cursor_execute", note)
        with database.reading(Scope.tenant(job.organization_id)) as session:
            of_schedule(session, schedule)
        event.remove(database.read, "before_cursor_execute", note)

        # Roles are taken on in passing.
        assert len([one for one in statements if " FROM " in one.replace("\n", " ")]) == 3
