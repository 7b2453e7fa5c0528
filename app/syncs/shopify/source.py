"""Shopify as one of the services that are synced."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.syncs.calls.client import Spent, Watch
from app.syncs.days import DayRange
from app.syncs.figures import Stream
from app.syncs.logins import Login
from app.syncs.shopify.day_sums import SALES
from app.syncs.shopify.graphql import ShopCalls
from app.syncs.shopify.plans import SHORT_DAYS, Plan, plan_read
from app.syncs.shopify.reader import ShopReader
from app.syncs.shopify.shop import ShopFacts, read_shop
from app.syncs.shopify.window import ShopWindow
from app.syncs.sources import AccountFacts, OtherVersion, Reading, ReportShelf
from app.syncs.stream_reads import Progress

_SHORT_SIGHT = (
    f"Shopify lets this app see the orders of the last {SHORT_DAYS} days alone: what is given back of older ones is "
    "missing. The scope read_all_orders would show all."
)


class CallsShops(Protocol):
    """How this installation speaks with Shopify."""

    def calls(self, login: Login, *, watch: Watch) -> ShopCalls: ...


@dataclass(frozen=True)
class ShopifySource:
    """Shopify as this installation speaks with it."""

    door: CallsShops
    streams: Mapping[str, Stream] = field(default_factory=lambda: {SALES.name: SALES})

    def begin(self, login: Login, *, watch: Watch, shelf: ReportShelf) -> Reading:
        return _ShopReading(self.door.calls(login, watch=watch), login.account_id, shelf)


@dataclass
class _ShopReading:
    calls: ShopCalls
    domain: str
    shelf: ReportShelf
    _shop: ShopFacts | None = field(default=None, init=False)
    _plan: Plan | None = field(default=None, init=False)

    @property
    def spent(self) -> Spent:
        return self.calls.client.spent

    def open(self) -> AccountFacts:
        shop = self._opened
        if not shop.reads_all_orders:
            self.calls.client.watch.log(_SHORT_SIGHT)
        return AccountFacts(shop.name, shop.zone, shop.currency, for_operator=self._other_version())

    def _other_version(self) -> OtherVersion | None:
        asked, served = self.calls.version, self.calls.served_version
        if asked == served:
            return None
        return OtherVersion(
            served,
            f"Shopify no longer serves the version {asked} of its API and answers with {served}. "
            "Set BELFRY_SHOPIFY_API_VERSION to one that this version of Belfry is made for, or update Belfry.",
        )

    def windows(self, progress: Progress, *, now: datetime) -> list[DayRange]:
        shop = self._opened
        self._plan = plan_read(
            progress.high_water, progress.mark, zone=shop.zone, today=shop.today(now), now=now,
            reads_all_orders=shop.reads_all_orders,
        )  # fmt: skip
        return [self._plan.days]

    def read(self, stream: Stream, days: DayRange) -> Iterator[ShopWindow]:
        assert self._plan is not None
        yield ShopReader(self.calls, self._opened, self.shelf).read(self._plan)

    @property
    def _opened(self) -> ShopFacts:
        if self._shop is None:
            self._shop = read_shop(self.calls, domain=self.domain)
        return self._shop
