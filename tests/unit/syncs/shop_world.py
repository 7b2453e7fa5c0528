"""The fake of Shopify, and reads of it, for tests that compare what was read with the truth."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from app.syncs.days import day_of
from app.syncs.shopify.dialect import shopify_client
from app.syncs.shopify.graphql import FixedToken, ShopCalls
from app.syncs.shopify.listing import Sizes
from app.syncs.shopify.plans import plan_read
from app.syncs.shopify.reader import MOST_PAGED, ShopReader
from app.syncs.shopify.shop import read_shop
from app.syncs.shopify.window import ShopWindow
from app.syncs.sources import ReportShelf
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import ACME, TOKEN
from tests.fakes.providers.world import World
from tests.fakes.watch import FakeWatch

VERSION = "2026-10"
# Day, metric and value.
Said = tuple[str, str, Decimal]


def shop_world() -> World:
    world = World(ShopifyFake())
    # How fast points come back is another matter than most tests are about.
    world.provider("shopify").state.shops[ACME].bucket_size = 1e6
    return world


@dataclass
class ShopReading:
    """One read of everything in a shop that can be made, and what it did to the world."""

    world: World
    shop: str = ACME
    token: str = TOKEN
    version: str = VERSION
    most_paged: int = MOST_PAGED
    sizes: Sizes = field(default_factory=Sizes)
    shelf: ReportShelf = field(default_factory=ReportShelf)
    watch: FakeWatch = field(init=False)
    calls: ShopCalls = field(init=False)

    def __post_init__(self) -> None:
        self.watch = FakeWatch(self.world)
        client = shopify_client(
            base_url=f"{BASE}/shopify/{self.shop}", version=self.version, token=self.token,
            sender=InsideClient(self.world), watch=self.watch, chance=lambda: 0.5,
        )  # fmt: skip
        self.calls = ShopCalls(client, FixedToken(self.token), self.version)

    def read(self) -> ShopWindow:
        shop = read_shop(self.calls, domain=self.shop)
        now = self.world.now
        plan = plan_read(
            None, {}, zone=shop.zone, today=shop.today(now), now=now, reads_all_orders=shop.reads_all_orders
        )
        return ShopReader(self.calls, shop, self.shelf, sizes=self.sizes, most_paged=self.most_paged).read(plan)

    def routes(self, *but: str) -> list[str]:
        """What was asked, without what only leads there."""
        return [asked.route for asked in self.world.asked if asked.route not in {"shop", "orders_count", *but}]


def said(window: ShopWindow) -> list[Said]:
    """What the orders of a window add up to, without a table."""
    days: dict[date, dict[str, Decimal]] = defaultdict(
        lambda: dict.fromkeys(("orders", "gross_sales", "discounts", "returns", "net_sales"), Decimal(0))
    )
    for order in window.orders:
        if order.is_test:
            continue
        days[day_of(order.processed_at, window.zone)]["orders"] += 1
        for sale in order.sales:
            if sale.line_type != "PRODUCT":
                continue
            found, net = days[day_of(sale.happened_at, window.zone)], sale.amount - sale.tax
            found["net_sales"] += net
            if sale.action == "RETURN":
                found["returns"] -= net
            else:
                found["gross_sales"] += net + sale.discount
                found["discounts"] += sale.discount
    return sorted((day.isoformat(), metric, value) for day, found in days.items() for metric, value in found.items())


def truth(world: World, shop: str = ACME) -> list[Said]:
    """What a read without a mistake says."""
    found = world.oracle("shopify", shop=shop)
    return sorted((each["day"], each["metric"], Decimal(each["value"])) for each in found)
