"""What a shop told in one read, as a window that can be landed: orders in, figures of the days that they touch out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.syncs import loss
from app.syncs.days import ONE_DAY, DayRange, day_of
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.shop_retention import KEEP_DAYS
from app.syncs.shopify.day_sums import SALES, read_figures
from app.syncs.shopify.ledger import LedgerWriter
from app.syncs.shopify.sales import Order
from app.syncs.writing import Place

MAPPING_VERSION = 1


@dataclass(frozen=True)
class ShopWindow:
    """The orders that were changed since the read before, and before `fetched_at`.

    `first_day` is the first one of which the ledger knows all, `next_day` the first one that has not landed whole.
    `all_since` is given where every order was told that was created since then: what lacks among them is gone.
    `mark_in_doubt` is what the mark is instead where so much lacks that it is not believed.
    """

    orders: Sequence[Order]
    first_day: date
    next_day: date
    fetched_at: datetime
    zone: str
    currency: str
    shop_name: str
    api_version: str
    mark: Mapping[str, Any]
    mark_in_doubt: Mapping[str, Any]
    all_since: datetime | None = None

    @property
    def stream(self) -> Stream:
        return SALES

    def settle(self, session: Session, place: Place, *, believes_losses: bool, now: datetime) -> FetchedWindow:
        """Write the orders, and add up every day that this touches and every one that has not landed."""
        writer = LedgerWriter(session, place, self.zone, self.currency, now)
        known = {} if self.all_since is None else writer.known_since(self.all_since)
        writer.put(self.orders)
        told = {order.id for order in self.orders}
        gone = {id_: day for id_, day in known.items() if id_ not in told}
        is_short = loss.is_suspicious(had=len(known), unseen=len(gone))
        is_believed = believes_losses or not is_short
        if is_believed:
            writer.let_vanish(gone)
        return self._summed(session, place, writer.touched, is_believed=is_believed)

    def _summed(self, session: Session, place: Place, touched: set[date], *, is_believed: bool) -> FetchedWindow:
        days = self._days(touched)
        figures = read_figures(session, place, days, shop_name=self.shop_name, currency=self.currency)
        return FetchedWindow(
            stream=SALES,
            first_day=days.first,
            last_day=days.last,
            figures=figures,
            fetched_at=self.fetched_at,
            zone=self.zone,
            currency=self.currency,
            api_version=self.api_version,
            mapping_version=MAPPING_VERSION,
            mark=self.mark if is_believed else self.mark_in_doubt,
            is_short=not is_believed,
        )

    def _days(self, touched: set[date]) -> DayRange:
        """From the first day that has to be summed to today. Days before the ledger began are nobody's to sum."""
        today = day_of(self.fetched_at, self.zone)
        begin = max(self.first_day, today - (KEEP_DAYS - 1) * ONE_DAY)
        summed = [self.next_day, *(day for day in touched if day >= begin)]
        return DayRange(min(max(min(summed), begin), today), today)
