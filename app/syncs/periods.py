"""Days, weeks and months of a series, and the period that it is compared with. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from app.syncs.days import ONE_DAY, DayRange


class Grain(StrEnum):
    """What one point of a series stands for."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"


def first_of(day: date, grain: Grain) -> date:
    """The first day of the week or month that a day lies in."""
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)


def next_first(first: date, grain: Grain) -> date:
    """The first day of the one after."""
    match grain:
        case Grain.DAY:
            return first + ONE_DAY
        case Grain.WEEK:
            return first + timedelta(days=7)
        case Grain.MONTH:
            return (first + timedelta(days=31)).replace(day=1)


def split(days: DayRange, grain: Grain) -> Iterator[DayRange]:
    """The days in pieces of a grain. The first and the last may be parts of a week or month."""
    first = days.first
    while first <= days.last:
        after = next_first(first_of(first, grain), grain)
        yield DayRange(first, min(after - ONE_DAY, days.last))
        first = after


def previous(days: DayRange) -> DayRange:
    """The period before, to compare with: as many whole months if these are whole months, else as many days."""
    last = days.first - ONE_DAY
    if days.first.day == 1 and (days.last + ONE_DAY).day == 1:
        months = (days.last.year - days.first.year) * 12 + days.last.month - days.first.month + 1
        begin = days.first.year * 12 + days.first.month - 1 - months
        return DayRange(date(begin // 12, begin % 12 + 1, 1), last)
    return DayRange(days.first - timedelta(days=days.days), last)


def split_before(days: DayRange, grain: Grain) -> Iterator[DayRange]:
    """The period before in pieces to be held beside those of `split`, as many at most.

    Each is as long as the piece it stands beside and begins as many days earlier, for six days say nothing beside five.
    Whole months stand beside whole months.
    """
    before = previous(days)
    if grain is Grain.MONTH and before.first.day == 1 and days.first.day == 1 and (days.last + ONE_DAY).day == 1:
        yield from split(before, grain)
        return
    earlier = days.first - before.first
    for piece in split(days, grain):
        beside = DayRange(piece.first - earlier, piece.last - earlier)
        if beside.last > before.last:
            return
        yield beside


def is_whole(piece: DayRange, grain: Grain) -> bool:
    """Whether it is all of a day, week or month."""
    return first_of(piece.first, grain) == piece.first and next_first(piece.first, grain) == piece.last + ONE_DAY


def percent_change(before: Decimal, now: Decimal) -> Decimal | None:
    """By how many percent it went up, to one place; None where there was nothing to compare with."""
    if before == 0:
        return None
    return ((now - before) * 100 / abs(before)).quantize(Decimal("0.1"))
