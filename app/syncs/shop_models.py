"""The tables of what shops sold, sale by sale: the figures of a day are sums of these rows."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.columns import Millionths
from app.core.db import Base

# Sorted as Python does, on either engine: orders are looked up by where they lie.
ID = String(80).with_variant(String(80, collation="C"), "postgresql")


def _of_connection(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "connection_id"],
        ["connections.organization_id", "connections.id"],
        name=f"fk_{table}_organization_id_connection_id_connections",
    )


class ShopOrder(Base):
    """An order as it was read last, whole. One that its shop no longer tells of stays, marked."""

    __tablename__ = "shop_orders"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "connection_id", "order_id"),
        _of_connection("shop_orders"),
        # Not after the connection: in a table that PostgreSQL knows nothing of yet, it would take them for the key.
        Index("ix_shop_orders_processed_day", "organization_id", "processed_day", "connection_id"),
        Index("ix_shop_orders_created_at", "organization_id", "created_at", "connection_id"),
    )

    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    order_id: Mapped[str] = mapped_column(ID)
    is_test: Mapped[bool]
    created_at: Mapped[datetime]
    # Imported orders are dated back by this one.
    processed_at: Mapped[datetime]
    # In the shop's zone.
    processed_day: Mapped[date]
    updated_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    vanished_at: Mapped[datetime | None]


class ShopSale(Base):
    """One line of an agreement about an order: sold, given back or changed, on the day on which that was agreed."""

    __tablename__ = "shop_sales"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "connection_id", "order_id", "sale_id"),
        # Not to their orders: PostgreSQL would look each one up, and in a table that it knows nothing of yet it does so
        # by reading all of it. Both are written by the same few lines.
        _of_connection("shop_sales"),
        Index("ix_shop_sales_day", "organization_id", "day", "connection_id"),
    )

    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    sale_id: Mapped[str] = mapped_column(String(80))
    order_id: Mapped[str] = mapped_column(ID)
    agreement_id: Mapped[str] = mapped_column(String(80))
    # Why it was agreed, what was done, and with what: Shopify's own words, also those that are new.
    reason: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    line_type: Mapped[str] = mapped_column(String(40))
    # Its order's: the sums of days ask for sales alone.
    is_test: Mapped[bool]
    quantity: Mapped[int | None]
    happened_at: Mapped[datetime]
    # In the shop's zone.
    day: Mapped[date]
    # In the shop's currency, after discounts and with the tax that is named beside it. What comes back is negative.
    amount: Mapped[Decimal] = mapped_column(Millionths)
    tax: Mapped[Decimal] = mapped_column(Millionths)
    discount: Mapped[Decimal] = mapped_column(Millionths)
    currency: Mapped[str] = mapped_column(String(3))
    changed_at: Mapped[datetime]
    vanished_at: Mapped[datetime | None]
