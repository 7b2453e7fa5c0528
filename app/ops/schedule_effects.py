"""What an edit, a deletion or a switch will do, worked out before by the functions that the commands use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.runs.foreseen import Foreseen, foresee_due, foresee_missed
from app.runs.models import Run
from app.runs.states import Reason, RunState
from app.schedules.fire_times import Rhythm, fire_times
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow
from app.schedules.silence import lost_by_edit
from app.schedules.slot_accounts import DOWNTIME, MissedSlots, gap_between
from app.schedules.stored_rhythms import rhythm_of

NEXT_RUNS = 5
_WAITING = (RunState.READY, RunState.WAITING, RunState.WAITING_RETRY)


class Action(StrEnum):
    """What somebody thinks of doing to a schedule."""

    EDIT = "edit"
    RESTORE = "restore"
    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"


@dataclass(frozen=True)
class Standing:
    """What stands of a schedule now: runs that wait or go on, and slots that are due and not planned yet.

    `begun` are those of the waiting that have run and wait for the runs that they started.
    """

    waiting: int
    begun: int
    running: int
    due: Foreseen | None


@dataclass(frozen=True)
class Effect:
    """The next runs as it is and afterwards, without any where it is off, and what becomes of the rest.

    `zone_before` and `zone_after` are those of the two lists. `missed` are the slots that passed while it was off,
    where this decides about them: it switches it on, or gives it other times, so that they stay missed.
    """

    action: Action
    before: tuple[datetime, ...]
    after: tuple[datetime, ...]
    zone_before: str
    zone_after: str
    is_on_before: bool
    is_on_after: bool
    missed: Foreseen | None
    unreadable: MissedSlots | None
    standing: Standing

    @property
    def changes_times(self) -> bool:
        return self.before != self.after or self.is_on_before != self.is_on_after

    @property
    def replaces(self) -> bool:
        """Whether the run of a slot takes the place of those that have no end yet."""
        return any(slots is not None and slots.replaces for slots in (self.standing.due, self.missed))

    @property
    def cancelled(self) -> int:
        """How many runs end with it: those that wait now, and of a deletion those of slots that are due."""
        standing = self.standing
        if self.action is Action.DELETE:
            return standing.waiting + (0 if standing.due is None else len(standing.due.runs))
        return standing.waiting - standing.begun if self.replaces else 0

    @property
    def asked_to_stop(self) -> int:
        """How many runs that go on are asked to stop, because the run of a slot takes their place."""
        if not self.replaces:
            return 0
        return self.standing.running + (0 if self.action is Action.DELETE else self.standing.begun)


def standing_of(session: Session, schedule: ScheduleRow, *, now: datetime) -> Standing:
    """What the commands find before they change anything. Due slots are planned first, by what it says until then."""
    counts = _count_by_state(session, schedule)
    waiting = sum(counts.get((state, begun), 0) for state in _WAITING for begun in (True, False))
    return Standing(
        waiting=waiting,
        begun=counts.get((RunState.WAITING, True), 0),
        running=counts.get((RunState.RUNNING, False), 0),
        due=foresee_due(session, schedule, now=now),
    )


def edit_effect(
    session: Session, schedule: ScheduleRow, *, when: Rhythm, is_on: bool, now: datetime, count: int = NEXT_RUNS,
    missed: Missed = Missed.SKIP,
) -> Effect:  # fmt: skip
    """What saving a schedule with this rhythm does."""
    found = foresee_missed(session, schedule, missed=missed, now=now) if is_on else _lost(schedule, when, now)
    # What somebody is asked about is told as that.
    is_unreadable = schedule.problem is not None and found is None
    return Effect(
        action=Action.EDIT,
        before=_coming(schedule, now, count) if schedule.enabled else (),
        after=tuple(fire_times(when, after=now, limit=count)) if is_on else (),
        zone_before=schedule.timezone,
        zone_after=when.zone.name,
        is_on_before=schedule.enabled,
        is_on_after=is_on,
        missed=found,
        unreadable=_slots(_counted_by(schedule, when), schedule.cursor, now) if is_unreadable else None,
        standing=standing_of(session, schedule, now=now),
    )


def switch_effect(
    session: Session, schedule: ScheduleRow, *, is_on: bool, now: datetime, count: int = NEXT_RUNS,
    missed: Missed = Missed.SKIP,
) -> Effect:  # fmt: skip
    """What switching a schedule on or off does. `missed` says what becomes of the slots that it missed while off."""
    before = _coming(schedule, now, count) if schedule.enabled else ()
    # Switched on, also what was set aside is planned again.
    after = before if schedule.enabled else tuple(next_runs_of(schedule, now=now, count=count))
    return Effect(
        action=Action.RESUME if is_on else Action.PAUSE,
        before=before,
        after=after if is_on else (),
        zone_before=schedule.timezone,
        zone_after=schedule.timezone,
        is_on_before=schedule.enabled,
        is_on_after=is_on,
        missed=foresee_missed(session, schedule, missed=missed, now=now) if is_on else None,
        unreadable=None,
        standing=standing_of(session, schedule, now=now),
    )


def delete_effect(session: Session, schedule: ScheduleRow, *, now: datetime, count: int = NEXT_RUNS) -> Effect:
    """What deleting a schedule does."""
    return Effect(
        action=Action.DELETE,
        before=_coming(schedule, now, count) if schedule.enabled else (),
        after=(),
        zone_before=schedule.timezone,
        zone_after=schedule.timezone,
        is_on_before=schedule.enabled,
        is_on_after=False,
        missed=None,
        unreadable=None,
        standing=standing_of(session, schedule, now=now),
    )


def next_runs_of(schedule: ScheduleRow, *, now: datetime, count: int = NEXT_RUNS) -> Sequence[datetime]:
    """When it would run next if it is on; none for what cannot be read."""
    try:
        return tuple(fire_times(rhythm_of(schedule), after=now, limit=count))
    except Invalid:
        return ()


def _lost(schedule: ScheduleRow, when: Rhythm, now: datetime) -> Foreseen | None:
    """What it missed and nobody can decide about any more, where it stays off."""
    slots = lost_by_edit(schedule, when, now=now)
    return None if slots is None else Foreseen(lost=slots)


def _coming(schedule: ScheduleRow, now: datetime, count: int) -> tuple[datetime, ...]:
    return () if schedule.problem else tuple(next_runs_of(schedule, now=now, count=count))


def _counted_by(schedule: ScheduleRow, when: Rhythm) -> Rhythm:
    """What it said while it was set aside; what it says from now on where that cannot be read."""
    try:
        return rhythm_of(schedule)
    except Invalid:
        return when


def _slots(when: Rhythm, since: datetime | None, until: datetime) -> MissedSlots | None:
    gap = gap_between(when, since=since, until=until, why=DOWNTIME)
    return None if gap is None else MissedSlots(gap.slots, gap.first_slot_at, gap.last_slot_at)


def _count_by_state(session: Session, schedule: ScheduleRow) -> dict[tuple[RunState, bool], int]:
    """How many there are of each state, those apart that wait for the runs that they started."""
    states = [state.value for state in (*_WAITING, RunState.RUNNING)]
    query = (
        select(Run.state, Run.reason, func.count())
        .where(Run.organization_id == schedule.organization_id, Run.schedule_id == schedule.id, Run.state.in_(states))
        .group_by(Run.state, Run.reason)
    )
    counts: dict[tuple[RunState, bool], int] = {}
    for state, reason, count in session.execute(query).all():
        kind = RunState(state), state == RunState.WAITING and reason == Reason.CHILDREN
        counts[kind] = counts.get(kind, 0) + count
    return counts
