"""What really happened in the ad accounts, and the figures that follow from it. Knows nothing of requests.

Meta restates: what an advertisement led to becomes known for up to 28 days. So each day holds what was known at
once and what came late, and every look at it says which day it is looked at from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

RESTATED_DAYS = 28
ZERO = Decimal(0)


class Pixel(Enum):
    """Under which names a campaign's purchases are reported; the first of them in this order is the true count."""

    OMNI = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
    PLAIN = ("purchase", "offsite_conversion.fb_pixel_purchase")
    PIXEL = ("offsite_conversion.fb_pixel_purchase",)


@dataclass(frozen=True)
class Late:
    """What becomes known so many days after the day it belongs to. Amounts are added."""

    lag_days: int
    spend: Decimal = ZERO
    purchases: int = 0
    value: Decimal = ZERO


@dataclass(frozen=True)
class Delivery:
    """One campaign on one day, as known on that day, and what comes late. `in_apps` purchases no pixel sees."""

    spend: Decimal
    impressions: int
    clicks: int
    link_clicks: int
    reach: int
    purchases: int = 0
    value: Decimal = ZERO
    in_apps: int = 0
    late: tuple[Late, ...] = ()

    def seen_after(self, days: int) -> "Delivery":
        """As it is known so many days later."""
        known = [late for late in self.late if late.lag_days <= min(days, RESTATED_DAYS - 1)]
        return replace(
            self,
            spend=self.spend + sum((late.spend for late in known), ZERO),
            purchases=self.purchases + sum(late.purchases for late in known),
            value=self.value + sum((late.value for late in known), ZERO),
            late=(),
        )


@dataclass
class Campaign:
    """Its id stays, its name may change."""

    id: str
    name: str
    pixel: Pixel = Pixel.OMNI


@dataclass
class Account:
    """An ad account with all that was delivered for it."""

    id: str
    name: str
    currency: str
    zone: str
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    deliveries: dict[tuple[date, str], Delivery] = field(default_factory=dict)
    status: int = 1
    quota_per_hour: int = 190_000

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()

    def seen(self, since: date, until: date, now: datetime) -> Iterator[tuple[date, Campaign, Delivery]]:
        """What is known now of some days, in the order of days and campaigns."""
        today = self.today(now)
        for day, campaign_id in sorted(self.deliveries):
            if since <= day <= min(until, today):
                delivery = self.deliveries[day, campaign_id].seen_after((today - day).days)
                yield day, self.campaigns[campaign_id], delivery

    def mutate(self, change: dict[str, Any]) -> None:
        """Change the truth of a campaign, on one day if it names one. Amounts are added, names set."""
        campaign = self.campaigns[change["campaign"]]
        campaign.name = change.get("name", campaign.name)
        if "day" not in change:
            return
        key = (date.fromisoformat(change["day"]), campaign.id)
        if change.get("removed"):
            del self.deliveries[key]
            return
        old = self.deliveries.get(key, Delivery(ZERO, 1, 0, 0, 1))
        self.deliveries[key] = replace(
            old,
            spend=old.spend + Decimal(change.get("spend", 0)),
            impressions=old.impressions + change.get("impressions", 0),
            purchases=old.purchases + change.get("purchases", 0),
            value=old.value + Decimal(change.get("value", 0)),
        )


def of_whole_account(parts: list[Delivery]) -> Delivery:
    """The deliveries of one day together. People who saw two campaigns are one person, so reach is no sum."""
    reach = max(*(each.reach for each in parts), sum(each.reach for each in parts) * 9 // 10)
    return Delivery(
        sum((each.spend for each in parts), ZERO),
        sum(each.impressions for each in parts),
        sum(each.clicks for each in parts),
        sum(each.link_clicks for each in parts),
        reach,
        sum(each.purchases for each in parts),
        sum((each.value for each in parts), ZERO),
        sum(each.in_apps for each in parts),
    )


def figures(account: Account, level: str, since: date, until: date, now: datetime) -> Iterator[dict[str, Any]]:
    """The oracle: every figure of some days, as text, in the order of days and entities."""
    for day, entity_id, name, delivery in entities(account, level, since, until, now):
        counts = {
            "spend": delivery.spend,
            "impressions": delivery.impressions,
            "clicks": delivery.clicks,
            "link_clicks": delivery.link_clicks,
            "reach": delivery.reach,
            "purchases": delivery.purchases,
            "purchase_value": delivery.value,
        }
        for metric, value in counts.items():
            currency = account.currency if metric in {"spend", "purchase_value"} else None
            yield {
                "day": day.isoformat(), "level": level, "entity_id": entity_id, "entity_name": name,
                "metric": metric, "value": f"{value:f}", "currency": currency,
            }  # fmt: skip


def entities(
    account: Account, level: str, since: date, until: date, now: datetime
) -> Iterator[tuple[date, str, str, Delivery]]:
    """Day, id, name and delivery of all campaigns, or of the account as a whole, whose id is then empty."""
    seen = list(account.seen(since, until, now))
    if level == "campaign":
        yield from ((day, campaign.id, campaign.name, delivery) for day, campaign, delivery in seen)
        return
    by_day: dict[date, list[Delivery]] = {}
    for day, _, delivery in seen:
        by_day.setdefault(day, []).append(delivery)
    yield from ((day, "", account.name, of_whole_account(parts)) for day, parts in by_day.items())


def days_before(day: date, count: int) -> list[date]:
    """So many days up to one, oldest first."""
    return [day - timedelta(days=back) for back in reversed(range(count))]
