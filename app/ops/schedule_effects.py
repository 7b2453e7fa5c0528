"""What an edit, a deletion or switching on will do, worked out before by the functions that the commands use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.runs.models import Run
from app.runs.resuming import missed_meanwhile
from app.runs.states import RunState
from app.schedules.fire_times import Rhythm, fire_times
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import DOWNTIME, MissedSlots, gap_between
from app.schedules.stored_rhythms import rhythm_of

NEXT_RUNS = 5
_WAITING = (RunState.READY, RunState.WAITING, RunState.WAITING_RETRY)


@dataclass(frozen=True)
class Standing:
    """What stands of a schedule now: runs that wait or go on, and slots that are due and not planned yet."""

    waiting: int
    running: int
    due: MissedSlots | None


@dataclass(frozen=True)
class EditEffect:
    """The next runs as it is and after saving, without any where it is off, and what becomes of the rest."""

    before: tuple[datetime, ...]
    after: tuple[datetime, ...]
    is_on_before: bool
    is_on_after: bool
    missed: MissedSlots | None
    unreadable: MissedSlots | None
    standing: Standing

    @property
    def changes_times(self) -> bool:
        return self.before != self.after or self.is_on_before != self.is_on_after


def standing_of(session: Session, schedule: ScheduleRow, *, now: datetime) -> Standing:
    """What the commands find before they change anything. Due slots are planned first, by what it says until then."""
    counts = _count_by_state(session, schedule)
    waiting = sum(counts.get(state, 0) for state in _WAITING)
    return Standing(waiting, counts.get(RunState.RUNNING, 0), _due(schedule, now))


def edit_effect(
    session: Session, schedule: ScheduleRow, *, when: Rhythm, is_on: bool, now: datetime, count: int = NEXT_RUNS
) -> EditEffect:
    """What saving a schedule with this rhythm does."""
    problem = schedule.problem is not None
    return EditEffect(
        before=_coming(schedule, now, count) if schedule.enabled else (),
        after=tuple(fire_times(when, after=now, limit=count)) if is_on else (),
        is_on_before=schedule.enabled,
        is_on_after=is_on,
        missed=missed_meanwhile(schedule, now=now) if is_on else None,
        unreadable=_slots(_counted_by(schedule, when), schedule.cursor, now) if problem else None,
        standing=standing_of(session, schedule, now=now),
    )


def next_runs_of(schedule: ScheduleRow, *, now: datetime, count: int = NEXT_RUNS) -> Sequence[datetime]:
    """When it would run next if it is on; none for what cannot be read."""
    try:
        return tuple(fire_times(rhythm_of(schedule), after=now, limit=count))
    except Invalid:
        return ()


def _coming(schedule: ScheduleRow, now: datetime, count: int) -> tuple[datetime, ...]:
    return () if schedule.problem else tuple(next_runs_of(schedule, now=now, count=count))


def _counted_by(schedule: ScheduleRow, when: Rhythm) -> Rhythm:
    """What it said while it was set aside; what it says from now on where that cannot be read."""
    try:
        return rhythm_of(schedule)
    except Invalid:
        return when


def _due(schedule: ScheduleRow, now: datetime) -> MissedSlots | None:
    if schedule.next_run_at is None or schedule.next_run_at > now:
        return None
    try:
        return _slots(rhythm_of(schedule), schedule.next_run_at, now)
    except Invalid:
        return None


def _slots(when: Rhythm, since: datetime | None, until: datetime) -> MissedSlots | None:
    gap = gap_between(when, since=since, until=until, why=DOWNTIME)
    return None if gap is None else MissedSlots(gap.slots, gap.first_slot_at, gap.last_slot_at)


def _count_by_state(session: Session, schedule: ScheduleRow) -> dict[RunState, int]:
    states = [state.value for state in (*_WAITING, RunState.RUNNING)]
    query = (
        select(Run.state, func.count())
        .where(Run.organization_id == schedule.organization_id, Run.schedule_id == schedule.id, Run.state.in_(states))
        .group_by(Run.state)
    )
    return {RunState(state): count for state, count in session.execute(query).all()}
