"""What the rows of a ledger add up to, day by day. Reads only.

Products alone are sales: shipping, tips, duties, and gift cards, which are debts, stay in the ledger. What is given
back counts on the day on which that was agreed, and all the rest as sold, however Shopify calls it: so net sales are
always gross sales without discounts and returns.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from app.syncs.days import DayRange
from app.syncs.figures import METRIC_FACTS, Entity, Figure, Level, Metric, Stream, Unit
from app.syncs.series import joined, sum_parts
from app.syncs.shop_models import ShopOrder, ShopSale
from app.syncs.writing import Place

METRICS = (Metric.NET_SALES, Metric.GROSS_SALES, Metric.DISCOUNTS, Metric.RETURNS, Metric.ORDERS)
SALES = Stream("sales", Level.ACCOUNT, frozenset(METRICS), "the sales of the shop by day")
PRODUCT = "PRODUCT"
RETURN = "RETURN"
_NOTHING = Decimal(0)


@dataclass
class _Day:
    orders: int = 0
    sold: Decimal = _NOTHING  # after discounts, without taxes
    discounts: Decimal = _NOTHING
    returns: Decimal = _NOTHING

    def values(self) -> dict[Metric, Decimal]:
        return {
            Metric.NET_SALES: self.sold - self.returns,
            Metric.GROSS_SALES: self.sold + self.discounts,
            Metric.DISCOUNTS: self.discounts,
            Metric.RETURNS: self.returns,
            Metric.ORDERS: Decimal(self.orders),
        }


def read_figures(
    session: Session, place: Place, days: DayRange, *, shop_name: str, currency: str | None
) -> tuple[Figure, ...]:
    """The figures of these days; none of a day without a sale, a return and an order."""
    found: dict[date, _Day] = defaultdict(_Day)
    _add_sales(session, place, days, found)
    _add_orders(session, place, days, found)
    shop = Entity(Level.ACCOUNT, "", shop_name)
    return tuple(
        Figure(day, shop, metric, value, currency if METRIC_FACTS[metric].unit is Unit.MONEY else None)
        for day in sorted(found)
        for metric, value in found[day].values().items()
    )


def _add_sales(session: Session, place: Place, days: DayRange, found: dict[date, _Day]) -> None:
    amount, tax, discount = (
        type_coerce(column, BigInteger) for column in (ShopSale.amount, ShopSale.tax, ShopSale.discount)
    )
    is_return = (ShopSale.action == RETURN).label("is_return")
    columns = (*sum_parts(amount - tax), *sum_parts(discount))
    query = (
        select(ShopSale.day.label("day"), is_return, *columns)
        .where(ShopSale.organization_id == place.organization_id, ShopSale.connection_id == place.connection_id)
        .where(ShopSale.day.between(days.first, days.last), ShopSale.line_type == PRODUCT)
        .where(ShopSale.vanished_at.is_(None), ShopSale.is_test.is_(False))
        .group_by("day", "is_return")
    )
    for day, went_back, whole, rest, discount_whole, discount_rest in session.execute(query):
        amount_sum = joined(whole, rest)
        if went_back:
            found[day].returns = -amount_sum
        else:
            found[day].sold = amount_sum
            found[day].discounts = joined(discount_whole, discount_rest)


def _add_orders(session: Session, place: Place, days: DayRange, found: dict[date, _Day]) -> None:
    query = (
        select(ShopOrder.processed_day, func.count())
        .where(ShopOrder.organization_id == place.organization_id, ShopOrder.connection_id == place.connection_id)
        .where(ShopOrder.processed_day.between(days.first, days.last))
        .where(ShopOrder.vanished_at.is_(None), ShopOrder.is_test.is_(False))
        .group_by(ShopOrder.processed_day)
    )
    for day, orders in session.execute(query):
        found[day].orders = orders
