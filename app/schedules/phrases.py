"""The words of a rhythm, without its zone: when on the clock, and on which days. English only, whatever the locale."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cron_descriptor import ExpressionDescriptor, FormatException, MissingFieldException, Options
from cron_descriptor.Exception import WrongArgumentException

from app.core.clock_words import are_hours_counted_to_24, clock_time
from app.schedules.clock_changes import DAY_MINUTES, to_instant, to_minute
from app.schedules.cron import CronExpression
from app.schedules.month_days import LAST

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_MOST_LISTED = 6
_MOST_STRETCHES = 3
_EVERY_DAY = "every day"


def listing(words: Sequence[str]) -> str:
    """“a”, “a and b”, “a, b and c”."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def clock_text(minute_of_day: int) -> str:
    """“09:30”."""
    return clock_time(*divmod(minute_of_day, 60))


def day_text(wall_minute: int, *, with_weekday: bool = False, with_year: bool = True) -> str:
    """“Sun 14 Mar 2027”, spelled by us: strftime would follow the machine's locale."""
    wall = to_instant(wall_minute)
    weekday = f"{WEEKDAYS[wall.isoweekday() % 7][:3]} " if with_weekday else ""
    return f"{weekday}{wall.day} {MONTHS[wall.month - 1][:3]}{f' {wall.year}' if with_year else ''}"


def moment_text(at: datetime, zone: ZoneInfo) -> str:
    """“Thu 24 Dec 2026, 18:00”, on the clocks of a zone."""
    wall = to_minute(at.astimezone(zone).replace(tzinfo=UTC))
    return f"{day_text(wall, with_weekday=True)}, {clock_text(wall % DAY_MINUTES)}"


def ordinal(number: int) -> str:
    """“1st”, “2nd”, “13th”."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def roughly(length: timedelta) -> str:
    """“21 s”, “6 min”, “2 h”: a length that nobody needs to the second."""
    seconds = length.total_seconds()
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.0f} h"


def in_week_order(weekdays: Iterable[int]) -> list[int]:
    """A week is read from Monday on, while cron counts from Sunday."""
    return sorted(weekdays, key=lambda weekday: (weekday - 1) % 7)


def even_step(text: str, size: int) -> int | None:
    """The n of */n where it divides the field evenly, so that “every n” is true; 1 for *."""
    if text == "*":
        return 1
    step = int(text[2:]) if text.startswith("*/") else 0
    return step if 0 < step < size and size % step == 0 else None


def phrase(cron: CronExpression) -> str | None:
    """The rhythm in words, or None where neither we nor cron-descriptor have true ones."""
    days = _day_phrase(cron)
    times = _fixed_times(cron)
    if times:
        return f"{days} at {times}"
    pace = _with_seconds(_pace(cron) or _described_times(cron), cron.seconds)
    if pace is None or days == _EVERY_DAY:
        return pace
    return f"{pace}, {days}"


def _fixed_times(cron: CronExpression) -> str | None:
    """“06:00 and 18:00”, when there are few enough to list."""
    minute_text, hour_text = cron.fields[:2]
    is_paced = even_step(minute_text, 60) or even_step(hour_text, 24)
    if is_paced or len(cron.minutes) * len(cron.hours) * len(cron.seconds) > _MOST_LISTED:
        return None
    seconds: Sequence[int | None] = (None,) if cron.seconds == (0,) else cron.seconds
    times = [(hour, minute, second) for hour in cron.hours for minute in cron.minutes for second in seconds]
    return listing([clock_time(*time) for time in times])


def _with_seconds(pace: str | None, seconds: tuple[int, ...]) -> str | None:
    """“every 10 seconds”, “every 5 minutes, at second 30”, “every 5 minutes, for one minute every 10 seconds”."""
    if pace is None or seconds == (0,):
        return pace
    spacing = 60 // len(seconds)
    if len(seconds) > 1 and seconds == tuple(range(0, 60, spacing)):
        if pace == "every minute":
            return f"every {spacing} seconds"
        if pace.startswith(("every minute ", "minutes ")):
            return f"{pace}, every {spacing} seconds in each"
        return f"{pace}, for one minute every {spacing} seconds"
    if len(seconds) > _MOST_LISTED:
        return None
    return f"{pace}, at {'second' if len(seconds) == 1 else 'seconds'} {listing([str(each) for each in seconds])}"


def _pace(cron: CronExpression) -> str | None:
    """“every 5 minutes”, “every 3 hours at minute 15”, “every hour from 09:10 to 17:10”."""
    minute_text, hour_text = cron.fields[:2]
    minute_pace = _minute_pace(cron, minute_text)
    hour_step = 1 if len(cron.hours) == 24 else even_step(hour_text, 24)
    if hour_step == 1:
        return minute_pace or _at_minutes("every hour", cron)
    if minute_pace and len(cron.hours) == cron.hours[-1] - cron.hours[0] + 1:
        first, last = cron.hours[0] * 60 + cron.minutes[0], cron.hours[-1] * 60 + cron.minutes[-1]
        return f"{minute_pace} from {clock_text(first)} to {clock_text(last)}"
    if hour_step and len(cron.minutes) <= _MOST_LISTED:
        return _at_minutes(f"every {hour_step} hours", cron)
    hours = _hours_phrase(cron, hour_step)
    return f"{minute_pace} {hours}" if minute_pace and hours else None


def _hours_phrase(cron: CronExpression, step: int | None) -> str | None:
    """“from 06:00 to 06:55 and from 18:00 to 18:55”. cron-descriptor says “at 06:00 and 18:00”, as if it ran once."""
    if step:
        return f"in every {ordinal(step)} hour from midnight on"
    first, last = cron.minutes[0], cron.minutes[-1]
    begins = [hour for hour in cron.hours if hour - 1 not in cron.hours]
    ends = [hour for hour in cron.hours if hour + 1 not in cron.hours]
    if len(begins) > _MOST_STRETCHES:
        # With a single minute there is no pace within an hour, and the minute itself has to be said.
        return None if len(cron.minutes) == 1 else f"in hours {listing([str(hour) for hour in cron.hours])}"
    return listing(
        [
            f"from {clock_text(begin * 60 + first)} to {clock_text(end * 60 + last)}"
            for begin, end in zip(begins, ends, strict=True)
        ]
    )


def _minute_pace(cron: CronExpression, text: str) -> str | None:
    step = even_step(text, 60)
    if step == 1 or len(cron.minutes) == 60:
        return "every minute"
    if step:
        return f"every {step} minutes"
    if len(cron.minutes) == 1:
        return None if cron.hours == tuple(range(24)) else "every hour"
    if text.startswith("*/"):
        return f"every {text[2:]} minutes within each hour"
    return _spaced_minutes(cron.minutes)


def _spaced_minutes(minutes: tuple[int, ...]) -> str | None:
    """“every 2 minutes from minute 1 to 59 of each hour”, for more than are listed."""
    step = minutes[1] - minutes[0]
    is_even = minutes == tuple(range(minutes[0], minutes[-1] + 1, step))
    if step == 1 or not is_even or len(minutes) <= _MOST_LISTED:
        return None
    if minutes[0] == 0 and minutes[-1] + step == 60:
        return f"every {step} minutes"
    return f"every {step} minutes from minute {minutes[0]} to {minutes[-1]} of each hour"


def _at_minutes(pace: str, cron: CronExpression) -> str | None:
    if cron.minutes == (0,):
        return pace
    if len(cron.minutes) > _MOST_LISTED:
        return None
    word = "minute" if len(cron.minutes) == 1 else "minutes"
    return f"{pace} at {word} {listing([str(minute) for minute in cron.minutes])}"


def _described_times(cron: CronExpression) -> str | None:
    """cron-descriptor on minute and hour alone, with steps written out: it takes every step for an even spacing."""
    minute_text, hour_text = cron.fields[:2]
    minutes = minute_text if even_step(minute_text, 60) else _spelled(cron.minutes)
    hours = hour_text if even_step(hour_text, 24) else _spelled(cron.hours)
    if len(minutes) + len(hours) > 60:
        return None
    # Without a locale of ours it would take the process's, and warn where there is none.
    options = Options(locale_code="en_US", use_24hour_time_format=are_hours_counted_to_24())
    try:
        found = ExpressionDescriptor(f"{minutes} {hours} * * *", options).get_full_description()
    except (FormatException, MissingFieldException, WrongArgumentException, ValueError, LookupError):
        return None
    return f"{found[0].lower()}{found[1:]}" if found else None


def _spelled(values: tuple[int, ...]) -> str:
    if len(values) > 2 and len(values) == values[-1] - values[0] + 1:
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))


def _day_phrase(cron: CronExpression) -> str:
    """“every weekday”, “on day 1 of every month”, “on 29 February”."""
    _, _, day_text, month_text, weekday_text = cron.fields
    months = "" if month_text == "*" or len(cron.months) == 12 else listing([MONTHS[m - 1] for m in cron.months])
    by_day = None if day_text == "*" else _month_day_phrase(cron)
    by_weekday = None if weekday_text == "*" else _weekday_phrase(cron, months)
    of_month = months or "every month"
    if by_weekday and by_day:
        if cron.days.joins_with_or:
            return f"on {by_day} of {of_month} and also {by_weekday}"
        return f"{by_weekday} that falls on {by_day} of the month"
    if by_day:
        if cron.months == (2,) and cron.days.days == {29} and not cron.days.is_last_day:
            return "on 29 February in leap years"
        is_date = len(cron.months) == 1 and len(cron.days.days) == 1 and not cron.days.is_last_day
        return f"on {min(cron.days.days)} {months} every year" if is_date else f"on {by_day} of {of_month}"
    return by_weekday or (f"{_EVERY_DAY} in {months}" if months else _EVERY_DAY)


def _weekday_phrase(cron: CronExpression, months: str) -> str:
    if cron.days.nth_weekdays:
        found = sorted(cron.days.nth_weekdays, key=lambda pair: (pair[1], pair[0]))
        names = listing([f"the {_NTH[nth]} {WEEKDAYS[weekday]}" for weekday, nth in found])
        return f"on {names} of {months or 'every month'}"
    days = in_week_order(cron.days.weekdays)
    names = "weekday" if days == [1, 2, 3, 4, 5] else listing([WEEKDAYS[day] for day in days])
    inside = f" in {months}" if months else ""
    return f"{_EVERY_DAY if len(days) == 7 else f'every {names}'}{inside}"


def _month_day_phrase(cron: CronExpression) -> str:
    rule = cron.days
    if rule.nearest_weekday_to:
        return f"the weekday nearest to day {rule.nearest_weekday_to}"
    days = sorted(rule.days)
    if not days:
        return "the last day"
    last = " and the last day" if rule.is_last_day else ""
    if len(days) > _MOST_LISTED and days[-1] - days[0] == len(days) - 1:
        return f"days {days[0]} to {days[-1]}{last}"
    texts = [str(day) for day in days]
    # Whoever reads dots goes on in the same steps.
    if len(days) > _MOST_LISTED and len({later - earlier for earlier, later in pairwise(days)}) == 1:
        return f"days {', '.join(texts[:3])} … {texts[-1]}{last}"
    return f"{'day' if len(days) == 1 else 'days'} {listing(texts)}{last}"
