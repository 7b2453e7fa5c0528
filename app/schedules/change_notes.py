"""What the clock changes of the next 400 days do to a rhythm, one line each. The rule itself is clock_changes.py."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.schedules.change_words import at_fixed_times
from app.schedules.clock_changes import (
    DAY_MINUTES,
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST_JUMP,
    OffsetChange,
    changes_of_year,
    to_instant,
    to_minute,
)
from app.schedules.cron import CronExpression
from app.schedules.fire_times import MOMENT, Rhythm
from app.schedules.local_days import runs_instead
from app.schedules.on_clocks import OnClocks
from app.schedules.phrases import day_text

_AHEAD = timedelta(days=400)
# What is shown of a rare schedule may reach further; looking at a year takes half a millisecond.
_FURTHEST = timedelta(days=30 * 366)
# Of two equal times the first comes up to three hours before the change.
REPEATED = timedelta(minutes=LONGEST_JUMP)


class ChangeNote(NamedTuple):
    """What a change of the clocks does to a rhythm, and when; of several in one line, the first."""

    at: datetime
    text: str


def clock_change_notes(rhythm: Rhythm, *, now: datetime, until: datetime | None = None) -> list[ChangeNote]:
    """The lines that concern this rhythm, in the order of time. What runs by elapsed time needs one for all of them.

    They reach over 400 days, and to `until` where that is later.
    """
    changes = _changes(rhythm, now, until)
    found = [*_of_fixed_times(rhythm, changes), *_of_elapsed_time(rhythm, changes)]
    return sorted(found, key=lambda note: note.at)


def fixed_time_notes(rhythm: Rhythm, *, now: datetime) -> list[ChangeNote]:
    """Those of them that concern times on the clock, which a change leaves out or repeats."""
    return _of_fixed_times(rhythm, _changes(rhythm, now, None))


def changes_ahead(rhythm: Rhythm, now: datetime, until: datetime | None = None) -> list[OffsetChange]:
    """The changes of its clocks, within 400 days, or up to `until` if that is later, and its bounds, in order."""
    begin, end = now, now + _AHEAD
    if until is not None and until > end:
        end = now + min(until - now, _FURTHEST) + REPEATED
    if rhythm.starts_at is not None:
        # What was jumped over at that very moment still runs.
        begin = min(max(begin, rhythm.starts_at - MOMENT), end)
    if rhythm.ends_at is not None:
        end = max(min(end, rhythm.ends_at), begin)
    start, stop = to_minute(begin), to_minute(end)
    years = range(begin.astimezone(UTC).year, min(end.astimezone(UTC).year, LAST_YEAR) + 1)
    changes = {change for year in years for change in changes_of_year(rhythm.zone, year) if start < change.at <= stop}
    return sorted(changes, key=lambda change: change.at)


def _changes(rhythm: Rhythm, now: datetime, until: datetime | None) -> list[OffsetChange]:
    return changes_ahead(rhythm, now, until) if FIRST_YEAR <= now.year < LAST_YEAR else []


def _of_fixed_times(rhythm: Rhythm, changes: list[OffsetChange]) -> list[ChangeNote]:
    return [ChangeNote(to_instant(change.at), text) for change in changes for text in at_fixed_times(rhythm, change)]


def _of_elapsed_time(rhythm: Rhythm, changes: list[OffsetChange]) -> list[ChangeNote]:
    parts = [part for part in rhythm.parts if isinstance(part, OnClocks)]
    if all(part.rule is not None for part in parts):
        return []
    days: list[str] = []
    told: list[OffsetChange] = []
    for change in changes:
        walls = sorted((change.at + change.before, change.at + change.after))
        for day in range(walls[0] // DAY_MINUTES, (walls[1] - 1) // DAY_MINUTES + 1):
            instead = runs_instead(rhythm, day)
            if instead is not None:
                count = instead.actual
                runs = ("1 run" if count == 1 else f"{count:,} runs") if not days else f"{count:,}"
                days.append(f"{runs} on {day_text(day * DAY_MINUTES, with_year=False)}")
                told.append(change)
    if not told:
        return []
    return [ChangeNote(to_instant(told[0].at), f"{_pace_words(rhythm, told)}: {', '.join(days)}.")]


def _pace_words(rhythm: Rhythm, changes: list[OffsetChange]) -> str:
    line = rhythm.cron
    if not isinstance(line, CronExpression):
        is_mixed = len(rhythm.parts) > 1
        return f"{'What repeats through the day runs' if is_mixed else 'Runs'} by elapsed time when the clocks change"
    minutes, spacing = line.minutes, 60 // len(line.minutes)
    is_even = line.seconds == (0,) and len(line.hours) == 24
    is_even = is_even and minutes == tuple(range(minutes[0], minutes[0] + 60, spacing))
    # Where the clocks are moved by half an hour, what comes every hour does not come an hour later.
    if is_even and not any((change.after - change.before) % spacing for change in changes):
        return f"Keeps its {spacing}-minute spacing"
    return "Runs by elapsed time when the clocks change"
