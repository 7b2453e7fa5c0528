"""How close two runs of a rhythm with seconds may be: at least five seconds, looked at as bits of a day."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

from app.schedules.cron import CronExpression, CronInvalid
from app.schedules.month_days import LONGEST, shapes_of_month

SHORTEST_SECONDS = 5
_DAY_SECONDS = 86_400


def refuse_too_close(lines: Sequence[CronExpression]) -> None:
    """Raises CronInvalid when two of their times are closer than five seconds."""
    if all(len(line.seconds) == 1 for line in lines) and len({line.seconds for line in lines}) == 1:
        return
    days = [_bits_of_day(line) for line in lines]
    for (one, bits), (other, others) in combinations_with_replacement(list(zip(lines, days, strict=True)), 2):
        together = bits | others
        is_close = any(together & (together >> apart) for apart in range(1, SHORTEST_SECONDS))
        if is_close and _share_a_day(one, other):
            raise _too_close()
        for before, first, after, second in ((one, bits, other, others), (other, others, one, bits)):
            if _is_close_at_midnight(first, second) and _is_followed_by(before, after):
                raise _too_close()


def _too_close() -> CronInvalid:
    return CronInvalid(
        f"Two of these times are less than {SHORTEST_SECONDS} seconds apart. "
        f"Leave at least {SHORTEST_SECONDS} seconds between runs, as in */{SHORTEST_SECONDS}."
    )


def _bits_of_day(line: CronExpression) -> int:
    of_minute = sum(1 << second for second in line.seconds)
    of_hour = sum(of_minute << 60 * minute for minute in line.minutes)
    return sum(of_hour << 3_600 * hour for hour in line.hours)


def _share_a_day(one: CronExpression, other: CronExpression) -> bool:
    shapes = [shape for month in set(one.months) & set(other.months) for shape in shapes_of_month(month)]
    return any(one.table.in_shape(*shape) & other.table.in_shape(*shape) for shape in shapes)


def _is_close_at_midnight(first: int, second: int) -> bool:
    if not first or not second:
        return False
    latest, earliest = first.bit_length() - 1, (second & -second).bit_length() - 1
    return earliest + _DAY_SECONDS - latest < SHORTEST_SECONDS


def _is_followed_by(before: CronExpression, after: CronExpression) -> bool:
    """Whether some day of the one is the day before a day of the other."""
    for month in before.months:
        for length, first in shapes_of_month(month):
            days = before.table.in_shape(length, first)
            if month in after.months and days << 1 & after.table.in_shape(length, first):
                return True
            following = month % len(LONGEST) + 1
            begins = (first + length) % 7
            if days >> length - 1 & 1 and following in after.months:
                next_shapes = [shape for shape in shapes_of_month(following) if shape[1] == begins]
                if any(after.table.in_shape(*shape) & 1 for shape in next_shapes):
                    return True
    return False
