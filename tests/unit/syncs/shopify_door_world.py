"""The fake of Shopify, and the door to it, for tests of logins."""

import json

from app.syncs.shopify.door import ShopifyDoor
from app.syncs.signs.shopify_logins import clean_login
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.shopify.scenarios import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TOKEN
from tests.fakes.providers.world import World

TEMPLATE = f"{BASE}/shopify/{{shop}}"
FIXED = clean_login(TOKEN)
CLIENT = clean_login(json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}))
REFRESH = clean_login(
    json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN})
)


def door_of(world: World, *, version: str = "2026-10") -> ShopifyDoor:
    return ShopifyDoor(TEMPLATE, version, InsideClient(world), chance=lambda: 0.5)
