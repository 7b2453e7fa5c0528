"""The rhythms of stored schedules, for whoever reads many of them and nothing else of each."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.schedules.day_minutes import minutes_of
from app.schedules.fire_times import Rhythm
from app.schedules.models import Schedule
from app.schedules.service import rhythm_of

# What a rhythm follows from, beside the spread key.
RHYTHM_COLUMNS = (
    *(Schedule.cron, Schedule.timezone, Schedule.clock_change),
    *(Schedule.has_seconds, Schedule.starts_at, Schedule.ends_at),
)
_NAMES = tuple(column.key for column in (*RHYTHM_COLUMNS, Schedule.spread_key))
# A tick passes over what somebody else holds, so nobody holds many.
_MOST_AT_ONCE = 50
_UNREADABLE = b""


def stored_rhythm(says: Mapping[str, Any] | RowMapping) -> Rhythm:
    """The rhythm that these columns make. Raises CronInvalid or UnknownZone for what cannot be read any more."""
    # Belongs to no session: a rhythm is made in one place, and that takes a schedule.
    return rhythm_of(Schedule(**{name: says[name] for name in _NAMES}))


def fill_minutes(session: Session, *, limit: int) -> int:
    """Keep the minutes of some schedules that have none, because an earlier version saved them.

    Works as the engine, on all organizations. Returns how many it looked at; 0 means that all have theirs.
    """
    columns = Schedule.id, Schedule.version, Schedule.spread_key, *RHYTHM_COLUMNS
    lacking = Schedule.minutes.is_(None)
    query = select(*columns).where(lacking, Schedule.deleted_at.is_(None)).limit(min(limit, _MOST_AT_ONCE))
    rows = session.execute(query).mappings().all()
    for row in rows:
        unchanged = Schedule.id == row["id"], Schedule.version == row["version"], lacking
        session.execute(update(Schedule).where(*unchanged).values(minutes=_minutes_of(row)))
    return len(rows)


def _minutes_of(row: RowMapping) -> bytes:
    try:
        return minutes_of(stored_rhythm(row))
    except Invalid:
        # Not asked about again; whoever mends its text saves its minutes.
        return _UNREADABLE
