"""A next time that cannot be right is worked out again from the books: nothing is lost, nothing runs twice."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.scopes import ENGINE, rescope
from app.events.service import list_repairs
from app.jobs.models import Job
from app.runs import cursors, planner
from app.runs.cursors import Rounds
from app.runs.models import Run
from app.runs.service import edit_schedule, switch_schedule
from app.schedules.drafts import draft_of
from app.schedules.models import Gap, Schedule, SchedulingStop
from app.schedules.queries import NO_TIME_TO_READ, get_schedule, list_schedules
from tests.factories.work import actor_in, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
NO_TIME = {"sqlite": "soon", "postgresql": "infinity"}


def planned_until(session: Session, job: Job, at: datetime = NOW) -> Schedule:
    """A schedule of every five minutes whose slots up to then are in the books."""
    schedule = make_schedule(session, job, next_run_at=at, overlap="allow")
    planner.tick(session, now=at)
    session.expire_all()
    return schedule


def store(session: Session, schedule: Schedule, next_run_at: str | None) -> None:
    session.execute(
        text("UPDATE schedules SET next_run_at = :value WHERE id = :id"),
        {"value": next_run_at, "id": schedule.id.hex},
    )


def mend(session: Session, *, now: datetime) -> list[str]:
    rescope(session, ENGINE)
    wrong = Rounds().look(session, now=now)
    planner.mend(session, wrong, now=now)
    session.expire_all()
    return [found.problem for found in wrong]


def slots_of(session: Session, schedule: Schedule) -> list[datetime]:
    query = select(Run.slot_at).where(Run.schedule_id == schedule.id).order_by(Run.slot_at)
    return [slot for slot in session.scalars(query) if slot is not None]


class TestANextTime:
    def test_that_is_right_is_left_alone(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)

        assert mend(session, now=NOW + timedelta(minutes=2)) == []
        assert schedule.next_run_at == NOW + timedelta(minutes=5)

    def test_that_is_missing_goes_on_after_the_last_slot_in_the_books(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, None)

        found = mend(session, now=NOW + timedelta(minutes=12))

        assert found == [cursors.MISSING]
        assert schedule.next_run_at == NOW + timedelta(minutes=5)

    def test_that_lies_too_far_ahead_is_moved_back(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, "9998-01-01 00:00:00.000000")

        found = mend(session, now=NOW + timedelta(minutes=2))

        assert found == [cursors.IMPOSSIBLE]
        assert schedule.next_run_at == NOW + timedelta(minutes=5)

    def test_that_cannot_be_read_spoils_no_other(self, session: Session, engine: str, job: Job) -> None:
        schedule, other = planned_until(session, job), planned_until(session, job, NOW + timedelta(minutes=5))
        store(session, schedule, NO_TIME[engine])
        store(session, other, None)

        found = mend(session, now=NOW + timedelta(minutes=7))

        assert sorted(found) == [cursors.IMPOSSIBLE, cursors.MISSING]
        assert {schedule.next_run_at, other.next_run_at} == {NOW + timedelta(minutes=10)}

    def test_that_is_half_a_time_is_mended_alone(self, session: Session, engine: str, job: Job) -> None:
        if engine != "sqlite":
            pytest.skip("only SQLite keeps such a text")
        schedule = planned_until(session, job)
        store(session, schedule, "2027-01-06 soon")

        found = mend(session, now=NOW + timedelta(minutes=7))

        assert (found, schedule.next_run_at) == ([cursors.UNREADABLE], NOW + timedelta(minutes=5))

    def test_that_is_out_of_reach_does_not_wait_for_its_turn(
        self, session: Session, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for minutes in range(0, 20, 5):
            last = planned_until(session, job, NOW + timedelta(minutes=minutes))
        monkeypatch.setattr(cursors, "LOOK", 2)
        store(session, last, "9998-01-01 00:00:00.000000")

        found = mend(session, now=NOW + timedelta(minutes=17))

        assert (found, last.next_run_at) == ([cursors.IMPOSSIBLE], NOW + timedelta(minutes=20))

    def test_that_cannot_be_read_is_mended_while_scheduling_is_stopped(
        self, session: Session, engine: str, job: Job
    ) -> None:
        schedule = planned_until(session, job)
        session.add(SchedulingStop(stopped_at=NOW, stopped_by="Ana", reason="Moving", is_open=True))
        store(session, schedule, {"sqlite": "0000-00-00 00:00:00.000000", "postgresql": "-infinity"}[engine])

        planner.tick(session, now=NOW + timedelta(minutes=12))

        session.expire_all()
        assert schedule.next_run_at == NOW + timedelta(minutes=5)
        assert slots_of(session, schedule) == [NOW]

    def test_that_lies_before_what_the_books_hold_makes_no_gap_of_it(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="allow")
        for minutes in range(0, 65, 5):
            planner.tick(session, now=NOW + timedelta(minutes=minutes))
        store(session, schedule, "2027-01-05 12:10:00.000000")

        for _ in range(2):
            planner.tick(session, now=NOW + timedelta(minutes=62))

        session.expire_all()
        assert (len(slots_of(session, schedule)), session.scalars(select(Gap)).all()) == (13, [])
        assert schedule.next_run_at == NOW + timedelta(minutes=65)

    @pytest.mark.parametrize("stored", [None, "1970-01-01 00:00:00.000000"])
    def test_is_worked_out_before_a_person_switches_the_schedule_off(
        self, session: Session, job: Job, stored: str | None
    ) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, stored)
        later = NOW + timedelta(minutes=12)

        switch_schedule(
            session, actor=actor_in(job.organization_id), schedule_id=schedule.id, enabled=False, now=later
        )  # fmt: skip

        assert slots_of(session, schedule) == [NOW, NOW + timedelta(minutes=10)]
        assert session.scalars(select(Gap.slots)).all() == [1]
        assert schedule.next_run_at == NOW + timedelta(minutes=15)

    def test_that_is_before_the_schedule_was_made_is_mended_by_the_tick(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, "1970-01-01 00:00:00.000000")

        for _ in range(2):
            planner.tick(session, now=NOW + timedelta(minutes=12))

        session.expire_all()
        assert slots_of(session, schedule) == [NOW, NOW + timedelta(minutes=10)]
        assert session.scalars(select(Gap.slots)).all() == [1]
        assert schedule.next_run_at == NOW + timedelta(minutes=15)

    @pytest.mark.parametrize(
        ("zone", "stored"),
        [
            ("UTC", "2027-01-05 12:07:00.000000"),
            ("UTC", "2027-01-05 12:05:00.000001"),
            ("Europe/Berlin", "2027-01-05 12:07:00.000000"),
        ],
    )
    def test_that_lies_between_two_slots_runs_as_none(self, session: Session, job: Job, zone: str, stored: str) -> None:
        schedule = make_schedule(session, job, cron="5 * * * *", timezone=zone, next_run_at=NOW - timedelta(minutes=55))
        planner.tick(session, now=NOW - timedelta(minutes=55))
        store(session, schedule, stored)

        for _ in range(2):
            planner.tick(session, now=NOW + timedelta(minutes=8))

        (told,) = list_repairs(session, organization_id=job.organization_id, schedule_id=schedule.id, limit=5)
        assert slots_of(session, schedule) == [NOW - timedelta(minutes=55), NOW + timedelta(minutes=5)]
        assert told.text.startswith("The time of the next run could not be right and was worked out again.")

    def test_that_lies_between_two_slots_is_worked_out_before_a_person_changes_the_schedule(
        self, session: Session, job: Job
    ) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, "2027-01-05 12:06:00.000000")
        later = NOW + timedelta(minutes=7)

        switch_schedule(
            session, actor=actor_in(job.organization_id), schedule_id=schedule.id, enabled=False, now=later
        )  # fmt: skip

        session.expire_all()
        assert slots_of(session, schedule) == [NOW, NOW + timedelta(minutes=5)]
        assert schedule.next_run_at == NOW + timedelta(minutes=10)

    def test_of_a_schedule_that_never_fires_by_itself_stays_away(self, session: Session, job: Job) -> None:
        make_schedule(session, job, cron="@Manually", next_run_at=None)

        assert mend(session, now=NOW) == []

    def test_that_never_comes_sets_the_schedule_aside(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, cron="30 2 14 3 *", timezone="America/New_York", next_run_at=None)
        schedule.cron = "0 0 30 2 *"
        session.flush()

        mend(session, now=NOW)

        assert "never happens" in (schedule.problem or "")

    def test_of_the_new_rules_of_a_zone_is_taken(self, session: Session, job: Job) -> None:
        # Nine o'clock in Berlin is eight o'clock in UTC now, and was another hour before.
        schedule = make_schedule(
            session, job, cron="0 9 * * *", timezone="Europe/Berlin", next_run_at=utc("2027-01-05 09:00")
        )  # fmt: skip
        planner.tick(session, now=utc("2027-01-05 09:00"))
        store(session, schedule, "2027-01-06 09:00:00.000000")

        mend(session, now=NOW)

        assert slots_of(session, schedule) == [utc("2027-01-05 09:00")]
        assert schedule.next_run_at == utc("2027-01-06 08:00")

    def test_is_not_moved_back_by_a_clock_that_is(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)

        mend(session, now=NOW - timedelta(hours=1))

        assert schedule.next_run_at == NOW + timedelta(minutes=5)


class TestTheBooks:
    def test_of_a_run_deleted_long_ago_are_not_asked_to_run_it_again(self, session: Session, job: Job) -> None:
        yearly = make_schedule(
            session, job, cron="0 0 3 1 *", next_run_at=None, updated_at=utc("2026-01-01 00:00")
        )  # fmt: skip

        mend(session, now=NOW)

        assert yearly.next_run_at == utc("2028-01-03 00:00")

    def test_that_hold_nothing_leave_no_slot_unaccounted_for(self, session: Session, job: Job) -> None:
        lost = make_schedule(session, job, cron="0 * * * *", next_run_at=None, updated_at=NOW - timedelta(days=3))

        mend(session, now=NOW)
        planner.tick(session, now=NOW)

        gaps = session.execute(select(Gap.slots, Gap.reason, Gap.explanation).order_by(Gap.first_slot_at)).all()
        assert [(gap.slots, gap.reason) for gap in gaps] == [(48, "unreadable"), (23, "scheduler_down")]
        assert "Whether they ran, nobody can say" in gaps[0].explanation
        assert slots_of(session, lost) == [NOW]

    def test_tell_of_slots_missed_for_longer_than_a_day(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, None)
        later = NOW + timedelta(days=3)

        mend(session, now=later)
        planner.tick(session, now=later)

        assert session.scalars(select(Gap.slots)).all() == [3 * 288 - 1]
        assert slots_of(session, schedule) == [NOW, later]

    def test_of_a_clock_that_was_days_ahead_are_not_opened_again(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="allow")
        for at in (NOW, NOW + timedelta(minutes=5), NOW + timedelta(days=3)):
            planner.tick(session, now=at)
        session.expire_all()
        gaps = session.scalars(select(Gap.slots)).all()

        mend(session, now=NOW + timedelta(minutes=7))
        planner.tick(session, now=NOW + timedelta(minutes=7))

        session.expire_all()
        assert session.scalars(select(Gap.slots)).all() == gaps
        assert schedule.next_run_at == NOW + timedelta(minutes=10)

    def test_of_a_schedule_made_under_a_clock_that_was_days_ahead_begin_now(self, session: Session, job: Job) -> None:
        then = NOW + timedelta(days=3)
        schedule = make_schedule(session, job, next_run_at=then, created_at=then, updated_at=then)

        mend(session, now=NOW)
        planner.tick(session, now=NOW + timedelta(minutes=5))

        assert slots_of(session, schedule) == [NOW + timedelta(minutes=5)]

    def test_say_what_was_mended(self, session: Session, job: Job) -> None:
        schedule = planned_until(session, job)
        store(session, schedule, None)

        mend(session, now=NOW + timedelta(minutes=2))

        (told,) = list_repairs(
            session, organization_id=job.organization_id, schedule_id=schedule.id, limit=5
        )  # fmt: skip
        assert told.text == (
            "The time of the next run was missing and was worked out again. It goes on at 2027-01-05 12:05 UTC."
        )


class TestOfAScheduleThatIsSwitchedOff:
    """Nobody plans it, but pages show it, and its time says which slots the pause took."""

    @pytest.fixture
    def schedule(self, session: Session, engine: str, job: Job) -> Schedule:
        schedule = planned_until(session, job)
        switch_schedule(
            session, actor=actor_in(job.organization_id), schedule_id=schedule.id, enabled=False, now=NOW
        )  # fmt: skip
        store(session, schedule, NO_TIME[engine])
        # What this session knows of it is what it was before.
        session.expunge(schedule)
        return schedule

    def test_it_is_listed_among_others_with_its_problem(self, session: Session, job: Job, schedule: Schedule) -> None:
        other = make_schedule(session, job, next_run_at=NOW)

        rows = {row.id: row for row in list_schedules(session, organization_id=job.organization_id)}

        assert (rows[schedule.id].problem, rows[schedule.id].cursor) == (NO_TIME_TO_READ, None)
        assert (rows[other.id].problem, rows[other.id].next_run_at) == (None, NOW)

    @pytest.mark.parametrize("is_out_of_reach", [True, False])
    def test_it_is_mended_by_a_look(
        self, session: Session, job: Job, schedule: Schedule, is_out_of_reach: bool
    ) -> None:
        if is_out_of_reach:
            store(session, schedule, "9998-01-01 00:00:00.000000")

        mend(session, now=NOW + timedelta(days=3))

        (told,) = list_repairs(session, organization_id=job.organization_id, schedule_id=schedule.id, limit=5)
        assert session.get_one(Schedule, schedule.id).next_run_at == NOW + timedelta(minutes=5)
        assert told.text.endswith("was worked out again. The schedule stays switched off.")

    def test_its_pause_is_counted_in_full_by_whoever_switches_it_on(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        later = NOW + timedelta(days=3)

        switch_schedule(
            session, actor=actor_in(job.organization_id), schedule_id=schedule.id, enabled=True, now=later
        )  # fmt: skip

        found = session.get_one(Schedule, schedule.id, populate_existing=True)
        assert session.execute(select(Gap.slots, Gap.reason)).all() == [(3 * 288, "paused")]
        assert (found.problem, found.next_run_at) == (None, later + timedelta(minutes=5))


def test_of_a_schedule_that_was_edited_while_off_is_the_first_that_it_missed(session: Session, job: Job) -> None:
    schedule, actor = planned_until(session, job), actor_in(job.organization_id)
    switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=NOW)
    row = get_schedule(session, organization_id=job.organization_id, schedule_id=schedule.id)
    later = NOW + timedelta(minutes=30)
    draft = replace(draft_of(row), notes="hello")
    edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft, version=row.version, now=later)
    store(session, schedule, "9998-01-01 00:00:00.000000")

    mend(session, now=later)

    session.expire_all()
    assert schedule.next_run_at == NOW + timedelta(minutes=5)


def test_a_look_goes_round_all_schedules_in_time(session: Session, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "LOOK", 2)
    for _ in range(5):
        make_schedule(session, job, next_run_at=utc("2028-01-01 00:00"))
    rounds = Rounds()

    found = [{wrong.schedule_id for wrong in rounds.look(session, now=NOW)} for _ in range(4)]

    assert [len(ids) for ids in found] == [2, 2, 1, 2]
    assert (len(set.union(*found)), found[3]) == (5, found[0])
