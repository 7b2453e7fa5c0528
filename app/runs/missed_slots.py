"""Slots that nobody executed, as counts of runs are counted: they are kept as ranges, and have no runs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, func, literal, select

from app.core.seconds import UnixSeconds
from app.schedules.models import Gap
from app.schedules.policies import MISSED_REASONS

_HOUR = 3_600
# The newest ranges of an organization; of more than these the older ones are left out.
_MOST_GAPS = 20_000


def missed_since(organization_id: UUID, since: datetime, *which: ColumnElement[bool]) -> Select[Any]:
    """Ranges with slots at or after that full hour: whose, the hours of the `first` and `last`, and `slots`.

    Of a range that began earlier only those since then; where in it they lie is taken to be even.
    """
    edge = literal(int(since.timestamp()), BigInteger)
    first, last = UnixSeconds(Gap.first_slot_at), UnixSeconds(Gap.last_slot_at)
    length = func.nullif(last - first, 0, type_=BigInteger)
    later = (last - edge) * cast(Gap.slots - 1, BigInteger) // length + 1
    is_whole = Gap.first_slot_at >= since
    here = Gap.organization_id == organization_id, Gap.last_slot_at >= since, Gap.reason.in_(MISSED_REASONS)
    return (
        select(
            Gap.schedule_id.label("schedule_id"),
            Gap.organization_id.label("organization_id"),
            (case((is_whole, first), else_=edge) // _HOUR).label("first"),
            (last // _HOUR).label("last"),
            case((is_whole, cast(Gap.slots, BigInteger)), else_=later).label("slots"),
        )
        .where(*here, *which)
        .order_by(Gap.last_slot_at.desc())
        .limit(_MOST_GAPS)
    )


def spread(first: int, last: int, slots: int) -> Iterator[tuple[int, int]]:
    """The hours from the first to the last in which so many slots lie, evenly, with how many lie in each."""
    length = last - first
    if slots <= 1:
        yield last, slots
    elif slots <= length:
        for number in range(slots):
            yield first + (2 * number * length + slots - 1) // (2 * (slots - 1)), 1
    else:
        for number in range(length + 1):
            here = slots * (number + 1) // (length + 1) - slots * number // (length + 1)
            yield first + number, here
