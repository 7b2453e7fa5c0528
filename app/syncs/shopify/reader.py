"""Reads what a shop sold: page by page, or as a file where that is shorter. Knows no database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.figures import FigureInvalid
from app.syncs.shopify.bulk import BulkReader
from app.syncs.shopify.graphql import ShopCalls
from app.syncs.shopify.listing import OrderListing, Sizes
from app.syncs.shopify.plans import Plan
from app.syncs.shopify.queries import ORDERS_COUNT, updated_between, updated_from
from app.syncs.shopify.refusals import CAP
from app.syncs.shopify.sales import Order, OtherCurrency
from app.syncs.shopify.shop import ShopFacts, read_shop
from app.syncs.shopify.window import ShopWindow
from app.syncs.sources import ReportShelf

# More than these are asked for as a file: pages of them would take the shop's whole allowance for minutes.
MOST_PAGED = 1_000
# Shorter spans are not counted first.
LONG_SPAN = timedelta(days=2)


@dataclass
class ShopReader:
    """Reads one shop with one sign-in."""

    calls: ShopCalls
    shop: ShopFacts
    shelf: ReportShelf
    sizes: Sizes = field(default_factory=Sizes)
    most_paged: int = MOST_PAGED

    def read(self, plan: Plan) -> ShopWindow:
        """Everything that a plan asks for, whole. Raises SyncFailed and ReadStopped."""
        try:
            orders, until = self._orders(plan)
        except OtherCurrency as error:
            said = self.calls.client.clean(str(error))
            message = f"The currency of the shop seems to have changed: {said}. Look at it at Shopify. Nothing landed."
            raise failed(TroubleClass.DATA_QUALITY, message) from None
        except FigureInvalid as error:
            # It may quote what Shopify wrote.
            said = self.calls.client.clean(str(error))
            message = f"Shopify's orders cannot be read: {said}. Nothing of them landed."
            raise failed(TroubleClass.INTERNAL, message) from None
        return ShopWindow(
            orders=orders,
            first_day=plan.first_day,
            next_day=plan.next_day,
            fetched_at=until,
            zone=self.shop.zone,
            currency=self.shop.currency,
            shop_name=self.shop.name,
            api_version=self.calls.served_version,
            mark=plan.mark(until, is_believed=True),
            mark_in_doubt=plan.mark(until, is_believed=False),
            all_since=plan.all_since,
        )

    def _orders(self, plan: Plan) -> tuple[list[Order], datetime]:
        """The orders, and up to when everything is known."""
        now = self.calls.client.watch.now()
        every = updated_from(plan.since)
        if (plan.is_whole or now - plan.since > LONG_SPAN) and self._count(every) > self.most_paged:
            return self._from_file(every)
        # An order that is changed while all are read would seem to be gone, if only those before now were asked for.
        search = every if plan.is_whole else updated_between(plan.since, now)
        try:
            return _once(OrderListing(self.calls, self.shop, self.sizes).read(search)), now
        except SyncFailed as error:
            if error.trouble.code != CAP:
                raise
        return self._from_file(every)

    def _from_file(self, search: str) -> tuple[list[Order], datetime]:
        found = BulkReader(self.calls, self.shop, self.shelf).read(search)
        # Pages say with their orders what the shop is; a file cannot, and may have taken hours.
        after = read_shop(self.calls, domain=self.shop.domain)
        self.shop.refuse_other(after.zone, after.currency)
        return _once(found.orders), found.ordered_at

    def _count(self, search: str) -> int:
        said = self.calls.ask(ORDERS_COUNT, query=search).get("ordersCount")
        count = said.get("count") if isinstance(said, dict) else None
        if not isinstance(count, int):
            raise failed(TroubleClass.INTERNAL, "Shopify does not say how many orders there are.")
        return count


def _once(orders: Iterable[Order]) -> list[Order]:
    """Each order once, as it was told last: whoever was changed meanwhile may be in a list twice."""
    found: dict[str, Order] = {}
    for order in orders:
        before = found.get(order.id)
        if before is None or before.updated_at <= order.updated_at:
            found[order.id] = order
    return list(found.values())
