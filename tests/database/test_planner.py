"""The tick: every slot becomes one run or lies in one gap, whatever happened meanwhile."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.events.models import Event
from app.jobs.models import Job
from app.jobs.policies import Backoff, RetryPolicy, WhenLost
from app.runs import interventions, planner
from app.runs.facts import started_from
from app.runs.models import Run
from app.runs.service import edit_schedule
from app.runs.states import Trigger
from app.schedules.models import Gap, Schedule
from app.schedules.service import ScheduleDraft
from tests.factories.work import actor_in, make_job, make_organization, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
# What the database stores as an instant, and the driver cannot read as one.
STORED_NO_TIME = {"sqlite": "soon", "postgresql": "-infinity"}
NO_TIME = "no time"


def runs_of(session: Session, schedule: Schedule) -> list[Run]:
    session.expire_all()
    return list(session.scalars(select(Run).where(Run.schedule_id == schedule.id).order_by(Run.slot_at)))


def gaps_of(session: Session, schedule: Schedule) -> list[tuple[datetime, datetime, int, str]]:
    query = select(Gap).where(Gap.schedule_id == schedule.id).order_by(Gap.first_slot_at)
    return [(gap.first_slot_at, gap.last_slot_at, gap.slots, gap.reason) for gap in session.scalars(query)]


class TestTick:
    def test_makes_a_run_of_the_slot_and_moves_the_cursor(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)

        planner.tick(session, now=NOW + timedelta(milliseconds=3))

        (run,) = runs_of(session, schedule)
        assert (run.slot_at, run.trigger, run.state) == (NOW, "schedule", "ready")
        assert schedule.next_run_at == NOW + timedelta(minutes=5)

    def test_twice_at_once_makes_one_run(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)

        planner.tick(session, now=NOW)
        schedule.next_run_at = NOW
        session.flush()
        planner.tick(session, now=NOW)

        assert len(runs_of(session, schedule)) == 1

    def test_leaves_what_is_switched_off_or_deleted_alone(self, session: Session, job: Job) -> None:
        make_schedule(session, job, next_run_at=NOW, enabled=False)
        make_schedule(session, job, next_run_at=NOW, deleted_at=NOW)

        done = planner.tick(session, now=NOW)

        assert (done.schedules, session.scalar(select(func.count()).select_from(Run))) == (0, 0)

    def test_starts_nothing_that_the_code_no_longer_has(self, session: Session, job: Job) -> None:
        job.left_code_at = NOW - timedelta(hours=1)
        schedule = make_schedule(session, job, next_run_at=NOW)

        planner.tick(session, now=NOW)

        (run,) = runs_of(session, schedule)
        assert (run.state, run.reason, run.finished_at) == ("skipped", "left_code", NOW)
        assert str(run.error).startswith("Its job is no longer in the code, since 2027-01-05 11:00 UTC.")

    def test_freezes_the_definition_into_the_run(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)
        planner.tick(session, now=NOW)

        job.definition = {"ends": "failed"}
        session.flush()

        assert runs_of(session, schedule)[0].definition == {"ends": "succeeded"}

    def test_copies_what_the_job_says_about_its_tries_into_the_run(self, session: Session) -> None:
        retry = RetryPolicy(7, 11, Backoff.FIXED, WhenLost.FAIL)
        schedule = make_schedule(session, make_job(session, make_organization(session), retry=retry), next_run_at=NOW)

        planner.tick(session, now=NOW)

        (run,) = runs_of(session, schedule)
        assert started_from(run).retry == retry

    def test_sets_a_row_aside_that_cannot_be_read_and_goes_on(self, session: Session, job: Job) -> None:
        broken = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=1), cron="60 * * * *")
        whole = make_schedule(session, job, next_run_at=NOW)

        planner.tick(session, now=NOW)

        session.expire_all()
        assert "Minute 60 does not exist" in (broken.problem or "")
        assert len(runs_of(session, whole)) == 1

    @pytest.mark.parametrize(
        "broken",
        [
            {"missed": "bogus"},
            {"overlap": "bogus"},
            {"timezone": "Mars/Olympus"},
            {"next_run_at": utc("0001-01-01 00:00")},
            {"next_run_at": "2026-11-21 03:00:00"},
            {"next_run_at": "2026-11-20T03:00:00Z"},
            {"next_run_at": NO_TIME},
        ],
        ids=str,
    )
    def test_survives_a_row_whose_column_is_nonsense(
        self, session: Session, engine: str, job: Job, broken: dict[str, object]
    ) -> None:
        bad = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=1))
        whole = make_schedule(session, job, next_run_at=NOW)
        (column, value), *_ = broken.items()
        if value is NO_TIME:
            value = STORED_NO_TIME[engine]
        stored = value.isoformat(" ") if isinstance(value, datetime) else value
        session.flush()
        session.execute(
            text(f"UPDATE schedules SET {column} = :value WHERE id = :id"), {"value": stored, "id": bad.id.hex}
        )

        for _ in range(2):
            planner.tick(session, now=NOW)

        assert len(runs_of(session, whole)) == 1
        assert planner.tick(session, now=NOW).schedules == 0

    def test_keeps_the_cursor_of_what_it_sets_aside_so_that_its_slots_are_accounted_for(
        self, session: Session, job: Job
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, cron="60 * * * *")
        planner.tick(session, now=NOW)
        actor = actor_in(job.organization_id)
        draft = ScheduleDraft("Mended", job.id, "*/5 * * * *", "UTC", "k")

        later = NOW + timedelta(minutes=12)
        edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft, version=1, now=later)

        session.expire_all()
        assert gaps_of(session, schedule) == [(NOW, NOW + timedelta(minutes=10), 3, "unreadable")]
        assert (schedule.problem, schedule.next_run_at) == (None, NOW + timedelta(minutes=15))


class TestOverlap:
    def test_skips_the_slot_while_the_previous_run_goes_on_and_says_so(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)
        planner.tick(session, now=NOW)

        planner.tick(session, now=NOW + timedelta(minutes=5))

        first, second = runs_of(session, schedule)
        assert (second.state, second.reason) == ("skipped", "overlap")
        assert str(first.id) in (second.error or "")

    def test_runs_both_where_that_was_chosen(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="allow")
        planner.tick(session, now=NOW)

        planner.tick(session, now=NOW + timedelta(minutes=5))

        assert [run.state for run in runs_of(session, schedule)] == ["ready", "ready"]


class TestDowntime:
    def test_tells_of_what_was_missed(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)

        planner.tick(session, now=NOW + timedelta(minutes=60, seconds=10))

        (told,) = session.scalars(select(Event).where(Event.kind == "schedule.missed"))
        assert (told.organization_id, told.topic, told.subject_id) == (job.organization_id, "schedules", schedule.id)
        assert told.data == {
            "slots": 12,
            "first_slot_at": NOW.isoformat(),
            "last_slot_at": (NOW + timedelta(minutes=55)).isoformat(),
            "reason": "scheduler_down",
            "text": "No scheduler was running.",
        }

    def test_runs_once_for_the_latest_slot_and_records_the_others(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)

        planner.tick(session, now=NOW + timedelta(minutes=63))

        (run,) = runs_of(session, schedule)
        assert (run.slot_at, run.trigger) == (NOW + timedelta(minutes=60), Trigger.CATCH_UP.value)
        assert gaps_of(session, schedule) == [(NOW, NOW + timedelta(minutes=55), 12, "scheduler_down")]

    def test_runs_none_of_them_where_that_was_chosen(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="skip")

        planner.tick(session, now=NOW + timedelta(minutes=63))

        assert runs_of(session, schedule) == []
        assert gaps_of(session, schedule) == [(NOW, NOW + timedelta(minutes=60), 13, "scheduler_down")]

    def test_lets_a_slot_go_that_is_older_than_the_maximum_age(self, session: Session, job: Job) -> None:
        schedule = make_schedule(
            session, job, cron="0 0 * * *", next_run_at=utc("2027-01-05 00:00"), missed_max_age_seconds=3600
        )

        planner.tick(session, now=NOW)

        assert runs_of(session, schedule) == []
        assert gaps_of(session, schedule)[0][2] == 1

    def test_runs_a_slot_that_is_only_late_as_if_nothing_had_happened(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="skip")

        planner.tick(session, now=NOW + timedelta(seconds=45))

        assert [run.trigger for run in runs_of(session, schedule)] == ["schedule"]
        assert gaps_of(session, schedule) == []

    def test_accounts_for_every_slot_of_a_year(self, session: Session, job: Job) -> None:
        schedule = make_schedule(
            session, job, cron="* * * * *", next_run_at=utc("2026-01-05 12:00"), created_at=utc("2026-01-01 00:00")
        )

        planner.tick(session, now=NOW)

        slots = 365 * 24 * 60 + 1
        assert gaps_of(session, schedule)[0][2] + len(runs_of(session, schedule)) == slots


class TestASkippedRun:
    def test_stays_in_the_books_with_its_end(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)
        planner.tick(session, now=NOW)
        planner.tick(session, now=NOW + timedelta(minutes=5))

        skipped = runs_of(session, schedule)[1]

        assert skipped.finished_at == NOW + timedelta(minutes=5)
        assert interventions.cancel(
            session, run_id=skipped.id, organization_id=job.organization_id, reason=planner.Reason.REMOVED,
            explanation="", now=NOW,
        ) is False  # fmt: skip
