"""Which orders a sync of a shop asks for: what was changed since the last read, and now and then all of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.syncs.days import ONE_DAY, DayRange

# Without a right of its own an app sees the orders of so many days, and of those before none, without being told.
SHORT_DAYS = 60
# As far back as a new connection is read with that right.
LONG_DAYS = 365
# Shopify's search is a little late, and dates what belongs to an order before the order itself.
OVERLAP = timedelta(minutes=10)
# What was deleted is found by asking for all orders of the last days again, so often.
RECONCILE_AFTER = timedelta(days=7)

_READ_UNTIL, _FIRST_DAY, _ALL_ORDERS, _RECONCILED_AT = "read_until", "first_day", "all_orders", "reconciled_at"


@dataclass(frozen=True)
class Mark:
    """Where the reads before came to: the ledger knows all from a day on and up to an instant."""

    read_until: datetime
    first_day: date
    reads_all_orders: bool
    reconciled_at: datetime | None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Mark | None":
        """What `as_json` wrote; None for what cannot be read: everything is asked for again then."""
        try:
            reconciled_at = said.get(_RECONCILED_AT)
            mark = cls(
                datetime.fromisoformat(said[_READ_UNTIL]),
                date.fromisoformat(said[_FIRST_DAY]),
                said.get(_ALL_ORDERS) is True,
                None if reconciled_at is None else datetime.fromisoformat(reconciled_at),
            )
        except (KeyError, TypeError, ValueError):
            return None
        has_zones = mark.read_until.tzinfo and (mark.reconciled_at is None or mark.reconciled_at.tzinfo)
        return mark if has_zones else None

    def as_json(self) -> dict[str, Any]:
        reconciled_at = None if self.reconciled_at is None else self.reconciled_at.isoformat()
        return {
            _READ_UNTIL: self.read_until.isoformat(), _FIRST_DAY: self.first_day.isoformat(),
            _ALL_ORDERS: self.reads_all_orders, _RECONCILED_AT: reconciled_at,
        }  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to ask for: what was changed since an instant. All orders created since `all_since` are among them, if any.

    The ledger knows all from `first_day` on; from `next_day` on nothing has landed yet.
    """

    since: datetime
    all_since: datetime | None
    first_day: date
    next_day: date
    today: date
    reads_all_orders: bool
    reconciled_at: datetime | None

    @property
    def is_whole(self) -> bool:
        """Whether an order that is not told of is gone."""
        return self.all_since is not None

    @property
    def days(self) -> DayRange:
        return DayRange(min(self.next_day, self.today), self.today)

    def mark(self, until: datetime, *, is_believed: bool) -> dict[str, Any]:
        """Where the next read goes on when this one is landed."""
        reconciled_at = until if self.is_whole and is_believed else self.reconciled_at
        return Mark(until, self.first_day, self.reads_all_orders, reconciled_at).as_json()


def plan_read(
    high_water: date | None,
    mark: Mapping[str, Any],
    *,
    zone: str,
    today: date,
    now: datetime,
    reads_all_orders: bool,
) -> Plan:
    """What to read of a shop whose days are those of `zone`."""
    known = Mark.read(mark)
    if known is None or (reads_all_orders and not known.reads_all_orders):
        return _first_read(known, high_water, zone=zone, today=today, reads_all_orders=reads_all_orders)
    is_due = known.reconciled_at is None or not known.reconciled_at <= now < known.reconciled_at + RECONCILE_AFTER
    first_seen = max(known.first_day, today - (SHORT_DAYS - 1) * ONE_DAY)
    all_since = start_of(first_seen, zone) if is_due else None
    since = min(known.read_until, now) - OVERLAP
    if all_since is not None:
        since = min(since, all_since)
    next_day = known.first_day if high_water is None else high_water + ONE_DAY
    return Plan(since, all_since, known.first_day, next_day, today, reads_all_orders, known.reconciled_at)


def _first_read(known: Mark | None, high_water: date | None, *, zone: str, today: date, reads_all_orders: bool) -> Plan:
    """As far back as the app sees. With the right to see more than before, the past is read once more."""
    reach = LONG_DAYS if reads_all_orders else SHORT_DAYS
    oldest = today - (reach - 1) * ONE_DAY
    first_day = oldest if known is None else min(oldest, known.first_day)
    next_day = first_day if known is None or high_water is None else high_water + ONE_DAY
    begin = start_of(oldest, zone)
    return Plan(begin, begin, first_day, next_day, today, reads_all_orders, None)


def start_of(day: date, zone: str) -> datetime:
    """The instant at which a day begins there."""
    return datetime.combine(day, time(), ZoneInfo(zone))
