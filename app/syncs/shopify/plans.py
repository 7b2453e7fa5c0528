"""Which orders a sync of a shop asks for: what was changed since the last read, and now and then all of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.syncs.days import ONE_DAY, DayRange

# Without a right of its own an app sees orders of so many days, and of what is older nothing.
SHORT_DAYS = 60
LONG_DAYS = 365
# Shopify's search is a little late, and changes what belongs to an order before the order's own date.
OVERLAP = timedelta(minutes=10)
# What was deleted is found by asking for all orders of the last days again, so often.
RECONCILE_AFTER = timedelta(days=7)
# Nobody knows beforehand how many orders a longer span holds.
LONG_SPAN = timedelta(days=2)

_READ_UNTIL = "read_until"
_RECONCILED_AT = "reconciled_at"
_FIRST_DAY = "first_day"


@dataclass(frozen=True)
class Plan:
    """What to ask for, and what the ledger knows: all of it from `first_day` on.

    `since` is None for all orders since `begin`, the start of a day in the shop's zone.
    """

    first_day: date
    next_day: date
    today: date
    begin: datetime
    since: datetime | None
    reconciled_at: datetime | None

    @property
    def days(self) -> DayRange:
        return DayRange(min(self.next_day, self.today), self.today)

    @property
    def is_whole(self) -> bool:
        return self.since is None

    @property
    def asked_from(self) -> datetime:
        return self.begin if self.since is None else self.since

    def mark(self, until: datetime) -> dict[str, Any]:
        """Where the next read goes on, if this one reaches up to an instant."""
        reconciled_at = None if self.reconciled_at is None else self.reconciled_at.isoformat()
        return {_READ_UNTIL: until.isoformat(), _FIRST_DAY: self.first_day.isoformat(), _RECONCILED_AT: reconciled_at}

    def mark_when_believed(self, until: datetime) -> dict[str, Any]:
        """The same, for what only a read of all orders can say."""
        return {_RECONCILED_AT: until.isoformat()} if self.is_whole else {}


def plan_read(
    high_water: date | None, mark: Mapping[str, Any], *, zone: str, now: datetime, today: date, reads_all_orders: bool
) -> Plan:
    """What to read of a shop. A mark that cannot be read is none: all is asked for again."""
    reach = LONG_DAYS if reads_all_orders else SHORT_DAYS
    oldest = today - (reach - 1) * ONE_DAY
    read_until, reconciled_at = _moment(mark.get(_READ_UNTIL)), _moment(mark.get(_RECONCILED_AT))
    known_from = _day(mark.get(_FIRST_DAY))
    first_day = min(known_from, today) if known_from is not None and read_until is not None else oldest
    next_day = first_day if high_water is None else max(high_water + ONE_DAY, first_day)
    begin = max(oldest, first_day) if known_from is None else today - (SHORT_DAYS - 1) * ONE_DAY
    since = None
    if read_until is not None and not _has_to_reconcile(reconciled_at, now):
        since = min(read_until, now) - OVERLAP
    return Plan(first_day, next_day, today, _start_of(begin, zone), since, reconciled_at)


def _has_to_reconcile(reconciled_at: datetime | None, now: datetime) -> bool:
    return reconciled_at is None or not reconciled_at <= now < reconciled_at + RECONCILE_AFTER


def _start_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


def _moment(said: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _day(said: Any) -> date | None:
    try:
        return date.fromisoformat(said)
    except (TypeError, ValueError):
        return None
