"""Reads a sentence about a rhythm back: at which minutes of the day, and on which days. It knows no cron at all.

Written from the words alone, as somebody would understand them who has never seen a cron line.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date

OnDay = Callable[[date], bool]

WEEKDAYS = {name: number for number, name in enumerate(calendar.day_name)}
MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_WEEKDAY = "|".join(WEEKDAYS)
_MONTHS = rf"(?:{'|'.join(MONTHS)})(?:(?:, | and )(?:{'|'.join(MONTHS)}))*"
_TIMES = r"\d\d:\d\d(?:(?:, | and )\d\d:\d\d)*"
_NUMBERS = r"\d+(?:(?:, and |, | and )\d+)*"


class NotUnderstood(Exception):
    """The words mean nothing here."""


def read_sentence(sentence: str) -> tuple[frozenset[int], OnDay]:
    """The minutes of the day, and whether a day is one of its days. Raises NotUnderstood."""
    text = f"{sentence[0].lower()}{sentence[1:]}"
    at = re.fullmatch(rf"(.+) at ({_TIMES})", text)
    if at:
        try:
            return frozenset(minute_of(time) for time in items(at[2])), _read_days(at[1])
        except NotUnderstood:
            pass
    # The pace comes first, and its own commas are followed by no word that begins a day.
    pace, days = text, "every day"
    found = re.fullmatch(rf"(.+?), ((?:on|every (?:day|weekday|{_WEEKDAY})).*)", text)
    if found:
        pace, days = found[1], found[2]
    return frozenset(read_pace(pace)), _read_days(days)


def read_pace(text: str) -> set[int]:
    day = set(range(1440))
    past = re.fullmatch(rf"at ({_NUMBERS}) minutes past the hour(.*)", text)
    through = re.fullmatch(r"minutes (\d+) through (\d+) past the hour(.*)", text)
    spaced = re.fullmatch(r"every (\d+) minutes from minute (\d+) to (\d+) of each hour( .+)?", text)
    if spaced:
        wanted = set(range(int(spaced[2]), int(spaced[3]) + 1, int(spaced[1])))
        return {at for at in _read_stretches(spaced[4] or "") if at % 60 in wanted}
    between = re.fullmatch(r"every minute between (\d\d:\d\d) and (\d\d:\d\d)", text)
    moments = re.fullmatch(rf"at ({_TIMES})", text)
    if moments:
        return {minute_of(time) for time in items(moments[1])}
    if past:
        wanted = set(map(int, items(past[1])))
        return {at for at in _read_hours(past[2]) if at % 60 in wanted}
    if through:
        return {at for at in _read_hours(through[3]) if int(through[1]) <= at % 60 <= int(through[2])}
    if between:
        return set(range(minute_of(between[1]), minute_of(between[2]) + 1))
    found = re.fullmatch(r"every (?:(\d+) )?(minute|hour)s?( within each hour)?( .+)?", text)
    if not found:
        raise NotUnderstood(text)
    step = int(found[1] or 1)
    if found[2] == "hour":
        return _read_hourly(step, found[4] or "")
    in_hour = {at for at in day if at % 60 % step == 0} if found[3] else {at for at in day if at % step == 0}
    return in_hour & _read_stretches(found[4] or "")


def _read_hourly(step: int, rest: str) -> set[int]:
    minutes = re.fullmatch(rf" at minutes? ({_NUMBERS})", rest)
    wanted = set(map(int, items(minutes[1]))) if minutes else {0}
    if not rest or minutes:
        return {at for at in range(1440) if at // 60 % step == 0 and at % 60 in wanted}
    found: set[int] = set()
    for begin, end in _stretches(rest):
        found |= set(range(begin, end + 1, 60))
    return found


def _read_stretches(text: str) -> set[int]:
    if not text:
        return set(range(1440))
    nth = re.fullmatch(r" in every (\d+)(?:st|nd|rd|th) hour from midnight on", text)
    if nth:
        return {at for at in range(1440) if at // 60 % int(nth[1]) == 0}
    hours = re.fullmatch(rf" in hours ({_NUMBERS})", text)
    if hours:
        return {at for at in range(1440) if at // 60 in set(map(int, items(hours[1])))}
    return {at for begin, end in _stretches(text) for at in range(begin, end + 1)}


def _stretches(text: str) -> list[tuple[int, int]]:
    each = r"from \d\d:\d\d to \d\d:\d\d"
    if not re.fullmatch(rf" {each}(?:(?:, | and ){each})*", text):
        raise NotUnderstood(text)
    return [(minute_of(a), minute_of(b)) for a, b in re.findall(r"from (\d\d:\d\d) to (\d\d:\d\d)", text)]


def _read_hours(text: str) -> set[int]:
    """What cron-descriptor says of the hours."""
    day = set(range(1440))
    if not text:
        return day
    every = re.fullmatch(r", every (\d+) hours", text)
    if every:
        return {at for at in day if at // 60 % int(every[1]) == 0}
    between = re.fullmatch(r", between (\d\d):00 and (\d\d):59", text)
    if between:
        return {at for at in day if int(between[1]) <= at // 60 <= int(between[2])}
    if not re.fullmatch(r", at \d\d:00(?:(?:, and |, | and )\d\d:00)*", text):
        raise NotUnderstood(text)
    hours = {int(hour) for hour in re.findall(r"(\d\d):00", text)}
    return {at for at in day if at // 60 in hours}


def _read_days(text: str) -> OnDay:
    also = re.fullmatch(r"(on .+) and also (.+)", text)
    if also:
        one, other = _read_month_days(also[1]), _read_weekdays(also[2])
        return lambda day: one(day) or other(day)
    narrowed = re.fullmatch(r"(.+) that falls on (.+) of the month", text)
    if narrowed:
        weekdays, days = _read_weekdays(narrowed[1]), _read_numbers(narrowed[2])
        return lambda day: weekdays(day) and days(day)
    try:
        return _read_weekdays(text)
    except NotUnderstood:
        return _read_month_days(text)


def _read_weekdays(text: str) -> OnDay:
    nth = rf"the (?:{'|'.join(NTH)}|last) (?:{_WEEKDAY})"
    found = re.fullmatch(rf"on ({nth}(?:(?:, | and ){nth})*) of (every month|{_MONTHS})", text)
    if found:
        pairs, in_month = re.findall(r"the (\w+) (\w+)", found[1]), _read_months(found[2])
        return lambda day: in_month(day) and any(is_nth(day, place, WEEKDAYS[name]) for place, name in pairs)
    named = rf"(?:{_WEEKDAY})(?:(?:, | and )(?:{_WEEKDAY}))*"
    every = re.fullmatch(rf"every (day|weekday|{named})(?: in ({_MONTHS}))?", text)
    if not every:
        raise NotUnderstood(text)
    wanted = {"day": set(range(7)), "weekday": set(range(5))}.get(every[1]) or {WEEKDAYS[n] for n in items(every[1])}
    in_month = _read_months(every[2] or "every month")
    return lambda day: in_month(day) and day.weekday() in wanted


def _read_month_days(text: str) -> OnDay:
    if text == "on 29 February in leap years":
        return lambda day: (day.day, day.month) == (29, 2)
    yearly = re.fullmatch(r"on (\d+) (\w+) every year", text)
    if yearly:
        return lambda day: (day.day, day.month) == (int(yearly[1]), MONTHS[yearly[2]])
    found = re.fullmatch(rf"on (.+) of (every month|{_MONTHS})", text)
    if not found:
        raise NotUnderstood(text)
    on_day, in_month = _read_numbers(found[1]), _read_months(found[2])
    return lambda day: in_month(day) and on_day(day)


def _read_numbers(text: str) -> OnDay:
    nearest = re.fullmatch(r"the weekday nearest to day (\d+)", text)
    if nearest:
        return lambda day: day.day == nearest_weekday(day.year, day.month, int(nearest[1]))
    if text == "the last day":
        return is_last
    plain, last = re.fullmatch(r"(.+?)( and the last day)?", text).groups()  # type: ignore[union-attr]
    span, dotted = re.fullmatch(r"days (\d+) to (\d+)", plain), re.fullmatch(r"days (\d+), (\d+), (\d+) … (\d+)", plain)
    if span:
        wanted = set(range(int(span[1]), int(span[2]) + 1))
    elif dotted:
        wanted = _go_on(*map(int, dotted.groups()))
    elif re.fullmatch(rf"days? {_NUMBERS}", plain):
        wanted = set(map(int, items(plain.partition(" ")[2])))
    else:
        raise NotUnderstood(text)
    return lambda day: day.day in wanted or (last is not None and is_last(day))


def _go_on(first: int, second: int, third: int, last: int) -> set[int]:
    """Whoever reads “1, 3, 5 … 31” goes on in the same steps."""
    if third - second != second - first or (last - first) % (second - first):
        raise NotUnderstood("dots after uneven steps")
    return set(range(first, last + 1, second - first))


def _read_months(text: str) -> OnDay:
    if text == "every month":
        return lambda day: True
    wanted = {MONTHS[name] for name in items(text)}
    return lambda day: day.month in wanted


def is_nth(day: date, place: str, weekday: int) -> bool:
    if day.weekday() != weekday:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    return day.day + 7 > length if place == "last" else (day.day - 1) // 7 + 1 == NTH[place]


def is_last(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]


def nearest_weekday(year: int, month: int, number: int) -> int:
    length = calendar.monthrange(year, month)[1]
    wanted = min(number, length)
    candidates = [day for day in range(1, length + 1) if date(year, month, day).weekday() < 5]
    return min(candidates, key=lambda day: abs(day - wanted))


def items(text: str) -> list[str]:
    return re.split(r", and |, | and ", text)


def minute_of(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute)
