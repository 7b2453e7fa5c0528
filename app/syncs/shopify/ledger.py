"""Writes the rows of a shop's ledger: its orders and sales, and which days that touches.

An order is always told as a whole, so that one that is told again says what has become of each of its sales.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.syncs.days import day_of
from app.syncs.figures import FigureInvalid
from app.syncs.put_rows import as_json, batches, from_json, insert_into
from app.syncs.shop_models import ShopOrder, ShopSale
from app.syncs.shopify.sales import Order, Sale
from app.syncs.writing import Place

# Orders that are compared at once: what it takes in memory.
PIECE = 500
_ORDER = ("order_id", "is_test", "created_at", "processed_at", "processed_day", "updated_at")
_SALE = (
    "sale_id", "order_id", "agreement_id", "reason", "action", "line_type", "is_test", "quantity", "happened_at", "day",
    "amount", "tax", "discount", "currency",
)  # fmt: skip


class _OrderRow(NamedTuple):
    """A row of an order, as it is kept and as it is told alike."""

    order_id: str
    is_test: bool
    created_at: datetime
    processed_at: datetime
    processed_day: date
    updated_at: datetime


class _SaleRow(NamedTuple):
    """A row of a sale, as it is kept and as it is told alike."""

    sale_id: str
    order_id: str
    agreement_id: str
    reason: str
    action: str
    line_type: str
    is_test: bool
    quantity: int | None
    happened_at: datetime
    day: date
    amount: Any
    tax: Any
    discount: Any
    currency: str


@dataclass
class LedgerWriter:
    """Writes orders of one connection, whose days are those of a zone. `touched` are the days of what it changed."""

    session: Session
    place: Place
    zone: str
    currency: str
    now: datetime
    touched: set[date] = field(default_factory=set)

    def put(self, orders: Iterable[Order]) -> None:
        """Make the rows of these orders what is told of them. Raises FigureInvalid for a sale that is told twice."""
        # Sorted, so that those of a piece lie beside each other.
        for piece in batches(sorted(orders, key=lambda order: order.id), PIECE):
            _Piece(self, piece).put()

    def known_since(self, moment: datetime) -> dict[str, date]:
        """Live orders that were created from an instant on, and the days on which they were processed."""
        query = select(ShopOrder.order_id, ShopOrder.processed_day).where(
            *self.mine(ShopOrder), ShopOrder.created_at >= moment, ShopOrder.vanished_at.is_(None)
        )
        return {row.order_id: row.processed_day for row in self.session.execute(query)}

    def let_vanish(self, orders: dict[str, date]) -> None:
        """Keep orders that the shop no longer tells of, and count them no more."""
        self.touched.update(orders.values())
        for ids in batches(sorted(orders), PIECE):
            of_them = *self.mine(ShopSale), *among(ShopSale, ids), ShopSale.vanished_at.is_(None)
            self.touched.update(self.session.scalars(select(ShopSale.day).where(*of_them).distinct()))
            self.mark_vanished(ShopSale, *among(ShopSale, ids))
            self.mark_vanished(ShopOrder, *among(ShopOrder, ids))

    def mark_vanished(self, table: type[ShopOrder] | type[ShopSale], *which: ColumnElement[bool]) -> None:
        live = *self.mine(table), table.vanished_at.is_(None)
        gone = update(table).where(*live, *which).values(vanished_at=self.now, changed_at=self.now)
        self.session.execute(gone.execution_options(synchronize_session=False))

    def mine(self, table: type[ShopOrder] | type[ShopSale]) -> tuple[ColumnElement[bool], ...]:
        return (
            table.organization_id == self.place.organization_id, table.connection_id == self.place.connection_id,
        )  # fmt: skip

    def write(
        self, table: type[ShopOrder] | type[ShopSale], key: Sequence[str], names: Sequence[str], rows: list[Any]
    ) -> None:
        """Insert rows or replace them, and count them again if they had vanished."""
        new = insert_into(self.session, table)
        here = {"organization_id": self.place.organization_id, "connection_id": self.place.connection_id}
        put = from_json(new, names, {**here, "changed_at": self.now})
        said = {name: new.excluded[name] for name in (*names, "changed_at") if name not in key}
        statement = put.on_conflict_do_update(
            index_elements=["organization_id", "connection_id", *key], set_={**said, "vanished_at": None}
        )
        for batch in batches(rows):
            self.session.connection().execute(statement, as_json(batch))


@dataclass(frozen=True)
class _Piece:
    """Some orders that are compared with what is kept of them."""

    writer: LedgerWriter
    orders: list[Order]

    def put(self) -> None:
        ids = [order.id for order in self.orders]
        kept_orders, kept_sales = self._read_orders(ids), self._read_sales(ids)
        told_orders = [self._order_row(order) for order in self.orders]
        told_sales = {sale.sale_id: sale for order in self.orders for sale in self._sale_rows(order)}
        if len(told_sales) != sum(len(order.sales) for order in self.orders):
            raise FigureInvalid("a sale came twice")
        orders = [row for row in told_orders if kept_orders.get(row.order_id) != row]
        sales = [sale for sale in told_sales.values() if kept_sales.get(sale.sale_id) != sale]
        gone = [sale for id_, sale in kept_sales.items() if id_ not in told_sales]
        before = [kept_sales[sale.sale_id] for sale in sales if sale.sale_id in kept_sales]
        self.writer.touched.update(sale.day for sale in (*sales, *gone, *before))
        was = [kept_orders[row.order_id] for row in orders if row.order_id in kept_orders]
        self.writer.touched.update(row.processed_day for row in (*orders, *was))
        self._write(orders, sales, gone)

    def _write(self, orders: list[_OrderRow], sales: list[_SaleRow], gone: list[_SaleRow]) -> None:
        self.writer.write(ShopOrder, ("order_id",), _ORDER, orders)
        self.writer.write(ShopSale, ("order_id", "sale_id"), _SALE, sales)
        for some in batches(gone):
            theirs = among(ShopSale, sorted({sale.order_id for sale in some}))
            self.writer.mark_vanished(ShopSale, *theirs, ShopSale.sale_id.in_([sale.sale_id for sale in some]))

    def _read_orders(self, ids: list[str]) -> dict[str, _OrderRow]:
        """Those that count. One that had vanished is as good as new."""
        columns = [getattr(ShopOrder, name) for name in _ORDER]
        mine = *self.writer.mine(ShopOrder), *among(ShopOrder, ids), ShopOrder.vanished_at.is_(None)
        return {row[0]: _OrderRow(*row) for row in self.writer.session.execute(select(*columns).where(*mine))}

    def _read_sales(self, ids: list[str]) -> dict[str, _SaleRow]:
        columns = [getattr(ShopSale, name) for name in _SALE]
        mine = *self.writer.mine(ShopSale), *among(ShopSale, ids), ShopSale.vanished_at.is_(None)
        return {row[0]: _SaleRow(*row) for row in self.writer.session.execute(select(*columns).where(*mine))}

    def _order_row(self, order: Order) -> _OrderRow:
        day = day_of(order.processed_at, self.writer.zone)
        return _OrderRow(order.id, order.is_test, order.created_at, order.processed_at, day, order.updated_at)

    def _sale_rows(self, order: Order) -> list[_SaleRow]:
        return [self._sale_row(order, sale) for sale in order.sales]

    def _sale_row(self, order: Order, sale: Sale) -> _SaleRow:
        return _SaleRow(
            sale.id, order.id, sale.agreement_id, sale.reason, sale.action, sale.line_type, order.is_test,
            sale.quantity, sale.happened_at, day_of(sale.happened_at, self.writer.zone), sale.amount, sale.tax,
            sale.discount, self.writer.currency,
        )  # fmt: skip


def among(table: type[ShopOrder] | type[ShopSale], ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    """The rows of some orders, whose ids are sorted.

    Where they lie is said as well: PostgreSQL does not look up every one of a list in a table of which it thinks that
    it is empty, as it is when many rows came just now, and would read all rows of the connection for each list.
    """
    return table.order_id.between(ids[0], ids[-1]), table.order_id.in_(ids)
