"""What one change of the clocks does to the times that a rhythm names on the clock, in sentences. Pure.

Told is what the whole rhythm then does: another line may name the time at which one is made up for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from app.schedules.clock_changes import DAY_MINUTES, LONGEST_JUMP, ORIGIN, ClockChange, OffsetChange, to_instant
from app.schedules.fire_times import Rhythm
from app.schedules.local_days import named_walls, runs_instead
from app.schedules.on_clocks import OnClocks
from app.schedules.phrases import clock_text, day_text, listing
from app.schedules.walls import A_MINUTE, Walls

_MOST_NAMED = 3


def at_fixed_times(rhythm: Rhythm, change: OffsetChange) -> Iterator[str]:
    """What becomes of the named times that it leaves out or repeats: a sentence for each fate among them."""
    fixed = next((part for part in rhythm.parts if isinstance(part, OnClocks) and part.rule is not None), None)
    leaves, resumes = change.at + change.before, change.at + change.after
    if fixed is None or leaves - resumes > LONGEST_JUMP:
        return
    named = _minutes(fixed.walls, min(leaves, resumes), max(leaves, resumes))
    for day, of_day in groupby(named, key=lambda minute: minute // DAY_MINUTES):
        if resumes > leaves:
            yield from _left_out(rhythm, fixed, change, _Times(rhythm, day, list(of_day)))
        else:
            yield from _repeated(rhythm, fixed, change, list(of_day))


@dataclass(frozen=True)
class _Times:
    """Named minutes of one day, as people read them."""

    rhythm: Rhythm
    day: int
    minutes: Sequence[int]

    @property
    def clocks(self) -> str:
        """“02:00 and 02:30”, or the first of many."""
        if len(self.minutes) > _MOST_NAMED:
            return f"{clock_text(self.minutes[0] % DAY_MINUTES)} and what follows it"
        return listing([clock_text(minute % DAY_MINUTES) for minute in self.minutes])

    @property
    def date(self) -> str:
        """“Sun 14 Mar 2027 in New York”."""
        return f"{day_text(self.minutes[0], with_weekday=True)} in {self.rhythm.zone.city}"

    @property
    def is_one(self) -> bool:
        return len(self.minutes) == 1


def _left_out(rhythm: Rhythm, fixed: OnClocks, change: OffsetChange, times: _Times) -> Iterator[str]:
    if not _is_within(rhythm, to_instant(change.at)):
        # It begins after the jump, or ends with it, so that nobody expects what lies in it.
        return
    resumes, length = change.at + change.after, change.after - change.before
    missing = f"{times.clocks} {'does' if times.is_one else 'do'} not exist on {times.date}"
    if fixed.rule is ClockChange.SKIP or length >= LONGEST_JUMP:
        yield f"{missing}: {'does' if times.is_one else 'do'} not run then."
        return
    back = clock_text(resumes % DAY_MINUTES)
    walls = named_walls(rhythm)
    at = resumes * (A_MINUTE // walls.unit)
    if walls.first(at, at + 1) is None:
        yield f"{missing}: {'runs' if times.is_one and fixed.walls.unit == A_MINUTE else 'runs once'} at {back}."
        return
    on = "" if resumes // DAY_MINUTES == times.day else f" on {day_text(resumes)}"
    run = "run merges" if times.is_one else "runs merge"
    yield f"{day_text(times.minutes[0])}: the {times.clocks} {run} with {back}{on}{_count_words(rhythm, times.day)}."


def _count_words(rhythm: Rhythm, day: int) -> str:
    """“: 1 run instead of 2”, where that is so because of the clocks alone."""
    is_alone = all(isinstance(part, OnClocks) and part.rule is not None for part in rhythm.parts)
    found = runs_instead(rhythm, day) if is_alone else None
    if found is None or found.actual > found.usual:
        return ""
    return f": {'1 run' if found.actual == 1 else f'{found.actual:,} runs'} instead of {found.usual:,}"


def _repeated(rhythm: Rhythm, fixed: OnClocks, change: OffsetChange, minutes: Sequence[int]) -> Iterator[str]:
    def fate(minute: int) -> tuple[bool, bool]:
        return _runs_first(rhythm, fixed, change, minute), _runs_again(rhythm, fixed, change, minute)

    for (runs_first, runs_again), group in groupby(minutes, key=fate):
        alike = list(group)
        times = _Times(rhythm, alike[0] // DAY_MINUTES, alike)
        twice = f"{times.clocks} {'happens' if times.is_one else 'happen'} twice on {times.date}"
        runs = "runs" if times.is_one else "each runs"
        if runs_first and runs_again:
            yield f"{twice}: {runs} both times."
        elif runs_first or runs_again:
            which = "first" if runs_first else "second"
            # With seconds, one time on the clock may be several runs.
            once = f"{runs} once, the {which} time" if fixed.walls.unit == A_MINUTE else f"runs the {which} time only"
            yield f"{twice}: {once}."
        else:
            yield f"{twice}: {'does' if times.is_one else 'do'} not run, because the first time lies before the start."


def _runs_first(rhythm: Rhythm, fixed: OnClocks, change: OffsetChange, minute: int) -> bool:
    return _is_within(rhythm, _instant(fixed.walls, minute, change.before))


def _runs_again(rhythm: Rhythm, fixed: OnClocks, change: OffsetChange, minute: int) -> bool:
    if not _is_within(rhythm, _instant(fixed.walls, minute, change.after)):
        return False
    # What runs by elapsed time does so whenever its clock shows a time.
    others = (part for part in rhythm.parts if isinstance(part, OnClocks) and part.rule is None)
    return fixed.rule is ClockChange.TWICE or any(_minutes(part.walls, minute, minute + 1) for part in others)


def _instant(walls: Walls, minute: int, offset: int) -> datetime:
    """When the clock shows the first named time of a minute."""
    steps = A_MINUTE // walls.unit
    found = walls.first(minute * steps, (minute + 1) * steps)
    assert found is not None
    return ORIGIN + (found - offset * steps) * timedelta(seconds=walls.unit)


def _is_within(rhythm: Rhythm, at: datetime) -> bool:
    begins, ends = rhythm.starts_at, rhythm.ends_at
    return (begins is None or begins <= at) and (ends is None or at < ends)


def _minutes(walls: Walls, start: int, stop: int) -> list[int]:
    """The wall minutes in [start, stop) in which something is named; a day has 1,440 of them."""
    steps = A_MINUTE // walls.unit
    found: list[int] = []
    while len(found) <= DAY_MINUTES:
        step = walls.first((found[-1] + 1 if found else start) * steps, stop * steps)
        if step is None:
            break
        found.append(step // steps)
    return found
