"""Every kind of rhythm through the planner: each slot becomes one run or lies in one gap, and none lies outside."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.scopes import ENGINE, rescope
from app.jobs.models import Job
from app.runs import cursors, planner, service
from app.runs.cursors import Rounds
from app.runs.models import Run
from app.schedules.acceptance import TimesInvalid
from app.schedules.drafts import draft_of
from app.schedules.fire_times import ClockChange, count_fires, fire_times
from app.schedules.models import Gap, Schedule
from app.schedules.policies import Missed, Overlap
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.service import ScheduleDraft, create_schedule, rhythm_of
from app.tenants.models import AuditEntry
from tests.factories.work import actor_in
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")


def make(session: Session, job: Job, cron: str, *, now: datetime = NOW, **said: Any) -> UUID:
    values: dict[str, Any] = {"timezone": "Europe/Berlin", "spread_key": "k", "overlap": Overlap.ALLOW} | said
    draft = ScheduleDraft("Orders", job.id, cron, **values)
    return create_schedule(session, actor=actor_in(job.organization_id), draft=draft, now=now)


def row_of(session: Session, job: Job, schedule_id: UUID) -> ScheduleRow:
    session.flush()
    session.expire_all()
    return get_schedule(session, organization_id=job.organization_id, schedule_id=schedule_id)


def slots_of(session: Session, schedule_id: UUID) -> list[datetime]:
    query = select(Run.slot_at).where(Run.schedule_id == schedule_id).order_by(Run.slot_at)
    return [slot for slot in session.scalars(query) if slot is not None]


def in_gaps(session: Session, schedule_id: UUID) -> int:
    return sum(session.scalars(select(Gap.slots).where(Gap.schedule_id == schedule_id)))


def edit(session: Session, job: Job, schedule_id: UUID, *, now: datetime, **changes: Any) -> None:
    before = row_of(session, job, schedule_id)
    draft = ScheduleDraft(**{**vars(draft_of(before)), **changes})
    service.edit_schedule(
        session,
        actor=actor_in(job.organization_id),
        schedule_id=schedule_id,
        draft=draft,
        version=before.version,
        now=now,
    )


KINDS = {
    "interval": ("every 50 minutes from 2027-01-05 08:00", {}),
    "days": ("every 2 days from 2027-01-01 08:00", {}),
    "single times": ("at 2027-01-05 13:00\nat 2027-01-06 18:00\nat 2027-01-08 07:00", {}),
    "two lines": ("*/20 9-17 * * *\n5 0,9 * * *", {}),
    "seconds": ("*/30 */7 * * * *", {"has_seconds": True}),
    "bounds": ("*/10 * * * *", {"starts_at": utc("2027-01-06 00:05"), "ends_at": utc("2027-01-07 00:00")}),
}


class TestPlanning:
    @pytest.mark.parametrize("kind", KINDS)
    def test_accounts_for_every_slot_over_a_downtime(self, session: Session, job: Job, kind: str) -> None:
        cron, said = KINDS[kind]
        schedule_id = make(session, job, cron, missed=Missed.ALL, missed_limit=7, **said)
        when = rhythm_of(row_of(session, job, schedule_id))
        up_until, back_at = NOW + timedelta(hours=3), NOW + timedelta(days=2, hours=5)

        for at in [*fire_times(when, after=NOW, until=up_until, limit=1_000), back_at]:
            planner.tick(session, now=at)

        slots = slots_of(session, schedule_id)
        assert len(slots) + in_gaps(session, schedule_id) == count_fires(when, after=NOW, until=back_at)
        assert set(slots) <= set(fire_times(when, after=NOW, until=back_at, limit=100_000))
        assert row_of(session, job, schedule_id).next_run_at == next(
            iter(fire_times(when, after=back_at, limit=1)), None
        )

    def test_fires_at_the_second(self, session: Session, job: Job) -> None:
        schedule_id = make(session, job, "*/10 * * * * *", has_seconds=True)

        for seconds in (9, 10, 11, 20):
            planner.tick(session, now=NOW + timedelta(seconds=seconds))

        assert slots_of(session, schedule_id) == [NOW + timedelta(seconds=10), NOW + timedelta(seconds=20)]

    @pytest.mark.parametrize(
        ("choice", "slots"),
        [
            (ClockChange.ONCE, ["2027-03-28 01:00", "2027-10-31 00:30"]),
            (ClockChange.SKIP, ["2027-10-31 00:30"]),
            (ClockChange.TWICE, ["2027-03-28 01:00", "2027-10-31 00:30", "2027-10-31 01:30"]),
        ],
    )
    def test_follows_what_was_chosen_for_clock_changes(
        self, session: Session, job: Job, choice: ClockChange, slots: list[str]
    ) -> None:
        schedule_id = make(session, job, "30 2 28 3 *\n30 2 31 10 *", clock_change=choice)

        for _ in range(4):
            following = row_of(session, job, schedule_id).next_run_at
            if following is None or following.year > NOW.year:
                break
            planner.tick(session, now=following)

        assert slots_of(session, schedule_id) == [utc(slot) for slot in slots]

    def test_a_pause_counts_no_slot_outside_the_bounds(self, session: Session, job: Job) -> None:
        ends_at = NOW + timedelta(hours=2)
        schedule_id = make(session, job, "*/10 * * * *", ends_at=ends_at)
        actor = actor_in(job.organization_id)

        for enabled, at in ((False, NOW), (True, NOW + timedelta(days=1))):
            service.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=enabled, now=at)

        assert in_gaps(session, schedule_id) == 11
        assert row_of(session, job, schedule_id).next_run_at is None


class TestWhatIsOver:
    def over(self, session: Session, job: Job) -> tuple[UUID, datetime]:
        schedule_id = make(session, job, "at 2027-01-05 14:00")
        at = utc("2027-01-05 13:00")
        planner.tick(session, now=at)
        return schedule_id, at

    def test_has_no_next_run_and_no_problem(self, session: Session, job: Job) -> None:
        schedule_id, at = self.over(session, job)

        row = row_of(session, job, schedule_id)

        assert (slots_of(session, schedule_id), row.next_run_at, row.problem) == ([at], None, None)

    def test_is_not_taken_for_one_that_lost_its_time(self, session: Session, job: Job) -> None:
        schedule_id, at = self.over(session, job)
        rescope(session, ENGINE)

        for later in (timedelta(minutes=1), timedelta(days=3)):
            planner.mend(session, Rounds().look(session, now=at + later), now=at + later)

        row = session.get_one(Schedule, schedule_id)
        assert (row.problem, row.next_run_at) == (None, None)

    def test_is_mended_where_its_time_was_lost_before_it_came(self, session: Session, job: Job) -> None:
        schedule_id = make(session, job, "at 2027-01-05 14:00\nat 2027-01-07 14:00")
        session.execute(text("UPDATE schedules SET next_run_at = NULL"))
        session.expire_all()
        rescope(session, ENGINE)
        at = utc("2027-01-05 13:30")

        wrong = Rounds().look(session, now=at)
        planner.mend(session, wrong, now=at)

        assert [found.problem for found in wrong] == [cursors.MISSING]
        assert session.get_one(Schedule, schedule_id).next_run_at == utc("2027-01-05 13:00")

    def test_can_be_renamed(self, session: Session, job: Job) -> None:
        schedule_id, at = self.over(session, job)

        edit(session, job, schedule_id, now=at + timedelta(days=1), name="Done")

        assert row_of(session, job, schedule_id).name == "Done"

    def test_cannot_be_given_times_that_have_passed(self, session: Session, job: Job) -> None:
        schedule_id, at = self.over(session, job)

        with pytest.raises(TimesInvalid, match="All of these times have passed"):
            edit(session, job, schedule_id, now=at, cron="at 2027-01-01 10:00\nat 2027-01-02 10:00")


class TestSaving:
    def test_completes_an_interval_with_the_day_in_its_zone_and_never_again(self, session: Session, job: Job) -> None:
        schedule_id = make(
            session, job, "every 90 minutes from 08:00", timezone="Asia/Tokyo", now=utc("2027-01-05 20:00")
        )
        edit(session, job, schedule_id, now=utc("2027-02-01 20:00"), name="Renamed")

        row = row_of(session, job, schedule_id)

        assert row.cron == "every 90 minutes from 2027-01-06 08:00"
        assert row.next_run_at == utc("2027-02-01 21:30")

    def test_keeps_the_text_of_several_lines(self, session: Session, job: Job) -> None:
        schedule_id = make(session, job, " 0 9 * * MON-FRI\r\n0 11 * * sat ")

        assert row_of(session, job, schedule_id).cron == "0 9 * * MON-FRI\n0 11 * * sat"

    def test_says_in_the_audit_log_what_changed(self, session: Session, job: Job) -> None:
        schedule_id = make(session, job, "0 9 * * *", tags=("b", "A"))
        changes = {"clock_change": ClockChange.SKIP, "tags": ("c",), "ends_at": NOW + timedelta(days=9)}

        edit(session, job, schedule_id, now=NOW, **changes)

        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "schedule.edited")).one()
        assert entry.changes == {
            "clock_change": ["once", "skip"],
            "ends_at": ["None", "2027-01-14T12:00:00+00:00"],
            "tags": ["a, b", "c"],
        }

    @pytest.mark.parametrize(
        ("cron", "said", "message", "field"),
        [
            ("at 2027-01-05 12:59", {}, "This time has passed", "cron"),
            ("0 9 * * *", {"ends_at": NOW}, "The end has passed already", "ends_at"),
            (
                "0 9 * * *",
                {"starts_at": NOW + timedelta(days=2), "ends_at": NOW + timedelta(days=2)},
                "The end is not behind the start",
                "ends_at",
            ),
            ("0 9 * * *", {"ends_at": NOW + timedelta(hours=2)}, "No run fits between", "ends_at"),
            ("0 9 * * *", {"starts_at": utc("2150-01-01 00:00")}, "more than sixty years away", "starts_at"),
            ("0 9 * * *", {"starts_at": utc("0900-01-01 00:00")}, "Use the years 2000 to 2199", "starts_at"),
            ("0 9 * * *", {"tags": ["no spaces"]}, "letters, digits and - _ . : alone", "tags"),
            ("0 9 * * *", {"tags": [str(number) for number in range(13)]}, "at most 12 tags", "tags"),
        ],
    )
    def test_refuses_what_cannot_be_at_its_field(
        self, session: Session, job: Job, cron: str, said: dict[str, Any], message: str, field: str
    ) -> None:
        with pytest.raises(Invalid, match=message) as refused:
            make(session, job, cron, **said)

        assert refused.value.field == field
