"""Whatever goes wrong with a shop in whatever order, and whoever dies when: the next sync tells the truth."""

from random import Random
from typing import Any

import pytest

from app.syncs.models import FigureChange
from app.syncs.shop_models import ShopSale
from tests.database.shop_world import SHOP
from tests.database.sync_chance import sync_in_trouble
from tests.database.sync_world import SyncWorld
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.world import World

# Early in the day of the shop: all that waiting must not lead into the next one, in which more is known.
MORNING = utc("2026-11-20 05:30")
PASSING: list[dict[str, Any]] = [
    {"fault": "5xx"},
    {"fault": "5xx", "variant": "graphql"},
    {"fault": "5xx", "variant": "503"},
    {"fault": "slow"},
    {"fault": "truncated"},
    {"fault": "truncated", "variant": "garbage"},
    {"fault": "truncated_page", "size": 1},
    {"fault": "duplicate_page"},
    {"fault": "empty_page_with_next"},
    {"fault": "reordered"},
    {"fault": "reordered", "variant": "next"},
    {"fault": "rate_limit_hint", "retry_after": "2.0"},
    {"fault": "rate_limit_hint", "retry_after": "120"},
    {"fault": "rate_limit_nohint"},
    {"fault": "rate_limit_nohint", "variant": "no_code"},
    {"fault": "near_limit"},
]


@pytest.fixture
def shops(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database, World(ShopifyFake(), now=MORNING), of=SHOP)


def trouble(shops: SyncWorld, chance: Random) -> None:
    """Something goes wrong from here on."""
    for _ in range(chance.randint(0, 4)):
        match = {"after": chance.randint(0, 4)}
        shops.world.fail("shopify", times=chance.randint(1, 3), match=match, **chance.choice(PASSING))


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 8))])
def test_ends_with_the_truth(shops: SyncWorld, seed: int) -> None:
    sync_in_trouble(shops, seed, trouble=trouble)

    assert shops.table() == shops.oracle()
    before = shops.everything()
    assert shops.report(shops.sync_at_last().id)["rows_changed"] == 0
    assert shops.everything() == before


@pytest.mark.parametrize("of", ["calls", "statements"])
def test_dying_at_any_moment_leaves_nothing_half_done(shops: SyncWorld, of: str) -> None:
    at, run_id = 1, shops.ready_run()
    while shops.die(run_id, at=at, of=of):
        assert bool(shops.rows(ShopSale)) == bool(shops.table())
        assert shops.table() <= shops.oracle()
        at += 1 if of == "calls" else 3
        run_id = shops.ready_run()

    assert at > 3
    assert shops.sync_at_last().state == "succeeded"
    assert (shops.table(), shops.rows(FigureChange)) == (shops.oracle(), [])
