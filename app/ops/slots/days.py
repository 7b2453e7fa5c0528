"""A day on the clock of a schedule, from its first instant up to the first of the next. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.errors import Invalid

# A calendar ends in 9999, and a zone's offset has to fit in before that.
YEARS = range(1970, 9991)


class DayInvalid(Invalid):
    """There is no such day, or it has not begun."""


@dataclass(frozen=True)
class Day:
    """The instants of a day; a day on which the clocks change is shorter or longer than others."""

    on: date
    zone: str
    start: datetime
    end: datetime

    @property
    def before(self) -> date:
        return self.on - timedelta(days=1)

    @property
    def after(self) -> date:
        return self.on + timedelta(days=1)


def read_day(text: str | None, *, zone: str, now: datetime) -> Day:
    """The day that somebody names, as 2026-11-20; today without a name. Raises DayInvalid for one yet to come."""
    today = now.astimezone(ZoneInfo(zone)).date()
    try:
        found = date.fromisoformat(text) if text else today
    except ValueError as error:
        raise DayInvalid(f"{text!r} is no day. Write it as {today}.", field="day") from error
    if found > today:
        raise DayInvalid(f"{found} is yet to come. Choose {today} or a day before it.", field="day")
    if found.year not in YEARS:
        raise DayInvalid(f"{found} is out of reach. Choose a day of the years since {YEARS[0]}.", field="day")
    return Day(found, zone, _midnight(found, zone), _midnight(found + timedelta(days=1), zone))


def _midnight(day: date, zone: str) -> datetime:
    # Where the clocks jump over midnight, this is the instant at which they do.
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
