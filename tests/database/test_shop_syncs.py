"""A sync of a shop through a real run: its days are the oracle's to the cent, whatever happens to its orders."""

import pytest

from tests.database.shop_world import SHOP
from tests.database.sync_world import SyncWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.shopify.scenarios import ACME, GULF, NIPPON


@pytest.fixture
def shops(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database, of=SHOP)


class TestARun:
    @pytest.mark.parametrize("shop", [ACME, NIPPON, GULF])
    def test_lands_all_that_is_true_and_nothing_else(self, shops: SyncWorld, shop: str) -> None:
        connection_id = shops.connection_id if shop == ACME else shops.connect(shop)

        run = shops.sync_at_last(shops.ready_run(connection_id=str(connection_id)))

        assert (run.state, run.error) == ("succeeded", None)
        assert shops.table(connection_id) == shops.oracle(shop)

    def test_again_changes_nothing(self, shops: SyncWorld) -> None:
        shops.sync_at_last()
        before = shops.everything()

        run = shops.sync_at_last()

        assert shops.report(run.id)["rows_changed"] == 0
        assert shops.everything() == before
