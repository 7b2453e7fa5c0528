"""The last hour of each queue, minute by minute: kept a minute at a time by a scheduler, so that no page counts it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, delete, func, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.questions import Question, ask
from app.runs.filters import runs_of
from app.runs.models import Run, in_state
from app.runs.queue_models import QueueMinute
from app.runs.states import RunState

SHOWN = 60
MINUTE = 60
_KEPT = 2 * SHOWN
# Whoever counts every sixty seconds and a bit passes over a minute now and then.
_MOST_PASSED_OVER = 5
# Of a rate: longer than the one minute in which a burst ends, and short enough to follow.
_RATE_MINUTES = 5
_WAITING = (RunState.READY, RunState.WAITING, RunState.WAITING_RETRY)


@dataclass(frozen=True)
class QueueHour:
    """The last sixty minutes of a queue, the oldest first: how many waited, and how many ended in the one before."""

    waiting: tuple[int, ...]
    ended: tuple[int, ...]

    @property
    def per_minute(self) -> float:
        """How many ended in a minute, in the mean of the last five that are known."""
        # The present minute may not be written yet.
        known = self.ended[-_RATE_MINUTES - 1 : -1]
        return sum(known) / len(known)


NO_HOUR = QueueHour((0,) * SHOWN, (0,) * SHOWN)


def minute_of(moment: datetime) -> int:
    """Minutes since 1970."""
    return int(moment.timestamp()) // MINUTE


def keep_minute(session: Session, *, now: datetime, kept: int | None = None) -> int:
    """Write down how much waits in each queue of each organization, and what ended in the minute before. As the engine.

    `kept` is what the last call returned: the minute it wrote. One that was passed over since is written as well.
    Several who do so in one minute do no harm: the first one's count stays.
    """
    minute = minute_of(now)
    # Also those ahead, which were written before the clock was set back.
    is_old = or_(QueueMinute.minute < minute - _KEPT, QueueMinute.minute > minute + 1)
    session.execute(delete(QueueMinute).where(is_old))
    if session.scalar(select(QueueMinute.minute).where(QueueMinute.minute == minute).limit(1)) is None:
        first = minute if kept is None or not minute - _MOST_PASSED_OVER <= kept < minute else kept + 1
        waiting = _count_waiting(session)
        for each in range(first, minute + 1):
            _write(session, each, waiting, _count_ended(session, each - 1))
    return minute


def read_minutes(
    session: Session, *, organization_id: UUID | None, now: datetime, queues: Sequence[str] | None = None
) -> dict[str, QueueHour]:
    """The last hour of each queue, of one organization or, as PLATFORM, of all. Queues without any are left out."""
    return ask(session, minutes(organization_id=organization_id, now=now, queues=queues))


def minutes(
    *, organization_id: UUID | None, now: datetime, queues: Sequence[str] | None = None
) -> Question[dict[str, QueueHour]]:
    """The same as a question."""
    last = minute_of(now)
    query = select(QueueMinute.queue, QueueMinute.minute, func.sum(QueueMinute.waiting), func.sum(QueueMinute.ended))
    query = query.where(QueueMinute.minute > last - SHOWN, QueueMinute.minute <= last)
    if organization_id is not None:
        query = query.where(QueueMinute.organization_id == organization_id)
    if queues is not None:
        query = query.where(QueueMinute.queue.in_(queues))
    query = query.group_by(QueueMinute.queue, QueueMinute.minute)
    return Question(query, lambda rows: _hours(rows, last))


def _hours(rows: Sequence[Any], last: int) -> dict[str, QueueHour]:
    found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([0] * SHOWN, [0] * SHOWN))
    for queue, minute, waiting, ended in rows:
        place = minute - (last - SHOWN + 1)
        found[queue][0][place], found[queue][1][place] = int(waiting), int(ended)
    return {queue: QueueHour(tuple(waiting), tuple(ended)) for queue, (waiting, ended) in found.items()}


def _write(
    session: Session, minute: int, waiting: dict[tuple[UUID, str], int], ended: dict[tuple[UUID, str], int]
) -> None:
    rows = [
        {"organization_id": owner, "queue": queue, "minute": minute}
        | {"waiting": waiting.get((owner, queue), 0), "ended": ended.get((owner, queue), 0)}
        for owner, queue in {*waiting, *ended}
    ]
    if rows:
        session.execute(_insert_or_ignore(session), rows)


def _count_waiting(session: Session) -> dict[tuple[UUID, str], int]:
    # Each state by its own small index: together they would be looked for among all runs.
    states = [select(Run.organization_id, Run.queue).where(in_state(state)) for state in _WAITING]
    live = union_all(*states).subquery()
    key = (live.c.organization_id, live.c.queue)
    return {(owner, queue): count for owner, queue, count in session.execute(select(*key, func.count()).group_by(*key))}


def _count_ended(session: Session, minute: int) -> dict[tuple[UUID, str], int]:
    """Of one full minute, for each organization by the index of what has finished."""
    begin = datetime.fromtimestamp(minute * MINUTE, UTC)
    key = (Run.organization_id, Run.queue)
    within = Run.finished_at >= begin, Run.finished_at < begin + timedelta(seconds=MINUTE), Run.started_at.is_not(None)
    query = select(*key, func.count()).where(runs_of(None), *within).group_by(*key)
    return {(owner, queue): count for owner, queue, count in session.execute(query)}


def _insert_or_ignore(session: Session) -> Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(QueueMinute).on_conflict_do_nothing()
    return postgresql.insert(QueueMinute).on_conflict_do_nothing()
