"""The fake of Shopify behind a worker's syncs."""

from dataclasses import dataclass
from typing import Any

from app.jobs.kinds.sync.definition import Sources
from app.jobs.services import Service
from app.syncs.calls.client import Watch
from app.syncs.logins import Login
from app.syncs.shop_models import ShopOrder, ShopSale
from app.syncs.shopify.dialect import shopify_client
from app.syncs.shopify.graphql import FixedToken, ShopCalls
from app.syncs.shopify.source import ShopifySource
from tests.database.sync_world import SyncedService
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import ACME, TOKEN
from tests.fakes.providers.world import World

VERSION = "2026-10"


@dataclass(frozen=True)
class FixedDoor:
    """Speaks with the fake's shops, with a token that never ends."""

    world: World
    version: str = VERSION

    def calls(self, login: Login, *, watch: Watch) -> ShopCalls:
        client = shopify_client(
            base_url=f"{BASE}/shopify/{login.account_id}", version=self.version, token=login.secret,
            sender=InsideClient(self.world), watch=watch, chance=lambda: 0.5,
        )  # fmt: skip
        return ShopCalls(client, FixedToken(login.secret), self.version)


def shop_sources(world: World) -> Sources:
    return {Service.SHOPIFY: ShopifySource(FixedDoor(world))}


def shop_oracle(world: World, shop: str) -> list[dict[str, Any]]:
    return world.oracle("shopify", shop=shop)


SHOP = SyncedService(
    Service.SHOPIFY, ACME, TOKEN, lambda: World(ShopifyFake()), shop_sources, shop_oracle, tables=(ShopOrder, ShopSale)
)
