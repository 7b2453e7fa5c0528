"""A rhythm in one sentence, and what is worth knowing about it. The words of times and days are phrases.py."""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from app.schedules.bound_notes import bound_notes
from app.schedules.change_notes import REPEATED, clock_change_notes
from app.schedules.clock_changes import to_instant
from app.schedules.cron import CronExpression
from app.schedules.fire_times import Rhythm, count_fires, next_fire
from app.schedules.intervals import Interval
from app.schedules.kind_phrases import interval_phrase, lines_phrase, single_times_phrase
from app.schedules.month_days import LONGEST
from app.schedules.phrases import MONTHS, WEEKDAYS, even_step, in_week_order, listing, ordinal, roughly
from app.schedules.rhythm_text import Times
from app.schedules.single_times import SingleTimes

MOST_NOTES = 4
_MANY_RUNS_A_DAY = 720
_YEAR, _FOUR_YEARS = timedelta(days=365), timedelta(days=4 * 365 + 1)
# Every month has so many days.
_SHORTEST = 28
_LISTED = re.compile(r"\d+(,\d+)*")


def describe(rhythm: Rhythm) -> str:
    """What the rhythm does, in a sentence that ends with its zone: “Every weekday at 09:00, New York time”."""
    zone = rhythm.zone.name if rhythm.zone.name == "UTC" else f"{rhythm.zone.city} time"
    if rhythm.cron.is_manual:
        return f"Only when somebody starts it, {zone}"
    found = _phrase(rhythm.cron)
    return f"{found[0].upper()}{found[1:]}, {zone}"


def notes(
    rhythm: Rhythm, *, now: datetime, typical: timedelta | None = None, shown_until: datetime | None = None
) -> tuple[str, ...]:
    """What is valid and still surprises people, and the clock changes of the next 400 days: about four notes.

    `typical` is how long a run takes, where that is known. No change of the clocks is left out that lies among runs
    which are shown, up to `shown_until`; how many other notes are left out, the last one says.
    """
    if rhythm.cron.is_manual:
        return ()
    found = bound_notes(rhythm, now=now)
    for line in () if isinstance(rhythm.cron, Interval | SingleTimes) else rhythm.cron.lines:
        found += _line_notes(replace(rhythm, cron=line), line, now, typical)
    changes = clock_change_notes(rhythm, now=now, until=shown_until)
    shown = {note.text for note in changes if shown_until is not None and note.at <= shown_until + REPEATED}
    # Lines may surprise in the same way; once is enough.
    return shortened(tuple(dict.fromkeys([*found, *(note.text for note in changes)])), shown, most=MOST_NOTES)


def shortened(found: tuple[str, ...], needed: Collection[str], *, most: int) -> tuple[str, ...]:
    """So many of the notes, in their order, with all that are needed, and how many others there are."""
    room = max(0, most - len(needed))
    others = [note for note in found if note not in needed]
    left = len(others) - room
    if left <= 1:
        # To say that there is one more takes as much room as that one.
        return found
    kept = {*needed, *others[:room]}
    return (*(note for note in found if note in kept), f"And {left} more notes.")


def consequence(rhythm: Rhythm, *, now: datetime, typical: timedelta | None = None) -> str | None:
    """“About 365 runs a year, ~21 s each”: what it amounts to. None for what never fires by itself."""
    first = next_fire(rhythm, after=now)
    if first is None:
        return None
    each = f", ~{roughly(typical)} each" if typical else ""
    # What begins later is no rarer for that; an interval has its steps from its beginning on.
    begin = first if isinstance(rhythm.cron, Interval) else max(now, rhythm.starts_at or now)
    end = _end(rhythm, begin)
    if next_fire(rhythm, after=end) is None:
        count = count_fires(rhythm, after=now, until=end)
        return f"{'1 run' if count == 1 else f'{count:,} runs'}, then no more{each}"
    count = count_fires(rhythm, after=begin, until=end) // (4 if end - begin == _FOUR_YEARS else 1)
    if count == 0:
        return f"Less than one run a year{each}"
    return f"About {'1 run' if count == 1 else f'{count:,} runs'} a year{each}"


def _end(rhythm: Rhythm, begin: datetime) -> datetime:
    """Until when runs are counted: a year, four of what is so rare that a leap year decides, or all single times."""
    if isinstance(rhythm.cron, SingleTimes):
        # Whatever the zone is, its clocks have shown the last one by then.
        return max(begin, to_instant(rhythm.cron.minutes[-1]) + timedelta(days=2))
    is_rare = count_fires(rhythm, after=begin, until=begin + _YEAR) <= 1
    return begin + (_FOUR_YEARS if is_rare else _YEAR)


def _phrase(times: Times) -> str:
    if isinstance(times, Interval):
        return interval_phrase(times)
    return single_times_phrase(times) if isinstance(times, SingleTimes) else lines_phrase(times.lines, times.text)


def _line_notes(rhythm: Rhythm, line: CronExpression, now: datetime, typical: timedelta | None) -> list[str]:
    many = _many_runs_note(line, typical)
    days = _leap_year_note(rhythm, line, now) or _short_months_note(line)
    own = (days, _joined_note(line), _step_note(line), _repeated_note(line), many)
    return [note for note in own if note]


def _leap_year_note(rhythm: Rhythm, line: CronExpression, now: datetime) -> str | None:
    rule = line.days
    if line.months != (2,) or rule.days != {29} or rule.is_last_day or rule.joins_with_or:
        return None
    upcoming = next_fire(rhythm, after=now)
    if upcoming is None:
        return None
    wall = upcoming.astimezone(rhythm.zone.tzinfo)
    return f"Only in leap years. Next: {wall.day} {MONTHS[wall.month - 1][:3]} {wall.year}."


def _short_months_note(line: CronExpression) -> str | None:
    """That some months lack the day. Whoever names a long range of days knows."""
    rule, text = line.days, line.fields[2]
    days = [] if rule.joins_with_or or rule.is_last_day or rule.nearest_weekday_to else sorted(rule.days)
    if not days or days[-1] <= _SHORTEST or (days[0] <= _SHORTEST and not _LISTED.fullmatch(text)):
        return None
    lacking = [month for month in line.months if LONGEST[month - 1] < days[-1]]
    if not lacking:
        return "February has a 29th in leap years alone." if days[-1] == 29 and 2 in line.months else None
    names = listing([MONTHS[month - 1] for month in lacking])
    verb = "has" if len(lacking) == 1 else "have"
    return f"{names} {verb} no {ordinal(days[-1])}: nothing runs on it there. L is the last day of every month."


def _repeated_note(line: CronExpression) -> str | None:
    """That a list names something twice, which means nothing more."""
    for text, name in zip(line.text.split()[-5:-3], ("minute", "hour"), strict=False):
        found = text.split(",") if _LISTED.fullmatch(text) else []
        values = [int(each) for each in found]
        for value in values:
            if values.count(value) > 1:
                return f"The {name} {value} is named more than once, and counts once."
    return None


def _joined_note(cron: CronExpression) -> str | None:
    rule = cron.days
    if not rule.joins_with_or:
        return None
    if rule.nth_weekdays or rule.nearest_weekday_to or rule.is_last_day or len(rule.days) > 3:
        return "Runs on the days of the month and also on the weekdays. Cron joins day and weekday with “or”."
    days = listing([ordinal(day) for day in sorted(rule.days)])
    if min(rule.days, default=0) > max(LONGEST[month - 1] for month in cron.months):
        months = listing([MONTHS[month - 1] for month in cron.months])
        verb = "has" if len(cron.months) == 1 else "have"
        return f"Runs on the weekdays alone: {months} {verb} no {days}."
    names = listing([WEEKDAYS[weekday] for weekday in in_week_order(rule.weekdays)])
    return f"Runs on the {days} and also every {names}. Cron joins day and weekday with “or”."


def _step_note(cron: CronExpression) -> str | None:
    minute, hour = cron.fields[:2]
    if minute.startswith("*/") and not even_step(minute, 60):
        step = int(minute[2:])
        if step >= 60:
            return f"A step of {step} is longer than an hour: this is minute 0 only."
        if hour == "*":
            rest = 60 - cron.minutes[-1]
            return f"{step} does not divide 60: gaps are {step} min, but {rest} min at each full hour."
    if hour.startswith("*/") and not even_step(hour, 24) and len(cron.hours) > 1:
        step, rest = int(hour[2:]), 24 - cron.hours[-1]
        return f"{step} does not divide 24: gaps are {step} h, but {rest} h at midnight."
    return None


def _many_runs_note(cron: CronExpression, typical: timedelta | None) -> str | None:
    runs = len(cron.minutes) * len(cron.hours) * len(cron.seconds)
    if runs < _MANY_RUNS_A_DAY:
        return None
    return f"{runs:,} runs a day.{f' Typical run takes {roughly(typical)}.' if typical else ''}"
