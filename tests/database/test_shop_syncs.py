"""A sync of a shop through a real run: its days are the oracle's to the cent, whatever happens to its orders."""

import pytest
from sqlalchemy import null, update

from app.syncs.models import StreamState
from app.syncs.shop_models import ShopOrder
from tests.database.shop_world import SHOP
from tests.database.sync_world import SyncWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.shopify.scenarios import ACME, GULF, NIPPON


@pytest.fixture
def shops(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database, of=SHOP)


def forget_where_to_go_on(shops: SyncWorld) -> None:
    """All is read again then."""
    with shops.database.transaction() as session:
        session.execute(update(StreamState).values(mark=null()))


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


class TestManyOrders:
    """More than one listing hands out, so that they come as a file."""

    def test_are_landed_to_the_cent_and_again_change_nothing(self, shops: SyncWorld) -> None:
        shops.world.reset("S4")

        run = shops.sync_at_last()
        forget_where_to_go_on(shops)
        again = shops.sync_at_last()

        assert (run.state, len(shops.rows(ShopOrder))) == ("succeeded", 26_000)
        assert shops.table() == shops.oracle()
        assert (shops.routes.count("bulk_file"), shops.routes.count("orders")) == (2, 0)
        assert shops.report(again.id)["rows_changed"] == 0
