"""Forgets the single sales of days that are so old that nothing changes in them any more. Their figures stay."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select, tuple_
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.syncs.shop_models import ShopOrder, ShopSale

# Figures of days before are not summed anew: what they are made of may be gone.
KEEP_DAYS = 760
# Zones, and a clock that is put right, must not take a row that is summed yet.
_MARGIN = timedelta(days=7)


def forget_sales(session: Session, *, organization_id: UUID, today: date, limit: int) -> int:
    """Delete at most `limit` orders, with all their sales, of which nothing happened in the days that are kept."""
    before = today - timedelta(days=KEEP_DAYS) - _MARGIN
    # An order lives as long as its newest sale; both are asked for by the indexes of days.
    younger = exists().where(
        ShopSale.organization_id == ShopOrder.organization_id,
        ShopSale.connection_id == ShopOrder.connection_id,
        ShopSale.order_id == ShopOrder.order_id,
        ShopSale.day >= before,
    )
    old = select(ShopOrder.connection_id, ShopOrder.order_id).where(
        ShopOrder.organization_id == organization_id, ShopOrder.processed_day < before, ~younger
    )
    keys = [tuple(row) for row in session.execute(old.limit(limit))]
    if not keys:
        return 0
    for table in (ShopSale, ShopOrder):
        theirs = table.organization_id == organization_id, tuple_(table.connection_id, table.order_id).in_(keys)
        gone = count_changed(session, delete(table).where(*theirs).execution_options(synchronize_session=False))
    return gone
