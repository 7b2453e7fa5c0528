"""What really happened on the sites of the properties, and the figures that follow from it. Knows nothing of requests.

Google works on a day for days, and moves what led to a key event for two weeks. So each day holds what was known at
once and what came late, and every look at it says which day it is looked at from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

ZERO = Decimal(0)


@dataclass(frozen=True)
class LateVisits:
    """What becomes known so many days after the day it belongs to. Amounts are added."""

    lag_days: int
    sessions: int = 0
    key_events: int = 0
    revenue: Decimal = ZERO


@dataclass(frozen=True)
class Visits:
    """One channel on one day, as known on that day, and what comes late."""

    sessions: int
    users: int
    key_events: int = 0
    purchases: int = 0
    revenue: Decimal = ZERO
    late: tuple[LateVisits, ...] = ()

    def seen_after(self, days: int) -> "Visits":
        """As it is known so many days later."""
        known = [late for late in self.late if late.lag_days <= days]
        return replace(
            self,
            sessions=self.sessions + sum(late.sessions for late in known),
            key_events=self.key_events + sum(late.key_events for late in known),
            revenue=self.revenue + sum((late.revenue for late in known), ZERO),
            late=(),
        )

    @property
    def is_nothing(self) -> bool:
        return not (self.sessions or self.users or self.key_events or self.purchases or self.revenue)


@dataclass
class Property:
    """A property with all that happened. `viewers` are the addresses that may read it."""

    id: str
    zone: str
    currency: str
    viewers: set[str] = field(default_factory=set)
    visits: dict[tuple[date, str], Visits] = field(default_factory=dict)
    # Rows that fit into no report any more, and so belong to no day.
    loses_rows: bool = False
    is_thresholded: bool = False
    tokens_per_hour: int = 40_000
    tokens_per_day: int = 200_000

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()

    def seen(self, since: date, until: date, now: datetime) -> Iterator[tuple[date, str, Visits]]:
        """What is known now of some days, in the order of days and channels."""
        today = self.today(now)
        for day, channel in sorted(self.visits):
            if since <= day <= min(until, today):
                seen = self.visits[day, channel].seen_after((today - day).days)
                if not seen.is_nothing:
                    yield day, channel, seen

    def mutate(self, change: dict[str, Any]) -> None:
        """Change the truth of a channel on a day. Amounts are added."""
        self.loses_rows = change.get("loses_rows", self.loses_rows)
        self.is_thresholded = change.get("is_thresholded", self.is_thresholded)
        if "day" not in change:
            return
        key = (date.fromisoformat(change["day"]), change["channel"])
        if change.get("removed"):
            del self.visits[key]
            return
        old = self.visits.get(key, Visits(0, 0))
        self.visits[key] = replace(
            old,
            sessions=old.sessions + change.get("sessions", 0),
            users=old.users + change.get("users", 0),
            revenue=old.revenue + Decimal(change.get("revenue", 0)),
        )


def of_whole_property(parts: list[Visits]) -> Visits:
    """The visits of one day together. Who came through two channels is one person, so users are no sum."""
    users = max(*(each.users for each in parts), sum(each.users for each in parts) * 9 // 10)
    return Visits(
        sum(each.sessions for each in parts),
        users,
        sum(each.key_events for each in parts),
        sum(each.purchases for each in parts),
        sum((each.revenue for each in parts), ZERO),
    )


def entities(
    found: Property, level: str, since: date, until: date, now: datetime
) -> Iterator[tuple[date, str, Visits]]:
    """Day, channel and visits, or of the property as a whole, whose channel is then empty."""
    seen = list(found.seen(since, until, now))
    if level == "channel":
        yield from seen
        return
    by_day: dict[date, list[Visits]] = {}
    for day, _, visits in seen:
        by_day.setdefault(day, []).append(visits)
    yield from ((day, "", of_whole_property([*parts, Visits(0, 0)])) for day, parts in by_day.items())


def figures(found: Property, level: str, since: date, until: date, now: datetime) -> Iterator[dict[str, Any]]:
    """The oracle: every figure of some days, as text, in the order of days and channels."""
    for day, channel, visits in entities(found, level, since, until, now):
        counts: dict[str, int | Decimal] = {
            "sessions": visits.sessions, "total_users": visits.users, "key_events": visits.key_events,
            "purchases": visits.purchases, "revenue": visits.revenue,
        }  # fmt: skip
        for metric, value in counts.items():
            currency = found.currency if metric == "revenue" else None
            yield {
                "day": day.isoformat(), "level": level, "entity_id": channel, "metric": metric,
                "value": f"{Decimal(value):f}", "currency": currency,
            }  # fmt: skip
