"""What happened in the ad accounts of the demo. Pure: the same day has the same figures, whenever it is looked at."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from tests.fakes.providers.meta.truth import Account, Campaign, Delivery, Late, Pixel

# More than a first sync reads.
DAYS_BEFORE = 100
# Longer than anybody leaves a demo running without starting it anew.
DAYS_AHEAD = 120
_CENT = Decimal("0.01")
_SEASON_DAYS = 75
_WEEK = (1.0, 0.97, 0.95, 1.0, 1.12, 1.3, 1.22)  # from Monday on


@dataclass(frozen=True)
class Line:
    """A campaign: how much of it there is on a usual day, what it costs and brings, and when it runs.

    `first` and `last` are days counted from the one on which the demo began; without them it has always run, and goes
    on. `price` is of 1,000 impressions.
    """

    name: str
    impressions: int
    price: float
    click_share: float
    buyer_share: float
    basket: int
    first: int | None = None
    last: int | None = None
    pixel: Pixel = Pixel.OMNI


@dataclass(frozen=True)
class Plan:
    """An account, and how large it is beside the first one."""

    id: str
    name: str
    currency: str
    zone: str
    size: float


EU = Plan("4100", "Demo Outdoor EU", "EUR", "Europe/Berlin", 1.0)
UK = Plan("4200", "Demo Outdoor UK", "GBP", "Europe/London", 0.55)
US = Plan("4300", "Demo Outdoor US", "USD", "America/New_York", 1.7)
PLANS = (EU, UK, US)
LINES = (
    Line("Tents – new customers", 21_000, 6.4, 0.013, 0.021, 189),
    Line("Tents – visited before", 5_200, 9.8, 0.028, 0.054, 205, pixel=Pixel.PIXEL),
    Line("Sleeping bags – new customers", 14_500, 5.9, 0.011, 0.018, 119),
    Line("Brand – always on", 8_800, 4.1, 0.034, 0.039, 96, pixel=Pixel.PLAIN),
    Line("Stove, video test", 11_000, 3.6, 0.006, 0.012, 64, first=-40),
    Line("Late summer sale", 17_500, 5.2, 0.019, 0.033, 88, last=-62),
)


class LiveAccount(Account):
    """An account whose day of today is only as far as the clock is."""

    def seen(self, since: date, until: date, now: datetime) -> Iterator[tuple[date, Campaign, Delivery]]:
        """What is known now; of today the part that has passed."""
        local = now.astimezone(ZoneInfo(self.zone))
        midnight = datetime.combine(local.date(), time(), local.tzinfo)
        share = (local - midnight) / timedelta(days=1)
        for day, campaign, delivery in super().seen(since, until, now):
            yield day, campaign, part_of(delivery, share) if day == local.date() else delivery


def make_account(plan: Plan, begun: date, today: date) -> LiveAccount:
    """The account with all its days, some that are to come included: nobody sees them before they are there.

    The same day has the same figures whatever `today` is.
    """
    last = (today - begun).days + DAYS_AHEAD
    account = LiveAccount(plan.id, plan.name, plan.currency, plan.zone)
    for number, line in enumerate(LINES, start=1):
        campaign = Campaign(f"{plan.id}{number:02}", line.name, line.pixel)
        account.campaigns[campaign.id] = campaign
        for away in _days_of(line, last):
            day = begun + timedelta(days=away)
            account.deliveries[day, campaign.id] = _delivery(campaign, line, day, plan.size)
    return account


def _days_of(line: Line, last: int) -> range:
    return range(-DAYS_BEFORE if line.first is None else line.first, 1 + (last if line.last is None else line.last))


def part_of(delivery: Delivery, share: float) -> Delivery:
    """So much of a day. People who buy are counted whole."""
    purchases = int(delivery.purchases * share)
    value = delivery.value * purchases / delivery.purchases if delivery.purchases else delivery.value
    return Delivery(
        spend=_money(float(delivery.spend) * share),
        impressions=int(delivery.impressions * share),
        clicks=int(delivery.clicks * share),
        link_clicks=int(delivery.link_clicks * share),
        reach=int(delivery.reach * share),
        purchases=purchases,
        value=value.quantize(_CENT),
        in_apps=min(delivery.in_apps, purchases),
    )


def _delivery(campaign: Campaign, line: Line, day: date, size: float) -> Delivery:
    chance = Random(f"{campaign.id} {day}")  # noqa: S311 - nobody is to be kept from guessing it
    season = 1 + 0.18 * math.sin(day.toordinal() * math.tau / _SEASON_DAYS)
    impressions = int(line.impressions * size * season * _WEEK[day.weekday()] * chance.uniform(0.88, 1.12))
    clicks = int(impressions * line.click_share * chance.uniform(0.9, 1.1))
    link_clicks = int(clicks * chance.uniform(0.62, 0.78))
    purchases = int(link_clicks * line.buyer_share * chance.uniform(0.6, 1.4) + chance.random())
    return Delivery(
        spend=_money(impressions / 1_000 * line.price * chance.uniform(0.93, 1.07)),
        impressions=impressions,
        clicks=clicks,
        link_clicks=link_clicks,
        reach=int(impressions * chance.uniform(0.7, 0.82)),
        purchases=purchases,
        value=_money(sum(line.basket * chance.uniform(0.5, 1.7) for _ in range(purchases))),
        in_apps=purchases // 5 if line.pixel is Pixel.OMNI else 0,
        late=tuple(_late(line, chance)),
    )


def _late(line: Line, chance: Random) -> Iterator[Late]:
    """Clicks that turn out to be none are paid back the next day; some who clicked buy days later."""
    yield Late(1, spend=-_money(chance.uniform(0, 0.4)))
    for soonest, latest in ((2, 6), (9, 26)):
        if chance.random() < 0.3:
            yield Late(
                chance.randint(soonest, latest), purchases=1, value=_money(line.basket * chance.uniform(0.6, 1.4))
            )


def _money(amount: float) -> Decimal:
    return Decimal(amount).quantize(_CENT)
