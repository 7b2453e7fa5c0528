"""The last runs of many schedules at once: as much of each as a list shows. Bounded, however many there were."""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, select, true
from sqlalchemy.orm import Session, aliased

from app.core.columns import UTCDateTime
from app.runs.models import Run
from app.runs.outcomes import Outcome, outcome_of
from app.runs.states import Reason, RunState
from app.schedules.gaps import GapRow
from app.schedules.models import Schedule

RECENT_COLUMNS = (
    Run.id, Run.state, Run.reason, Run.attempt, Run.due_at, Run.started_at, Run.finished_at, Run.slow_at,
    Run.cancel_requested_at, Run.created_at,
)  # fmt: skip
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# To look one up by its word takes long for each of many.
_STATES = {state.value: state for state in RunState}
_NO_RUN = UUID(int=0)


@dataclass(frozen=True)
class RecentRun:
    """One run: when it began or was due, and how long it took, or has taken up to now."""

    id: UUID
    outcome: Outcome
    at: datetime
    took: timedelta | None


@dataclass(frozen=True)
class ListedRun(RecentRun):
    """The same with what a badge says."""

    state: RunState
    reason: Reason | None
    attempt: int
    is_slow: bool
    is_being_cancelled: bool


def recent_runs(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], each: int, now: datetime
) -> dict[UUID, list[ListedRun]]:
    """The last runs of each schedule that has any, at most so many, the oldest first. One statement."""
    if not schedule_ids:
        return {}
    is_postgres = session.get_bind().dialect.name == "postgresql"
    query = _beside_each(each) if is_postgres else _not_before_nth(each)
    mine = (Schedule.organization_id == organization_id, Schedule.id.in_(schedule_ids))
    found: dict[UUID, list[ListedRun]] = defaultdict(list)
    for row in session.execute(query.where(*mine)):
        found[row[0]].append(listed_run(row, now))
    # Several may have been made in the same instant as the first one.
    return {schedule_id: runs[-each:] for schedule_id, runs in found.items()}


def with_missed(runs: Sequence[RecentRun], gaps: Sequence[GapRow], *, most: int) -> list[RecentRun]:
    """The newest of the runs and of the slots that nobody executed, by their times, the oldest first.

    Slots are taken to lie evenly in their range, and have no run to name.
    """
    return among_missed(runs, gaps, of_each=most)[-most:]


def among_missed(
    runs: Sequence[RecentRun], gaps: Sequence[GapRow], *, of_each: int,
    since: datetime = _LONG_AGO, until: datetime | None = None,
) -> list[RecentRun]:  # fmt: skip
    """All of the runs, and of each range the newest slots between two times, the oldest first."""
    slots = heapq.merge(*(_slots_of(gap, of_each) for gap in gaps), key=_time)
    shown = (slot for slot in slots if since <= slot.at and (until is None or slot.at <= until))
    return list(heapq.merge(runs, shown, key=_time))


def _time(run: RecentRun) -> datetime:
    return run.at


def _slots_of(gap: GapRow, most: int) -> list[RecentRun]:
    """The newest of them, the oldest first."""
    shown = min(gap.slots, most)
    step = (gap.last_slot_at - gap.first_slot_at) / max(gap.slots - 1, 1)
    times = [gap.last_slot_at - number * step for number in reversed(range(shown))]
    return [RecentRun(_NO_RUN, Outcome.MISSED, at, None) for at in times]


def _beside_each(each: int) -> Select[*tuple[Any, ...]]:
    """Read schedule by schedule, which without figures about its tables this database would not think of by itself."""
    last = (
        select(*RECENT_COLUMNS)
        .where(Run.schedule_id == Schedule.id)
        .order_by(Run.created_at.desc())
        .limit(each)
        .lateral()
    )
    return select(Schedule.id, *last.c).join(last, true()).order_by(last.c.created_at, last.c.id)


def _not_before_nth(each: int) -> Select[*tuple[Any, ...]]:
    """The same where a table cannot be read beside another one. What is compared with nothing is never true."""
    nth = aliased(Run)
    made_at = select(nth.created_at).where(nth.schedule_id == Schedule.id).order_by(nth.created_at.desc())
    edge = made_at.offset(each - 1).limit(1).scalar_subquery()
    # Without an “or”, which would keep the index from being used: one with fewer runs has no edge.
    is_recent = Run.created_at >= func.coalesce(edge, literal(_LONG_AGO, UTCDateTime()))
    query = select(Schedule.id, *RECENT_COLUMNS).join_from(Schedule, Run, Run.schedule_id == Schedule.id)
    return query.where(is_recent).order_by(Run.created_at, Run.id)


def listed_run(row: Any, now: datetime) -> ListedRun:
    """A run as a list shows it, of something and the columns of RECENT_COLUMNS."""
    _, run_id, state, reason, attempt, due_at, started_at, finished_at, slow_at, cancel_requested_at, _ = row
    known = _STATES[state]
    is_running = known is RunState.RUNNING
    return ListedRun(
        id=run_id,
        outcome=outcome_of(known, is_retried=attempt > 1),
        at=started_at or due_at,
        took=None if started_at is None else (finished_at or now) - started_at,
        state=known,
        reason=Reason(reason) if reason else None,
        attempt=attempt,
        is_slow=is_running and slow_at is not None,
        is_being_cancelled=is_running and cancel_requested_at is not None,
    )
