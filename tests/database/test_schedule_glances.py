"""All schedules at a glance: how each fares, what a filter takes, and which come first."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops import last_ends
from app.ops.schedule_glances import (
    Glance,
    GlanceFilter,
    by_attention,
    failed_before,
    health_of_schedules,
    matching_schedules,
    read_glances,
)
from app.ops.schedule_health import ScheduleHealth, ScheduleStatus
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.schedules.policies import GapReason
from tests.factories.outcomes import make_succeeded
from tests.factories.work import make_gap, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-03-02 12:30")
SOON = NOW + timedelta(hours=1)


def ended(session: Session, job: Job, schedule: Schedule, *states: RunState | None) -> None:
    """Runs of the schedule, the newest last; None for one that waits since two minutes."""
    for number, state in enumerate(states):
        at = NOW - timedelta(minutes=1 + len(states) - number)
        run = session.get_one(Run, make_run(session, job, now=at, schedule_id=schedule.id))
        run.state = RunState.READY.value if state is None else state.value
        run.finished_at = None if state is None else at
    session.flush()


def health(session: Session, job: Job, **more: bool) -> list[ScheduleHealth]:
    options = {"is_stopped": False, **more}
    found = read_glances(session, organization_id=job.organization_id, now=NOW, **options)
    return [one.health for one in found]


class TestHealth:
    @pytest.mark.parametrize(
        ("states", "fares"),
        [
            ([], ScheduleHealth.NEVER_RUN),
            ([RunState.SUCCEEDED], ScheduleHealth.OK),
            ([RunState.FAILED], ScheduleHealth.FAILING),
            ([RunState.MISSED], ScheduleHealth.FAILING),
            ([RunState.FAILED, RunState.SUCCEEDED], ScheduleHealth.OK),
            # What says nothing about the job leaves it at what it was.
            ([RunState.FAILED, RunState.SKIPPED, RunState.CANCELLED, RunState.RUNNING], ScheduleHealth.FAILING),
            ([RunState.SUCCEEDED, None], ScheduleHealth.LATE),
            ([RunState.FAILED, None], ScheduleHealth.FAILING),
            ([RunState.SKIPPED], ScheduleHealth.NEVER_RUN),
        ],
    )
    def test_is_told_by_how_its_runs_ended(
        self, session: Session, job: Job, states: list[RunState | None], fares: ScheduleHealth
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=SOON)
        ended(session, job, schedule, *states)

        assert health(session, job) == [fares]

    @pytest.mark.parametrize(
        ("columns", "fares"),
        [
            ({"enabled": False}, ScheduleHealth.DISABLED),
            ({"enabled": False, "problem": "Nonsense."}, ScheduleHealth.UNREADABLE),
            ({"problem": "Nonsense."}, ScheduleHealth.UNREADABLE),
            ({"next_run_at": NOW - timedelta(minutes=2)}, ScheduleHealth.LATE),
            ({"next_run_at": NOW - timedelta(seconds=30)}, ScheduleHealth.NEVER_RUN),
        ],
    )
    def test_is_told_by_the_schedule_itself(
        self, session: Session, job: Job, columns: dict[str, Any], fares: ScheduleHealth
    ) -> None:
        make_schedule(session, job, **{"next_run_at": SOON, **columns})

        assert health(session, job) == [fares]

    def test_nothing_is_late_while_scheduling_is_stopped(self, session: Session, job: Job) -> None:
        make_schedule(session, job, next_run_at=NOW - timedelta(hours=2))

        assert health(session, job, is_stopped=True) == [ScheduleHealth.NEVER_RUN]

    def test_a_sync_without_an_account_needs_one(self, session: Session, job: Job) -> None:
        sync = make_job(session, job.organization_id, name="Sync", kind=KindName.SYNC, service="meta")
        make_schedule(session, sync, next_run_at=SOON)

        assert health(session, job) == [ScheduleHealth.NEEDS_CONNECTION]

    @pytest.mark.parametrize("days", [29, 31, 400])
    @pytest.mark.parametrize(
        ("state", "fares"), [(RunState.FAILED, ScheduleHealth.FAILING), (RunState.SUCCEEDED, ScheduleHealth.OK)]
    )
    def test_is_that_of_the_last_run_however_long_ago(
        self, session: Session, job: Job, days: int, state: RunState, fares: ScheduleHealth
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=SOON)
        ended(session, job, schedule, state)
        run = session.scalars(select(Run).where(Run.schedule_id == schedule.id)).one()
        run.created_at = NOW - timedelta(days=days)
        ended(session, job, schedule, *[RunState.SKIPPED] * 3)

        assert health(session, job) == [fares]

    def test_looks_back_past_what_was_skipped_but_not_for_ever(
        self, session: Session, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(last_ends, "LOOKED_AT", 4)
        near, far = make_schedule(session, job, next_run_at=SOON), make_schedule(session, job, next_run_at=SOON)
        for schedule, skipped in ((near, 3), (far, 4)):
            ended(session, job, schedule, RunState.FAILED, *[RunState.SKIPPED] * skipped)

        found = health_of_schedules(
            session, organization_id=job.organization_id, schedule_ids=[near.id, far.id], now=NOW
        )

        assert found == {near.id: ScheduleHealth.FAILING, far.id: ScheduleHealth.NEVER_RUN}

    def test_a_time_that_no_calendar_holds_takes_nobody_with_it(self, session: Session, job: Job, engine: str) -> None:
        make_schedule(session, job, name="Broken", next_run_at=SOON)
        make_schedule(session, job, name="Fine", next_run_at=SOON)
        far = "'infinity'" if engine == "postgresql" else "'99999-01-01 00:00:00.000000'"
        session.execute(text(f"UPDATE schedules SET next_run_at = {far} WHERE name = 'Broken'"))

        found = read_glances(session, organization_id=job.organization_id, now=NOW, is_stopped=False)

        assert sorted(one.name for one in found) == ["Broken", "Fine"]


class TestMissedSlots:
    """Ranges of slots that nobody executed, which have no runs."""

    @pytest.mark.parametrize(
        ("reason", "fares"),
        [
            (GapReason.SCHEDULER_DOWN, ScheduleHealth.FAILING),
            (GapReason.CLOCK_STEP, ScheduleHealth.FAILING),
            (GapReason.PAUSED, ScheduleHealth.OK),
            (GapReason.SCHEDULING_STOPPED, ScheduleHealth.OK),
        ],
    )
    def test_make_a_schedule_fail_unless_somebody_wanted_them(
        self, session: Session, job: Job, reason: GapReason, fares: ScheduleHealth
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=SOON)
        ended(session, job, schedule, RunState.SUCCEEDED)
        make_gap(session, schedule, NOW - timedelta(seconds=50), NOW, reason=reason)

        assert health(session, job) == [fares]

    def test_are_forgotten_with_the_next_run_that_ends(self, session: Session, job: Job) -> None:
        recovered, waiting = (
            make_schedule(session, job, next_run_at=SOON),
            make_schedule(session, job, next_run_at=SOON),
        )
        for schedule in (recovered, waiting):
            make_gap(session, schedule, NOW - timedelta(hours=9), NOW - timedelta(hours=1))
        ended(session, job, recovered, RunState.SUCCEEDED)
        ended(session, job, waiting, RunState.SKIPPED, RunState.RUNNING)

        found = health_of_schedules(
            session, organization_id=job.organization_id, schedule_ids=[recovered.id, waiting.id], now=NOW
        )

        assert found == {recovered.id: ScheduleHealth.OK, waiting.id: ScheduleHealth.FAILING}

    def test_count_as_a_failure_of_before(self, session: Session, job: Job) -> None:
        missed, good = make_schedule(session, job, next_run_at=SOON), make_schedule(session, job, next_run_at=SOON)
        for schedule in (missed, good):
            make_gap(session, schedule, NOW - timedelta(hours=9), NOW - timedelta(hours=3))
        make_succeeded(session, job, now=NOW - timedelta(hours=2), schedule_id=good.id)
        make_succeeded(session, job, now=NOW, schedule_id=missed.id)
        session.flush()

        before = failed_before(session, schedule_ids=[missed.id, good.id], moment=NOW - timedelta(hours=1))

        assert before == {missed.id}


class TestFilter:
    def one(self, **more: Any) -> Glance:
        facts = {
            "id": UUID(int=1), "name": "Straße, täglich", "enabled": True, "tags": ("shop",), "service": "meta",
            "owner": "ana@example.com", "is_default": False, "next_run_at": None, "health": ScheduleHealth.OK,
        }  # fmt: skip
        return Glance(**(facts | more))

    @pytest.mark.parametrize(
        ("wanted", "is_taken"),
        [
            (GlanceFilter(), True),
            (GlanceFilter(query=" STRASSE "), True),
            (GlanceFilter(query="road"), False),
            (GlanceFilter(status=ScheduleStatus.OK), True),
            (GlanceFilter(status=ScheduleStatus.LATE), False),
            (GlanceFilter(tag="shop"), True),
            (GlanceFilter(tag="sho"), False),
            (GlanceFilter(service="meta"), True),
            (GlanceFilter(service="ga4"), False),
            (GlanceFilter(query="str", tag="shop", service="ga4"), False),
        ],
    )
    def test_takes_what_has_all_of_it(self, wanted: GlanceFilter, is_taken: bool) -> None:
        assert wanted.takes(self.one()) is is_taken

    @pytest.mark.parametrize("health", [ScheduleHealth.FAILING, ScheduleHealth.UNREADABLE, ScheduleHealth.NEVER_RUN])
    def test_takes_as_enabled_what_is_on_however_it_fares(self, health: ScheduleHealth) -> None:
        wanted = GlanceFilter(status=ScheduleStatus.ENABLED)

        assert wanted.takes(self.one(health=health))
        assert not wanted.takes(self.one(health=health, enabled=False))

    def test_takes_each_health_by_its_own_word(self) -> None:
        words = [status.value for status in ScheduleStatus if status is not ScheduleStatus.ENABLED]

        assert words == [health.value for health in ScheduleHealth]

    def test_those_that_need_somebody_come_first(self) -> None:
        by_name = {
            "b": self.one(name="b", next_run_at=SOON), "a": self.one(name="a", next_run_at=SOON + timedelta(hours=1)),
            "off": self.one(name="off", health=ScheduleHealth.DISABLED), "by hand": self.one(name="by hand"),
            "late": self.one(name="late", health=ScheduleHealth.LATE, next_run_at=NOW),
            "failing": self.one(name="failing", health=ScheduleHealth.FAILING),
            "broken": self.one(name="broken", health=ScheduleHealth.UNREADABLE),
        }  # fmt: skip

        found = by_attention(by_name.values())

        assert [one.name for one in found] == ["broken", "failing", "late", "b", "a", "by hand", "off"]


def test_of_an_organization_alone(session: Session, job: Job) -> None:
    mine = make_schedule(session, job, next_run_at=SOON)
    make_schedule(session, make_job(session, make_organization(session, "Other")), next_run_at=SOON)

    found = matching_schedules(session, organization_id=job.organization_id, wanted=GlanceFilter(), now=NOW)

    assert found == {mine.id}
