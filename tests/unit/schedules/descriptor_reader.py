"""Reads what cron-descriptor says, as somebody would who has never seen a cron line. Its style is what differs here:
the clock first, “Monday through Friday”, “only on”, a comma before “and”, hours to their last minute.
"""

import re
from collections.abc import Callable
from datetime import date

from tests.unit.schedules.word_oracle import (
    MONTHS,
    NTH,
    WEEKDAYS,
    NotUnderstood,
    OnDay,
    is_last,
    is_nth,
    items,
    minute_of,
    nearest_weekday,
    read_pace,
)

_NUMBERS = r"\d+(?:(?:, and |, | and )\d+)*"
_TIMES = r"\d\d:\d\d(?:(?:, and |, | and )\d\d:\d\d)*"
_DAY = "|".join(WEEKDAYS)
_MONTH = "|".join(MONTHS)
_DAY_LIST = rf"(?:{_DAY})(?:(?: through |, and |, | and )(?:{_DAY}))*"
_MONTH_LIST = rf"(?:{_MONTH})(?:(?: through |, and |, | and )(?:{_MONTH}))*"
_Read = Callable[[re.Match[str]], OnDay]


def read_description(text: str) -> tuple[frozenset[int], OnDay]:
    """The minutes of the day, and whether a day is one of its days. Raises NotUnderstood."""
    conditions: list[OnDay] = []
    either: list[OnDay] = []
    while True:
        alternative = re.search(rf", or on ({_DAY_LIST})$", text)
        if alternative:
            either.append(_weekdays(alternative[1]))
            text = text[: alternative.start()]
        found = next((match for pattern, _ in _PIECES if (match := re.search(f", {pattern}$", text))), None)
        if found is None:
            break
        read = next(read for pattern, read in _PIECES if re.fullmatch(f", {pattern}", found[0]))
        conditions.append(_joined(read(found), either.pop()) if either else read(found))
        text = text[: found.start()]
    if either:
        raise NotUnderstood("or what")
    return frozenset(_clock(text)), lambda day: all(holds(day) for holds in conditions)


def _joined(one: OnDay, other: OnDay) -> OnDay:
    return lambda day: one(day) or other(day)


def _clock(text: str) -> set[int]:
    at = re.fullmatch(rf"At ({_TIMES})", text)
    if at:
        return {minute_of(time) for time in items(at[1])}
    within = re.fullmatch(r"(Every (?:minute|\d+ minutes)), between (\d\d:\d\d) and (\d\d:\d\d)", text)
    if within:
        return _clock(within[1]) & set(range(minute_of(within[2]), minute_of(within[3]) + 1))
    hourly = re.fullmatch(rf"At ({_NUMBERS}) minutes past the hour, at (\d\d):00", text)
    if hourly:
        return {int(hourly[2]) * 60 + int(minute) for minute in items(hourly[1])}
    return read_pace(f"{text[0].lower()}{text[1:]}")


def _expanded(text: str, names: dict[str, int]) -> set[int]:
    """“Monday through Wednesday and Friday”."""
    found: set[int] = set()
    for item in items(text):
        first, _, last = item.partition(" through ")
        found |= set(range(names[first], names[last or first] + 1))
    return found


def _weekdays(text: str) -> OnDay:
    wanted = _expanded(text, WEEKDAYS)
    return lambda day: day.weekday() in wanted


def _months(text: str) -> OnDay:
    wanted = _expanded(text, MONTHS)
    return lambda day: day.month in wanted


def _numbered(text: str) -> OnDay:
    wanted = set(map(int, items(text)))
    return lambda day: day.day in wanted


def _nearest(number: int) -> OnDay:
    return lambda day: day.day == nearest_weekday(day.year, day.month, number)


def _every_days(step: int) -> OnDay:
    return lambda day: (day - date(2028, 1, 1)).days % step == 0


def _nth(place: str, weekday: str) -> OnDay:
    return lambda day: is_nth(day, place, WEEKDAYS[weekday])


_PIECES: tuple[tuple[str, _Read], ...] = (
    (rf"only in ({_MONTH_LIST})", lambda found: _months(found[1])),
    (rf"((?:{_MONTH}) through (?:{_MONTH}))", lambda found: _months(found[1])),
    (rf"only on ({_DAY_LIST})", lambda found: _weekdays(found[1])),
    (rf"((?:{_DAY}) through (?:{_DAY}))", lambda found: _weekdays(found[1])),
    (rf"on the ({'|'.join(NTH)}|last) ({_DAY}) of the month", lambda found: _nth(found[1], found[2])),
    (r"on the last day of the month", lambda found: is_last),
    (r"on the weekday nearest day (\d+) of the month", lambda found: _nearest(int(found[1]))),
    (r"on the first weekday of the month", lambda found: _nearest(1)),
    (rf"on day ({_NUMBERS}) of the month", lambda found: _numbered(found[1])),
    (
        r"between day (\d+) and (\d+) of the month",
        lambda found: lambda day: int(found[1]) <= day.day <= int(found[2]),
    ),
    (r"every (\d+) days", lambda found: _every_days(int(found[1]))),
)
