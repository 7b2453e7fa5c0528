"""The words of intervals, single times and several cron lines, without their zone. Those of one line: phrases.py."""

from collections.abc import Sequence

from app.schedules.clock_changes import DAY_MINUTES
from app.schedules.cron import CronExpression
from app.schedules.intervals import Interval
from app.schedules.phrases import clock_text, day_text, listing, phrase
from app.schedules.single_times import SingleTimes

_MOST_LISTED = 5


def lines_phrase(lines: Sequence[CronExpression], text: str) -> str:
    """“every weekday at 09:00; and every Saturday at 11:00”."""
    said = [phrase(line) for line in lines]
    known = [words for words in said if words is not None]
    if len(known) < len(said):
        # Saying nothing false beats saying something: the next runs stand beside it.
        own = "; ".join(line.strip() for line in text.split("\n") if line.strip())
        return f"on the cron line{'s' if len(lines) > 1 else ''} {own}"
    return known[0] if len(known) == 1 else f"{'; '.join(known[:-1])}; and {known[-1]}"


def interval_phrase(interval: Interval) -> str:
    """“every 90 minutes from 21 Nov 2026, 08:00”, “every 3 days at 08:00 from 21 Nov 2026 on”."""
    count, of = interval.count_of_units, interval.of.value
    pace = f"every {of}" if count == 1 else f"every {count:,} {of}s"
    day, time = day_text(interval.anchor, with_weekday=True), clock_text(interval.anchor % DAY_MINUTES)
    return f"{pace} from {day}, {time} on" if interval.is_elapsed else f"{pace} at {time} from {day} on"


def single_times_phrase(times: SingleTimes) -> str:
    """“once, on Thu 24 Dec 2026 at 18:00”."""
    said = [f"{day_text(at, with_weekday=True)} at {clock_text(at % DAY_MINUTES)}" for at in times.minutes]
    if len(said) == 1:
        return f"once, on {said[0]}"
    if len(said) <= _MOST_LISTED:
        return f"{len(said)} times, on {listing(said)}"
    return f"{len(said)} times, from {said[0]} to {said[-1]}"
