"""What really happened in the shops, and the figures that follow from it. Knows nothing of requests.

A shop is a list of orders, an order a list of deals: the order itself, edits, refunds. What each line of a deal was
worth is kept as a merchant counts it, before discounts and without taxes, and the records of sales that the wire has
are made of that. The oracle adds up what is kept here, and never looks at those records.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

ZERO = Decimal(0)


class Action(StrEnum):
    """What a line of a deal did."""

    ORDER = "ORDER"
    RETURN = "RETURN"
    UPDATE = "UPDATE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Line:
    """One line of a deal. Amounts are in the shop's currency, and negative where something went back.

    `gross` is the price of all pieces, `discount` what was taken off of it, both without the tax.
    """

    action: Action
    kind: str  # PRODUCT, SHIPPING, GIFT_CARD, TIP, DUTY, ADDITIONAL_FEE, ADJUSTMENT
    quantity: int
    gross: Decimal
    discount: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.gross - self.discount


@dataclass(frozen=True)
class Deal:
    """Some lines that were agreed on at one moment."""

    reason: str  # ORDER, ORDER_EDIT, REFUND, RETURN
    at: datetime
    lines: tuple[Line, ...]


@dataclass
class Order:
    """One order with all that became of it. What has not happened yet is not seen."""

    number: int
    created_at: datetime
    deals: list[Deal]
    processed_at: datetime
    cancelled_at: datetime | None = None
    is_test: bool = False
    taxes_included: bool = False
    presentment: str | None = None
    rate: Decimal = Decimal(1)
    touched_at: datetime | None = None

    @property
    def id(self) -> str:
        return f"gid://shopify/Order/{self.number}"

    def seen(self, now: datetime) -> list[tuple[int, Deal]]:
        """Its deals up to now, with their places."""
        return [(place, deal) for place, deal in enumerate(self.deals) if deal.at <= now]

    def updated_at(self, now: datetime) -> datetime:
        moments = [self.created_at, self.touched_at, self.cancelled_at, *(deal.at for deal in self.deals[1:])]
        return max(each for each in moments if each is not None and each <= now)


@dataclass
class Shop:
    """A shop with all its orders, by number."""

    domain: str
    name: str
    currency: str
    zone: str
    taxes_included: bool = False
    orders: dict[int, Order] = field(default_factory=dict)
    bucket_size: float = 2_000.0
    restore_rate: float = 100.0

    def add(self, order: Order) -> None:
        self.orders[order.number] = order

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def seen(self, now: datetime) -> Iterator[Order]:
        return (order for order in self.orders.values() if order.created_at <= now)


@dataclass
class _Day:
    orders: int = 0
    gross: Decimal = ZERO
    discounts: Decimal = ZERO
    returns: Decimal = ZERO

    def add(self, line: Line) -> None:
        if line.action is Action.RETURN:
            self.returns -= line.net
        else:
            self.gross += line.gross
            self.discounts += line.discount


def figures(shop: Shop, orders: Iterator[Order], since: date, until: date, now: datetime) -> list[dict[str, Any]]:
    """The oracle: every figure of the days on which something was sold, ordered or sent back, as text.

    Products alone are sales; test orders are none. An order counts on the day on which it was processed, each sale on
    the day on which it was agreed on.
    """
    days: dict[date, _Day] = {}
    for order in orders:
        if order.is_test:
            continue
        days.setdefault(shop.day_of(order.processed_at), _Day()).orders += 1
        for _, deal in order.seen(now):
            for line in deal.lines:
                if line.kind == "PRODUCT":
                    days.setdefault(shop.day_of(deal.at), _Day()).add(line)
    return [row for day in sorted(days) if since <= day <= until for row in _rows(shop, day, days[day])]


def _rows(shop: Shop, day: date, found: _Day) -> Iterator[dict[str, Any]]:
    values: dict[str, Decimal | int] = {
        "orders": found.orders,
        "gross_sales": found.gross,
        "discounts": found.discounts,
        "returns": found.returns,
        "net_sales": found.gross - found.discounts - found.returns,
    }
    for metric, value in values.items():
        currency = None if metric == "orders" else shop.currency
        yield {
            "day": day.isoformat(), "level": "account", "entity_id": "", "entity_name": shop.name, "metric": metric,
            "value": f"{value:f}", "currency": currency,
        }  # fmt: skip
