"""How far the events are read. Nothing is lost and nothing is taken twice, whatever order transactions commit in.

PostgreSQL hands out numbers before it commits: what is behind a number that is missing may come later. Such holes are
remembered, and read again until every transaction that could fill them has ended.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, cast, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.events.models import Event
from app.notifications.models import Cursor
from app.notifications.signals import EventFacts

log = logging.getLogger(__name__)

BATCH = 500
MOST_HOLES = 1_000
# A number is drawn a moment before its transaction can be seen to write. Nobody needs so long for that moment.
_MOMENT = timedelta(minutes=1)
_NAME = "events"
_COLUMNS = Event.id, Event.organization_id, Event.kind, Event.subject_id, Event.at, Event.data


@dataclass(frozen=True)
class Hole:
    """Numbers without an event, first and last, seen at that time: older transactions than `horizon` may fill it."""

    first: int
    last: int
    horizon: int
    seen_at: datetime

    def as_json(self) -> list[Any]:
        return [self.first, self.last, self.horizon, self.seen_at.isoformat()]

    @classmethod
    def of_json(cls, stored: list[Any]) -> "Hole":
        return cls(int(stored[0]), int(stored[1]), int(stored[2]), datetime.fromisoformat(stored[3]))

    def without(self, ids: Sequence[int]) -> "list[Hole]":
        """What is left when these have come."""
        left, begin = [], self.first
        for found in sorted(one for one in ids if self.first <= one <= self.last):
            if begin < found:
                left.append(Hole(begin, found - 1, self.horizon, self.seen_at))
            begin = found + 1
        if begin <= self.last:
            left.append(Hole(begin, self.last, self.horizon, self.seen_at))
        return left


@dataclass(frozen=True)
class Batch:
    """Events that nobody has taken before, and whether there are more."""

    events: list[EventFacts]
    is_full: bool


def has_events(session: Session) -> bool:
    """Whether there is anything to take: a look that needs no lock, and mostly finds nothing."""
    row = session.execute(select(Cursor.last_id, Cursor.holes).where(Cursor.name == _NAME)).one_or_none()
    if row is None or row.holes:
        return True
    newest: int | None = session.scalar(select(func.max(Event.id)))
    return newest is not None and newest > row[0]


def take_events(session: Session, *, now: datetime, limit: int = BATCH) -> Batch | None:
    """The next events, in the order of their numbers; the cursor moves with the caller's transaction.

    None where another teller is at it. Works as ENGINE. Begins with what is appended after its first call ever.
    """
    mine = select(Cursor).where(Cursor.name == _NAME).with_for_update(skip_locked=True)
    cursor = session.scalars(mine, execution_options={"populate_existing": True}).one_or_none()
    if cursor is None:
        # Locked by another teller, or there is none yet.
        if session.scalar(select(Cursor.name).where(Cursor.name == _NAME)) is None:
            _begin(session, now)
        return None
    if session.get_bind().dialect.name == "postgresql":
        return _take_with_holes(session, cursor, now, limit)
    found = _after(session, cursor.last_id, limit)
    if found:
        _move(session, found[-1].id, [], now)
    return Batch(found, len(found) == limit)


def _take_with_holes(session: Session, cursor: Cursor, now: datetime, limit: int) -> Batch:
    holes = [Hole.of_json(stored) for stored in cursor.holes]
    # In this order: whoever had ended before the first look is seen by the second one.
    oldest = session.scalar(_OLDEST) if holes else 0
    late = _within(session, holes) if holes else []
    found = _after(session, cursor.last_id, limit)
    came = [event.id for event in late]
    # Asked for last: every transaction that has drawn one of the missing numbers is older.
    new = _missing(cursor.last_id, [event.id for event in found])
    horizon = session.scalar(_NEWEST) if new else 0
    left = [rest for hole in holes if not _is_over(hole, oldest, now) for rest in hole.without(came)]
    left += [Hole(first, last, horizon, now) for first, last in new]
    if len(left) > MOST_HOLES:
        log.error("events may be lost: too many numbers are missing", extra={"holes": len(left)})
        left = left[-MOST_HOLES:]
    if found or [hole.as_json() for hole in left] != cursor.holes:
        _move(session, found[-1].id if found else cursor.last_id, left, now)
    return Batch([*late, *found], len(found) == limit)


_OLDEST = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
_NEWEST = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")


def _is_over(hole: Hole, oldest: int, now: datetime) -> bool:
    return oldest >= hole.horizon and now - hole.seen_at >= _MOMENT


def _after(session: Session, last_id: int, limit: int) -> list[EventFacts]:
    rows = session.execute(select(*_COLUMNS).where(Event.id > last_id).order_by(Event.id).limit(limit))
    return [_facts(row) for row in rows]


def _within(session: Session, holes: Sequence[Hole]) -> list[EventFacts]:
    bounds = [[getattr(hole, end) for hole in holes] for end in ("first", "last")]
    lists = (cast(bound, ARRAY(BigInteger)) for bound in bounds)
    ranges = func.unnest(*lists).table_valued("first", "last", name="holes").render_derived()
    query = select(*_COLUMNS).join(ranges, Event.id.between(ranges.c.first, ranges.c.last)).order_by(Event.id)
    return [_facts(row) for row in session.execute(query)]


def _facts(row: Any) -> EventFacts:
    return EventFacts(row.id, row.organization_id, row.kind, row.subject_id, row.at, row.data or {})


def _missing(last_id: int, ids: Sequence[int]) -> list[tuple[int, int]]:
    found, before = [], last_id
    for one in ids:
        if one > before + 1:
            found.append((before + 1, one - 1))
        before = one
    return found


def _move(session: Session, last_id: int, holes: Sequence[Hole], now: datetime) -> None:
    values = {"last_id": last_id, "holes": [hole.as_json() for hole in holes], "read_at": now}
    session.execute(update(Cursor).where(Cursor.name == _NAME).values(**values))


def _begin(session: Session, now: datetime) -> None:
    last_id = session.scalar(select(func.max(Event.id))) or 0
    values: dict[str, Any] = {"name": _NAME, "last_id": last_id, "holes": [], "read_at": now}
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(make(Cursor).values(**values).on_conflict_do_nothing())
