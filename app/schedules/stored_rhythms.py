"""A rhythm from what is stored of it: every reader asks for the same columns, so that none forgets one."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy.orm import InstrumentedAttribute

from app.core.errors import Invalid
from app.schedules.clock_changes import ClockChange
from app.schedules.fire_times import Rhythm, rhythm
from app.schedules.models import Schedule


class SaysWhen(Protocol):
    """Whatever says all that decides when a schedule fires: a row, a draft, or some columns."""

    @property
    def cron(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def spread_key(self) -> str: ...
    @property
    def clock_change(self) -> str: ...
    @property
    def has_seconds(self) -> bool: ...
    @property
    def starts_at(self) -> datetime | None: ...
    @property
    def ends_at(self) -> datetime | None: ...


class StoredRhythm(NamedTuple):
    """The columns that decide when a schedule fires."""

    cron: str
    timezone: str
    spread_key: str
    clock_change: str
    has_seconds: bool
    starts_at: datetime | None
    ends_at: datetime | None


RHYTHM_COLUMNS: tuple[InstrumentedAttribute[Any], ...] = tuple(getattr(Schedule, name) for name in StoredRhythm._fields)


def rhythm_of(schedule: SaysWhen) -> Rhythm:
    """When a stored schedule fires. Raises CronInvalid or UnknownZone for a row that cannot be read any more."""
    return rhythm(
        schedule.cron,
        timezone=schedule.timezone,
        spread_key=schedule.spread_key,
        clock_change=_CLOCK_CHANGES[schedule.clock_change],
        has_seconds=schedule.has_seconds,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
    )


# Looked up and not called: the planner asks ten thousand times in a busy second.
_CLOCK_CHANGES = {each.value: each for each in ClockChange}


def is_same_rhythm(when: Rhythm, schedule: SaysWhen) -> bool:
    """Whether a stored schedule fires by this rhythm already."""
    try:
        return rhythm_of(schedule) == when
    except Invalid:
        return False
