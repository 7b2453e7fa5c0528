"""The rhythms of stored schedules, for whoever reads many of them and nothing else of each."""

from collections.abc import Mapping
from typing import Any

from app.schedules.fire_times import Rhythm
from app.schedules.models import Schedule
from app.schedules.service import rhythm_of

# What a rhythm follows from, beside the spread key.
RHYTHM_COLUMNS = (
    *(Schedule.cron, Schedule.timezone, Schedule.clock_change),
    *(Schedule.has_seconds, Schedule.starts_at, Schedule.ends_at),
)
_NAMES = tuple(column.key for column in (*RHYTHM_COLUMNS, Schedule.spread_key))


def stored_rhythm(says: Mapping[str, Any]) -> Rhythm:
    """The rhythm that these columns make. Raises CronInvalid or UnknownZone for what cannot be read any more."""
    # Belongs to no session: a rhythm is made in one place, and that takes a schedule.
    return rhythm_of(Schedule(**{name: says[name] for name in _NAMES}))
