"""What a schedule may say about when it runs: not nothing, not only the past, and nothing out of reach."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.core.errors import Invalid
from app.schedules.clock_changes import ClockChange, to_minute
from app.schedules.fire_times import Rhythm, next_fire
from app.schedules.single_times import SingleTimes

# A scheduler takes a next time that lies further away for a wrong one.
_REACH = timedelta(days=60 * 365)
_YEARS = range(2000, 2200)


class TimesInvalid(Invalid):
    """The times cannot be accepted: none lies ahead, or the bounds leave none."""


def clean_bound(at: datetime | None, *, field: str) -> datetime | None:
    """A start or an end in UTC. Raises TimesInvalid for a year nobody means."""
    if at is None:
        return None
    try:
        found = at.astimezone(UTC)
    except OverflowError:
        found = None
    if found is None or found.year not in _YEARS:
        message = f"The {field.partition('s_')[0]} is out of reach. Use the years {_YEARS[0]} to {_YEARS[-1]}."
        raise TimesInvalid(message, field=field)
    return found


def refuse_never(when: Rhythm, *, now: datetime) -> None:
    """Raises TimesInvalid for a rhythm of which no time lies ahead, in words for the field that is to blame."""
    if when.starts_at is not None and when.ends_at is not None and when.ends_at <= when.starts_at:
        raise TimesInvalid("The end is not behind the start. Choose a later one.", field="ends_at")
    if when.ends_at is not None and when.ends_at <= now:
        raise TimesInvalid("The end has passed already. Choose a later one, or none.", field="ends_at")
    if when.cron.is_manual:
        return
    first = next_fire(when, after=now)
    if first is None:
        raise _never(when, now)
    if first - now > _REACH:
        field = "cron" if when.starts_at is None else "starts_at"
        raise TimesInvalid("Its first time is more than sixty years away. Choose an earlier one.", field=field)


def _never(when: Rhythm, now: datetime) -> TimesInvalid:
    if next_fire(replace(when, starts_at=None, ends_at=None), after=now) is not None:
        return TimesInvalid("No run fits between the start and the end. Move one of the two.", field="ends_at")
    if isinstance(when.cron, SingleTimes):
        here = to_minute(now.astimezone(when.zone.tzinfo).replace(tzinfo=UTC))
        if when.cron.minutes[-1] <= here:
            words = "This time has passed" if len(when.cron.minutes) == 1 else "All of these times have passed"
            return TimesInvalid(f"{words}. Choose one that lies ahead.", field="cron")
        if next_fire(replace(when, clock_change=ClockChange.ONCE), after=now) is not None:
            return TimesInvalid(
                "The clocks jump over this time, and by this rule it is left out. "
                "Choose another time, or let it run right after the gap.",
                field="cron",
            )
    return TimesInvalid("This never happens in this time zone. Choose another time.", field="cron")
