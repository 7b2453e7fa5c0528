"""What the clock changes of the next 400 days do to a rhythm, one line each. The rule itself is clock_changes.py."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.schedules.clock_changes import (
    DAY_MINUTES,
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST_JUMP,
    MINUTE,
    ClockChange,
    OffsetChange,
    changes_of_year,
    to_instant,
    to_minute,
)
from app.schedules.cron import CronExpression
from app.schedules.fire_times import Rhythm, count_fires
from app.schedules.intervals import Interval
from app.schedules.phrases import clock_text, day_text, listing
from app.schedules.rhythm_text import CronLines
from app.schedules.wall_times import count_wall_minutes
from app.schedules.walls import CronWalls, Walls
from app.schedules.zones import Zone

_AHEAD = timedelta(days=400)
# What is shown of a rare schedule may reach further; looking at a year takes half a millisecond.
_FURTHEST = timedelta(days=30 * 366)
# Of two equal times the first comes up to three hours before the change.
REPEATED = timedelta(minutes=LONGEST_JUMP)
_MOST_NAMED = 3


class ChangeNote(NamedTuple):
    """What a change of the clocks does to a rhythm, and when; of several in one line, the first."""

    at: datetime
    text: str


@dataclass(frozen=True)
class _Named:
    """The wall minutes of one rhythm, and what it does when the clocks change."""

    walls: Walls
    zone: Zone
    rule: ClockChange
    # With seconds, only the first one after a jump runs together with what was jumped over.
    has_seconds: bool


def clock_change_notes(rhythm: Rhythm, *, now: datetime, until: datetime | None = None) -> list[ChangeNote]:
    """The lines that concern this rhythm, in the order of time. A wildcard line needs one for all of them.

    They reach over 400 days, and to `until` where that is later.
    """
    if not FIRST_YEAR <= now.year < LAST_YEAR:
        return []
    times = rhythm.cron
    if isinstance(times, CronLines):
        lines = (replace(rhythm, cron=line) for line in times.lines)
        return [note for line in lines for note in clock_change_notes(line, now=now, until=until)]
    changes = changes_ahead(rhythm, now, until)
    if isinstance(times, Interval) and times.is_elapsed:
        return []
    if isinstance(times, CronExpression) and not times.is_fixed:
        return _spacing_note(rhythm, times, changes)
    walls: Walls = CronWalls(times) if isinstance(times, CronExpression) else times
    has_seconds = isinstance(times, CronExpression) and times.seconds != (0,)
    named = _Named(walls, rhythm.zone, rhythm.clock_change, has_seconds)
    return [ChangeNote(to_instant(change.at), note) for change in changes if (note := _fixed_note(named, change))]


def changes_ahead(rhythm: Rhythm, now: datetime, until: datetime | None = None) -> list[OffsetChange]:
    """The changes of its clocks, within 400 days, or up to `until` if that is later, and its bounds, in order."""
    begin, end = now, now + _AHEAD
    if until is not None and until > end:
        end = now + min(until - now, _FURTHEST) + REPEATED
    if rhythm.starts_at is not None:
        begin = min(max(begin, rhythm.starts_at), end)
    if rhythm.ends_at is not None:
        end = max(min(end, rhythm.ends_at), begin)
    start, stop = to_minute(begin), to_minute(end)
    years = range(begin.astimezone(UTC).year, min(end.astimezone(UTC).year, LAST_YEAR) + 1)
    changes = {change for year in years for change in changes_of_year(rhythm.zone, year) if start < change.at <= stop}
    return sorted(changes, key=lambda change: change.at)


def _fixed_note(named: _Named, change: OffsetChange) -> str | None:
    leaves, resumes = change.at + change.before, change.at + change.after
    if leaves - resumes > LONGEST_JUMP:
        return None
    affected = _minutes(named.walls, min(leaves, resumes), max(leaves, resumes))
    if not affected:
        return None
    day = f"{day_text(affected[0], with_weekday=True)} in {named.zone.city}"
    times = listing([clock_text(minute % DAY_MINUTES) for minute in affected[:_MOST_NAMED]])
    if len(affected) > _MOST_NAMED:
        times = f"{clock_text(affected[0] % DAY_MINUTES)} and what follows it"
    is_one = len(affected) == 1
    if resumes > leaves:
        return _gap_note(named, times, day, resumes, affected, is_one=is_one, is_day=resumes - leaves >= LONGEST_JUMP)
    happens = "happens" if is_one else "happen"
    runs = "runs" if is_one else "each runs"
    if named.rule is ClockChange.TWICE:
        return f"{times} {happens} twice on {day}: {runs} both times."
    return f"{times} {happens} twice on {day}: {runs} once, the first time."


def _gap_note(
    named: _Named, times: str, day: str, resumes: int, affected: list[int], *, is_one: bool, is_day: bool
) -> str:
    missing = f"{times} {'does' if is_one else 'do'} not exist on {day}"
    if named.rule is ClockChange.SKIP or is_day:
        return f"{missing}: {'does' if is_one else 'do'} not run then."
    back = clock_text(resumes % DAY_MINUTES)
    if not named.has_seconds and _minutes(named.walls, resumes, resumes + 1):
        midnight = resumes - resumes % DAY_MINUTES
        usual = named.walls.count(midnight, midnight + DAY_MINUTES)
        run = "run merges" if is_one else "runs merge"
        return f"{day_text(resumes)}: the {times} {run} with {back}: {_runs(usual - len(affected))} instead of {usual}."
    return f"{missing}: {'runs' if is_one else 'runs once'} at {back}."


def _spacing_note(rhythm: Rhythm, line: CronExpression, changes: list[OffsetChange]) -> list[ChangeNote]:
    days: list[str] = []
    first: datetime | None = None
    unbounded = replace(rhythm, starts_at=None, ends_at=None)
    for change in changes:
        wall = change.at + change.after
        midnight = wall - wall % DAY_MINUTES
        usual = count_wall_minutes(line, midnight, midnight + DAY_MINUTES) * len(line.seconds)
        actual = _count_on_day(unbounded, midnight)
        if actual != usual:
            first = first or to_instant(change.at)
            days.append(f"{_runs(actual) if not days else f'{actual:,}'} on {day_text(midnight, with_year=False)}")
    if first is None:
        return []
    minutes = line.minutes
    spacing = 60 // len(minutes)
    is_even = (
        line.seconds == (0,) and len(line.hours) == 24 and minutes == tuple(range(minutes[0], minutes[0] + 60, spacing))
    )
    kept = f"Keeps its {spacing}-minute spacing" if is_even else "Runs by elapsed time when the clocks change"
    return [ChangeNote(first, f"{kept}: {', '.join(days)}.")]


def _count_on_day(rhythm: Rhythm, midnight: int) -> int:
    """Runs between two local midnights, whatever the clocks do in between."""
    bounds = [
        (to_instant(wall).replace(tzinfo=rhythm.zone.tzinfo)) - MINUTE for wall in (midnight, midnight + DAY_MINUTES)
    ]
    return count_fires(rhythm, after=bounds[0], until=bounds[1])


def _minutes(walls: Walls, start: int, stop: int) -> list[int]:
    """The wall minutes that are named in [start, stop); one more than we would list is enough."""
    found: list[int] = []
    while len(found) <= DAY_MINUTES:
        minute = walls.first(found[-1] + 1 if found else start, stop)
        if minute is None:
            break
        found.append(minute)
    return found


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"
