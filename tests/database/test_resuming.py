"""Switching a schedule on again: what becomes of the slots missed meanwhile is what somebody chose, to the slot."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.scopes import Scope, rescope
from app.jobs.models import Job
from app.runs import service
from app.runs.models import Run
from app.runs.resuming import missed_meanwhile
from app.schedules.defaults import find_default, give_default_schedules
from app.schedules.drafts import draft_of
from app.schedules.models import Gap, Schedule
from app.schedules.policies import Missed
from app.schedules.queries import get_schedule
from app.schedules.slot_accounts import MadeUp, MissedSlots
from app.tenants.access import Actor
from app.tenants.models import AuditEntry
from tests.factories.work import make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


@pytest.fixture
def paused(session: Session, job: Job) -> Schedule:
    """Switched off before noon, with a slot every five minutes from noon on."""
    return make_schedule(session, job, next_run_at=NOW, enabled=False, missed_limit=3)


def switch_on(session: Session, actor: Actor, schedule: Schedule, missed: Missed, *, at: datetime) -> MadeUp:
    return service.switch_schedule(
        session, actor=actor, schedule_id=schedule.id, enabled=True, now=at, missed=missed
    )  # fmt: skip


def runs_of(session: Session, schedule: Schedule) -> list[tuple[datetime | None, str, str]]:
    session.expire_all()
    query = select(Run).where(Run.schedule_id == schedule.id, Run.slot_at.is_not(None)).order_by(Run.slot_at)
    return [(run.slot_at, run.trigger, run.state) for run in session.scalars(query)]


def gaps_of(session: Session, schedule: Schedule) -> list[tuple[datetime, datetime, int, str]]:
    query = select(Gap).where(Gap.schedule_id == schedule.id).order_by(Gap.first_slot_at)
    return [(gap.first_slot_at, gap.last_slot_at, gap.slots, gap.reason) for gap in session.scalars(query)]


class TestSwitchingOn:
    def test_leaves_what_was_missed_unless_somebody_says_otherwise(
        self, session: Session, actor: Actor, paused: Schedule
    ) -> None:
        service.switch_schedule(session, actor=actor, schedule_id=paused.id, enabled=True, now=minutes(12))

        assert runs_of(session, paused) == []
        assert gaps_of(session, paused) == [(NOW, minutes(10), 3, "paused")]
        assert paused.next_run_at == minutes(15)

    def test_runs_the_latest_where_that_is_wanted(self, session: Session, actor: Actor, paused: Schedule) -> None:
        made_up = switch_on(session, actor, paused, Missed.LATEST, at=minutes(12))

        assert (made_up, runs_of(session, paused)) == (MadeUp(1), [(minutes(10), "catch_up", "ready")])
        assert gaps_of(session, paused) == [(NOW, minutes(5), 2, "paused")]
        assert (paused.enabled, paused.next_run_at) == (True, minutes(15))

    def test_runs_all_where_that_is_wanted_one_after_the_other(
        self, session: Session, actor: Actor, paused: Schedule
    ) -> None:
        made_up = switch_on(session, actor, paused, Missed.ALL, at=minutes(12))

        assert made_up == MadeUp(3)
        assert [state for *_, state in runs_of(session, paused)] == ["ready", "waiting", "waiting"]
        assert gaps_of(session, paused) == []

    def test_runs_no_more_than_the_limit_says(self, session: Session, actor: Actor, paused: Schedule) -> None:
        switch_on(session, actor, paused, Missed.ALL, at=minutes(62))

        assert [slot for slot, *_ in runs_of(session, paused)] == [minutes(50), minutes(55), minutes(60)]
        assert gaps_of(session, paused) == [(NOW, minutes(45), 10, "paused")]

    def test_runs_what_is_wanted_however_old_it_is(self, session: Session, actor: Actor, paused: Schedule) -> None:
        paused.missed, paused.missed_max_age_seconds = "skip", 300
        paused.cron = "0 12 5 * *"
        session.flush()

        switch_on(session, actor, paused, Missed.LATEST, at=NOW + timedelta(days=20))

        assert [slot for slot, *_ in runs_of(session, paused)] == [NOW]

    def test_lets_what_is_wanted_wait_for_a_run_that_goes_on(
        self, session: Session, actor: Actor, job: Job, paused: Schedule
    ) -> None:
        make_run(session, job, now=NOW, schedule_id=paused.id)

        switch_on(session, actor, paused, Missed.LATEST, at=minutes(12))

        assert runs_of(session, paused) == [(minutes(10), "catch_up", "waiting")]

    def test_a_second_time_changes_nothing(self, session: Session, actor: Actor, paused: Schedule) -> None:
        switch_on(session, actor, paused, Missed.ALL, at=minutes(12))

        again = switch_on(session, actor, paused, Missed.ALL, at=minutes(13))

        assert (again, len(runs_of(session, paused)), gaps_of(session, paused)) == (MadeUp(), 3, [])

    def test_works_as_the_organization(self, session: Session, actor: Actor, paused: Schedule) -> None:
        rescope(session, Scope.tenant(actor.organization_id))

        switch_on(session, actor, paused, Missed.LATEST, at=minutes(12))

        assert (len(runs_of(session, paused)), len(gaps_of(session, paused))) == (1, 1)

    def test_leaves_one_audit_row_that_says_what_ran(self, session: Session, actor: Actor, paused: Schedule) -> None:
        switch_on(session, actor, paused, Missed.ALL, at=minutes(12))

        (summary,) = session.scalars(select(AuditEntry.summary)).all()
        assert summary == f"Enabled schedule “{paused.name}” and ran the newest 3 slots that it had missed"

    def test_runs_nothing_of_a_sync_without_a_connection_and_says_so(
        self, session: Session, actor: Actor, job: Job, paused: Schedule
    ) -> None:
        job.kind, job.service, job.definition = "sync", "meta", {"service": "meta"}
        session.flush()

        made_up = switch_on(session, actor, paused, Missed.LATEST, at=minutes(12))

        (summary,) = session.scalars(select(AuditEntry.summary)).all()
        assert runs_of(session, paused) == [(minutes(10), "catch_up", "skipped")]
        assert made_up == MadeUp(
            1, "This sync needs a connection to Meta, and there is none. Connect an account first."
        )
        assert summary == (
            f"Enabled schedule “{paused.name}” and skipped the latest slot that it had missed: {made_up.why_skipped}"
        )

    def test_is_remembered_with_who_did_it_and_when(self, session: Session, actor: Actor, paused: Schedule) -> None:
        switch_on(session, actor, paused, Missed.SKIP, at=minutes(12))

        session.expire_all()
        assert (paused.switched_at, paused.switched_by) == (minutes(12), actor.label)

    def test_many_times_without_a_slot_in_between_runs_and_loses_none(
        self, session: Session, actor: Actor, job: Job
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(5))
        for second in range(10):
            at = NOW + timedelta(seconds=second)
            service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=second % 2 == 1, now=at)

        assert (runs_of(session, schedule), gaps_of(session, schedule)) == ([], [])
        assert schedule.next_run_at == minutes(5)


class TestAnEdit:
    def test_that_switches_it_on_runs_the_slots_of_the_old_rhythm_that_somebody_wants(
        self, session: Session, actor: Actor, job: Job, paused: Schedule
    ) -> None:
        before = get_schedule(session, organization_id=job.organization_id, schedule_id=paused.id)
        values = {**vars(draft_of(before)), "enabled": True, "cron": "0 * * * *"}

        service.edit_schedule(
            session, actor=actor, schedule_id=paused.id, draft=service.ScheduleDraft(**values), version=1,
            now=minutes(12), missed=Missed.LATEST,
        )  # fmt: skip

        assert runs_of(session, paused) == [(minutes(10), "catch_up", "ready")]
        assert gaps_of(session, paused) == [(NOW, minutes(5), 2, "paused")]
        assert (paused.next_run_at, paused.switched_by) == (minutes(60), actor.label)

    def test_that_leaves_it_off_decides_nothing(self, session: Session, actor: Actor, paused: Schedule) -> None:
        before = get_schedule(session, organization_id=actor.organization_id, schedule_id=paused.id)

        service.edit_schedule(
            session, actor=actor, schedule_id=paused.id, draft=draft_of(before), version=1, now=minutes(12),
            missed=Missed.ALL,
        )  # fmt: skip

        assert (runs_of(session, paused), gaps_of(session, paused)) == ([], [])
        assert (paused.next_run_at, paused.switched_at) == (NOW, None)


class TestWhatIsSaidBefore:
    def test_is_how_many_were_missed_and_which(self, session: Session, actor: Actor, paused: Schedule) -> None:
        row = get_schedule(session, organization_id=actor.organization_id, schedule_id=paused.id)

        assert missed_meanwhile(row, now=minutes(12)) == MissedSlots(3, NOW, minutes(10))

    def test_is_nothing_before_a_slot_has_passed(self, session: Session, actor: Actor, paused: Schedule) -> None:
        row = get_schedule(session, organization_id=actor.organization_id, schedule_id=paused.id)

        assert missed_meanwhile(row, now=minutes(-1)) is None

    def test_is_nothing_of_a_default_schedule_that_was_never_on(self, session: Session, actor: Actor) -> None:
        give_default_schedules(session, organization_id=actor.organization_id, now=NOW)
        row = find_default(session, organization_id=actor.organization_id, service="meta")

        assert missed_meanwhile(row, now=NOW + timedelta(days=9)) is None
