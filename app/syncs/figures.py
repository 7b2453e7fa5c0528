"""What a reader of a service hands over to be landed: figures, and the whole window they were fetched for. Pure.

How a service says them is the reader's affair, where they are kept is `landing`'s.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.core.text import storable
from app.syncs.days import DayRange

# What the table can hold: an integer of millionths, in 64 bits. No service reports more places.
PLACES = 6
LARGEST = Decimal(9_000_000_000_000)
LONGEST_ID = 200
LONGEST_NAME = 400
LONGEST_STREAM = 40
_STEP = Decimal(1).scaleb(-PLACES)
# Python would also take "1_000", digits of other scripts, "NaN" and "Infinity".
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


class Level(StrEnum):
    """Of what a figure is. The word `grain` is for days, weeks and months."""

    ACCOUNT = "account"  # the whole account; its entity has the id "", for the connection says which account it is
    CAMPAIGN = "campaign"
    CHANNEL = "channel"  # a group of sources of visits; its name is its id


class Metric(StrEnum):
    """What is counted. See METRIC_FACTS for what each is measured in."""

    SPEND = "spend"
    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    LINK_CLICKS = "link_clicks"
    REACH = "reach"
    PURCHASES = "purchases"
    PURCHASE_VALUE = "purchase_value"
    SESSIONS = "sessions"
    TOTAL_USERS = "total_users"
    KEY_EVENTS = "key_events"
    REVENUE = "revenue"
    ORDERS = "orders"
    GROSS_SALES = "gross_sales"
    DISCOUNTS = "discounts"
    RETURNS = "returns"
    NET_SALES = "net_sales"


class Unit(StrEnum):
    """What a metric is measured in."""

    COUNT = "count"
    MONEY = "money"  # in major units of the figure's currency: 11.97, never 1197


@dataclass(frozen=True)
class MetricFacts:
    """`is_additive` says whether days and entities may be summed: people who are counted once a day may not."""

    name: str
    unit: Unit
    is_additive: bool = True


METRIC_FACTS: dict[Metric, MetricFacts] = {
    Metric.SPEND: MetricFacts("Spend", Unit.MONEY),
    Metric.IMPRESSIONS: MetricFacts("Impressions", Unit.COUNT),
    Metric.CLICKS: MetricFacts("Clicks", Unit.COUNT),
    Metric.LINK_CLICKS: MetricFacts("Link clicks", Unit.COUNT),
    Metric.REACH: MetricFacts("Reach", Unit.COUNT, is_additive=False),
    Metric.PURCHASES: MetricFacts("Purchases", Unit.COUNT),
    Metric.PURCHASE_VALUE: MetricFacts("Purchase value", Unit.MONEY),
    Metric.SESSIONS: MetricFacts("Sessions", Unit.COUNT),
    Metric.TOTAL_USERS: MetricFacts("Total users", Unit.COUNT, is_additive=False),
    Metric.KEY_EVENTS: MetricFacts("Key events", Unit.COUNT),
    Metric.REVENUE: MetricFacts("Revenue", Unit.MONEY),
    Metric.ORDERS: MetricFacts("Orders", Unit.COUNT),
    Metric.GROSS_SALES: MetricFacts("Gross sales", Unit.MONEY),
    Metric.DISCOUNTS: MetricFacts("Discounts", Unit.MONEY),
    Metric.RETURNS: MetricFacts("Returns", Unit.MONEY),
    Metric.NET_SALES: MetricFacts("Net sales", Unit.MONEY),
}


class QualityFlag(StrEnum):
    """Why a figure may not be the whole truth, as its service said or as the reader saw."""

    SAMPLED = "sampled"  # extrapolated from a part
    THRESHOLDED = "thresholded"  # small numbers held back to protect people
    OTHER_ROW = "other_row"  # what did not fit was put together as "(other)"
    TRUNCATED = "truncated"  # the service left something out
    RESTRICTED = "restricted"  # the login may not see this metric, which then reads as zero
    DUPLICATE_PAGE = "duplicate_page"  # came on two pages; the last one counts
    LOST = "lost"  # of a day that nobody fetched while its service still kept it; there is no figure


class FigureInvalid(ValueError):
    """What was read cannot be landed as it is: a mistake of the reader, or something the service never said before."""


def exact(said: str | int) -> Decimal:
    """The number that a service wrote, to the last digit. Raises FigureInvalid for what is none, NaN and infinity.

    Never hand in a float: JSON has to be parsed with `parse_float=str`. Places beyond the sixth are noise of the
    service's own floats (GA4 sends them) and are rounded half to even.
    """
    if isinstance(said, bool) or not isinstance(said, str | int):
        raise FigureInvalid(f"{type(said).__name__} is not a number as a service writes it")
    if isinstance(said, str) and not _NUMBER.fullmatch(said):
        raise FigureInvalid(f"{said[:40]!r} is no number that can be landed")
    value = Decimal(said)
    return _rounded(value) if _is_finer_than_a_step(value) else value


def _rounded(value: Decimal) -> Decimal:
    if abs(value) > LARGEST:
        raise FigureInvalid(f"a number of {value.adjusted() + 1} digits is more than can be kept ({LARGEST})")
    return value.quantize(_STEP)


def _is_finer_than_a_step(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    # Of infinity and NaN it is a letter.
    return not isinstance(exponent, int) or exponent < -PLACES


@dataclass(frozen=True, slots=True)
class Entity:
    """What a figure is about. The id is the service's own and stays when somebody renames it; the name is for display.

    Make one for each campaign and use it for all its figures: memory then holds it once.
    """

    level: Level
    id: str
    name: str

    def __post_init__(self) -> None:
        if (self.level is Level.ACCOUNT) != (self.id == ""):
            raise FigureInvalid("an account has the id '', and everything else one of its own")
        if len(self.id) > LONGEST_ID:
            raise FigureInvalid(f"an id of {len(self.id)} characters is longer than {LONGEST_ID}")
        if storable(self.id) != self.id:
            raise FigureInvalid(f"the id {self.id!r} cannot be kept as it is")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one day of one entity. The day is one of the account's zone.

    `currency` is ISO 4217 for money and None for counts. `flags` are this figure's own; its window's come on top.
    """

    day: date
    entity: Entity
    metric: Metric
    value: Decimal
    currency: str | None = None
    flags: frozenset[QualityFlag] = frozenset()

    def __post_init__(self) -> None:
        if not isinstance(self.value, Decimal) or _is_finer_than_a_step(self.value):
            raise FigureInvalid(f"{self.metric} is {self.value!r}: a figure is a Decimal of at most {PLACES} places")
        if abs(self.value) > LARGEST:
            digits = self.value.adjusted() + 1
            raise FigureInvalid(f"{self.metric} has {digits} digits, which is more than can be kept ({LARGEST})")
        is_money = METRIC_FACTS[self.metric].unit is Unit.MONEY
        if is_money != (self.currency is not None):
            raise FigureInvalid(f"{self.metric} {'needs a currency' if is_money else 'has no currency'}")
        if self.currency is not None and not _is_currency(self.currency):
            raise FigureInvalid(f"{self.currency[:10]!r} is no currency")


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


@dataclass(frozen=True)
class Stream:
    """What is asked for together and so is complete or not together: some metrics of all entities of one level.

    A window of a stream speaks for these metrics alone: what it lacks of them has vanished, and nothing else has.
    `brings` tells people what they get when they choose it.
    """

    name: str
    level: Level
    metrics: frozenset[Metric]
    brings: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= LONGEST_STREAM or not self.metrics:
            raise FigureInvalid(f"a stream has a name of at most {LONGEST_STREAM} characters, and metrics")


@dataclass(frozen=True)
class FetchedWindow:
    """All figures of a stream for some days, both ends included, completely fetched: every page, nothing left out.

    `fetched_at` is when the first request for it was sent: what the service knew at least. `zone` (IANA) is the
    account's, in which days begin; `currency` the account's, None where it has none. `mapping_version` goes up when
    the reader begins to compute a metric differently. No two figures may be of the same day, entity and metric.
    `mark` is where the next read goes on, for readers that need to know more than the last complete day; it is kept
    with the figures. `is_short` says whether too much was missing to believe it, where that was judged already by what
    the figures are made of; None where the figures are to be judged.
    """

    stream: Stream
    first_day: date
    last_day: date
    figures: tuple[Figure, ...]
    fetched_at: datetime
    zone: str
    currency: str | None
    api_version: str
    mapping_version: int = 1
    flags: frozenset[QualityFlag] = frozenset()
    mark: Mapping[str, Any] | None = None
    is_short: bool | None = None
    # Days before it of which the service keeps nothing any more: nobody waits for them.
    lost: DayRange | None = None

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise FigureInvalid("the window ends before it begins")
        if self.fetched_at.tzinfo is None:
            raise FigureInvalid("fetched_at has no time zone")
        for figure in self.figures:
            if not self.first_day <= figure.day <= self.last_day:
                raise FigureInvalid(f"{figure.metric} of {figure.day} lies outside of the window")
            if figure.entity.level is not self.stream.level or figure.metric not in self.stream.metrics:
                raise FigureInvalid(f"{figure.metric} of a {figure.entity.level} is not of stream {self.stream.name!r}")
            if figure.currency is not None and figure.currency != self.currency:
                raise FigureInvalid(f"{figure.metric} is in {figure.currency}, the account in {self.currency}")
