"""The rhythms of stored schedules, for whoever reads many of them and nothing else of each."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.schedules.day_minutes import minutes_of
from app.schedules.fire_times import Rhythm
from app.schedules.models import Schedule
from app.schedules.stored_rhythms import RHYTHM_COLUMNS, StoredRhythm, rhythm_of

# Schedules that say the same without H fire together, whatever their spread keys are.
COLUMNS_BESIDE_KEY = tuple(column for column in RHYTHM_COLUMNS if column.key != Schedule.spread_key.key)
# A tick passes over what somebody else holds, so nobody holds many.
_MOST_AT_ONCE = 50
_UNREADABLE = b""


def stored_rhythm(says: Mapping[str, Any] | RowMapping) -> Rhythm:
    """The rhythm that these columns make. Raises CronInvalid or UnknownZone for what cannot be read any more."""
    return rhythm_of(StoredRhythm(**{name: says[name] for name in StoredRhythm._fields}))


def fill_minutes(session: Session, *, limit: int) -> int:
    """Keep the minutes of some schedules that have none, because an earlier version saved them.

    Works as the engine, on all organizations. Returns how many it looked at; 0 means that all have theirs.
    """
    columns = Schedule.id, Schedule.version, *RHYTHM_COLUMNS
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
