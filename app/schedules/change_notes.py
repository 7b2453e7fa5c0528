"""What the clock changes of the next 400 days do to a rhythm, one line each. The rule itself is clock_changes.py."""

from datetime import UTC, datetime, timedelta

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
from app.schedules.fire_times import Rhythm, count_fires
from app.schedules.phrases import MONTHS, WEEKDAYS, clock_text, listing
from app.schedules.wall_times import count_wall_minutes, first_wall_minute

_AHEAD = timedelta(days=400)
_MOST_NAMED = 3


def clock_change_notes(rhythm: Rhythm, *, now: datetime) -> list[str]:
    """The lines that concern this rhythm, in the order of time. A wildcard rhythm needs one line for all of them."""
    if not FIRST_YEAR <= now.year < LAST_YEAR:
        return []
    start, stop = to_minute(now), to_minute(now + _AHEAD)
    years = range(now.astimezone(UTC).year, min((now + _AHEAD).year, LAST_YEAR) + 1)
    changes = {change for year in years for change in changes_of_year(rhythm.zone, year) if start < change.at <= stop}
    ordered = sorted(changes, key=lambda change: change.at)
    if rhythm.rule is None:
        return _spacing_note(rhythm, ordered)
    lines = [_fixed_note(rhythm, change) for change in ordered]
    return [line for line in lines if line]


def _fixed_note(rhythm: Rhythm, change: OffsetChange) -> str | None:
    leaves, resumes = change.at + change.before, change.at + change.after
    if leaves - resumes > LONGEST_JUMP:
        return None
    affected = _named(rhythm, min(leaves, resumes), max(leaves, resumes))
    if not affected:
        return None
    day = f"{_date(affected[0], with_weekday=True)} in {rhythm.zone.city}"
    times = listing([clock_text(minute % DAY_MINUTES) for minute in affected[:_MOST_NAMED]])
    if len(affected) > _MOST_NAMED:
        times = f"{clock_text(affected[0] % DAY_MINUTES)} and what follows it"
    is_one = len(affected) == 1
    if resumes > leaves:
        return _gap_note(rhythm, times, day, resumes, affected, is_one=is_one, is_day=resumes - leaves >= LONGEST_JUMP)
    happens = "happens" if is_one else "happen"
    runs = "runs" if is_one else "each runs"
    if rhythm.rule is ClockChange.TWICE:
        return f"{times} {happens} twice on {day}: {runs} both times."
    return f"{times} {happens} twice on {day}: {runs} once, the first time."


def _gap_note(
    rhythm: Rhythm, times: str, day: str, resumes: int, affected: list[int], *, is_one: bool, is_day: bool
) -> str:
    missing = f"{times} {'does' if is_one else 'do'} not exist on {day}"
    if rhythm.rule is ClockChange.SKIP or is_day:
        return f"{missing}: does not run then."
    back = clock_text(resumes % DAY_MINUTES)
    if _named(rhythm, resumes, resumes + 1):
        midnight = resumes - resumes % DAY_MINUTES
        usual = count_wall_minutes(rhythm.cron, midnight, midnight + DAY_MINUTES)
        run = "run merges" if is_one else "runs merge"
        return f"{_date(resumes)}: the {times} {run} with {back}: {_runs(usual - len(affected))} instead of {usual}."
    return f"{missing}: {'runs' if is_one else 'runs once'} at {back}."


def _spacing_note(rhythm: Rhythm, changes: list[OffsetChange]) -> list[str]:
    days: list[str] = []
    for change in changes:
        wall = change.at + change.after
        midnight = wall - wall % DAY_MINUTES
        usual = count_wall_minutes(rhythm.cron, midnight, midnight + DAY_MINUTES)
        actual = _count_on_day(rhythm, midnight)
        if actual != usual:
            days.append(f"{_runs(actual) if not days else f'{actual:,}'} on {_date(midnight, with_year=False)}")
    if not days:
        return []
    minutes = rhythm.cron.minutes
    spacing = 60 // len(minutes)
    is_even = len(rhythm.cron.hours) == 24 and minutes == tuple(range(minutes[0], minutes[0] + 60, spacing))
    kept = f"Keeps its {spacing}-minute spacing" if is_even else "Runs by elapsed time when the clocks change"
    return [f"{kept}: {', '.join(days)}."]


def _count_on_day(rhythm: Rhythm, midnight: int) -> int:
    """Runs between two local midnights, whatever the clocks do in between."""
    bounds = [
        (to_instant(wall).replace(tzinfo=rhythm.zone.tzinfo)) - MINUTE for wall in (midnight, midnight + DAY_MINUTES)
    ]
    return count_fires(rhythm, after=bounds[0], until=bounds[1])


def _named(rhythm: Rhythm, start: int, stop: int) -> list[int]:
    """The wall minutes the cron line names in [start, stop); one more than we would list is enough."""
    found: list[int] = []
    while len(found) <= DAY_MINUTES:
        minute = first_wall_minute(rhythm.cron, found[-1] + 1 if found else start, stop)
        if minute is None:
            break
        found.append(minute)
    return found


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _date(minute: int, *, with_weekday: bool = False, with_year: bool = True) -> str:
    """“Sun 14 Mar 2027”, spelled by us: strftime would follow the machine's locale."""
    wall = to_instant(minute)
    weekday = f"{WEEKDAYS[wall.isoweekday() % 7][:3]} " if with_weekday else ""
    return f"{weekday}{wall.day} {MONTHS[wall.month - 1][:3]}{f' {wall.year}' if with_year else ''}"
