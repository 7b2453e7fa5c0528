"""A sync of a shop through a real run: its days are the oracle's to the cent, whatever happens to its orders."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import null, update

from app.events.models import Event
from app.jobs.services import Service
from app.runs.claims import LeaseTerms
from app.syncs import loss
from app.syncs.models import FigureChange, StreamState
from app.syncs.shop_models import ShopOrder
from app.syncs.shopify.source import ShopifySource
from app.syncs.streams import call_normal
from tests.database.shop_world import SHOP, FixedDoor
from tests.database.sync_world import SyncWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.shopify.scenarios import ACME, GULF, NIPPON, OTHER_TOKEN, TOKEN

# At 03:59:59 UTC on 1 November 2026, a second before midnight in New York.
CLOCK_CHANGE_ORDER = 910


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


class TestTheNextRun:
    """Reads what was changed since, and sums the days that this touches."""

    @pytest.mark.parametrize(
        ("change", "days"),
        [
            # A refund counts on the day on which it is agreed on, a month after the order.
            ({"order": CLOCK_CHANGE_ORDER, "refund": "1.23"}, {"2026-11-20"}),
            ({"order": CLOCK_CHANGE_ORDER, "edit": "7.77", "at": "2026-11-03T12:00:00+00:00"}, {"2026-11-03"}),
            # Half an hour before midnight in New York, where it is summer time no more.
            ({"order": CLOCK_CHANGE_ORDER, "edit": "7.77", "at": "2026-11-02T04:30:00+00:00"}, {"2026-11-01"}),
            ({"order": 5_000, "new_order": "19.99", "at": "2026-11-20T12:30:00+00:00"}, {"2026-11-20"}),
            ({"order": CLOCK_CHANGE_ORDER, "touched": True}, set()),
        ],
    )
    def test_changes_the_days_that_something_happened_on(
        self, shops: SyncWorld, change: dict[str, Any], days: set[str]
    ) -> None:
        shops.sync_at_last()
        before = shops.table()
        shops.world.advance(hours=1)
        shops.world.mutate("shopify", shop=ACME, **change)
        shops.world.advance(hours=1)

        run = shops.sync_at_last()

        after = shops.table()
        assert after == shops.oracle()
        assert {row[0] for row in before ^ after} - {"2026-11-20"} == days - {"2026-11-20"}
        assert "2026-11-20" not in days or after != before
        assert shops.report(run.id)["requests"] <= 3

    def test_logs_what_changed_of_complete_days(self, shops: SyncWorld) -> None:
        shops.sync_at_last()
        before = shops.table()
        shops.world.mutate("shopify", shop=ACME, order=CLOCK_CHANGE_ORDER, edit="7.77", at="2026-11-03T12:00:00+00:00")

        shops.world.advance(minutes=1)

        shops.sync_at_last()

        logged = {(row.day.isoformat(), row.metric, row.old_value, row.new_value) for row in shops.rows(FigureChange)}
        old = {row[3]: row[4] for row in before - shops.table()}
        new = {row[3]: row[4] for row in shops.table() - before}
        assert logged == {("2026-11-03", metric, old[metric], new[metric]) for metric in new}
        assert set(new) == {"gross_sales", "net_sales"}

    def test_does_not_look_for_what_is_gone(self, shops: SyncWorld) -> None:
        shops.sync_at_last()
        shops.world.mutate("shopify", shop=ACME, order=CLOCK_CHANGE_ORDER, removed=True)

        run = shops.sync_at_last()

        assert shops.report(run.id)["rows_changed"] == 0


class TestOnceAWeek:
    """All orders are read again, and what is gone counts no more."""

    def test_an_order_that_is_gone_is_taken_out_of_its_days(self, shops: SyncWorld) -> None:
        shops.sync_at_last()
        shops.world.mutate("shopify", shop=ACME, order=CLOCK_CHANGE_ORDER, removed=True)
        shops.world.advance(days=7)

        shops.sync_at_last()

        assert shops.table() == shops.oracle()
        assert {order.order_id for order in shops.rows(ShopOrder) if order.vanished_at} == {
            f"Order/{CLOCK_CHANGE_ORDER}"
        }

    def test_a_day_whose_only_order_is_gone_has_no_figures(self, shops: SyncWorld) -> None:
        gulf = shops.connect(GULF)
        shops.sync_at_last(shops.ready_run(connection_id=str(gulf)))
        orders = shops.world.provider("shopify").state.shops[GULF].orders
        shops.world.mutate("shopify", shop=GULF, order=min(orders), removed=True)
        shops.world.advance(days=7)

        shops.sync_at_last(shops.ready_run(connection_id=str(gulf)))

        assert shops.table(gulf) == shops.oracle(GULF)

    def test_of_a_small_shop_most_days_may_lose_their_only_orders(self, shops: SyncWorld) -> None:
        """So few orders may go without a doubt, and then the figures of their days go as well."""
        nippon = shops.connect(NIPPON)
        definition = {"connection_id": str(nippon)}
        orders = shops.world.provider("shopify").state.shops[NIPPON].orders
        # From all of the time, so that each is the only one of its day.
        few = sorted(orders)[:: len(orders) // loss.FEW][: loss.FEW]
        for number in set(orders) - set(few):
            del orders[number]
        shops.sync_at_last(shops.ready_run(**definition))
        for number in few[1:]:
            del orders[number]
        shops.world.advance(days=7)

        report = shops.report(shops.sync_at_last(shops.ready_run(**definition)).id)

        assert shops.table(nippon) == shops.oracle(NIPPON)
        assert "doubt" not in report["streams"][0]

    def test_most_orders_being_gone_is_not_believed_until_somebody_says_so(self, shops: SyncWorld) -> None:
        nippon = shops.connect(NIPPON)
        definition = {"connection_id": str(nippon)}
        shops.sync_at_last(shops.ready_run(**definition))
        before = shops.table(nippon)
        shops.world.provider("shopify").state.shops[NIPPON].orders.clear()
        shops.world.advance(days=7)

        doubted = shops.report(shops.sync_at_last(shops.ready_run(**definition)).id)
        kept = shops.table(nippon)
        here = {"organization_id": shops.organization_id, "connection_id": nippon}
        with shops.database.transaction() as session:
            call_normal(session, **here, stream="sales", now=shops.world.now)
        shops.sync_at_last(shops.ready_run(**definition))

        assert (doubted["flag"], doubted["streams"][0]["doubt"], kept) == ("suspicious", "loss", before)
        assert shops.table(nippon) == shops.oracle(NIPPON) == set()

    def test_an_order_that_is_changed_while_all_are_read_is_not_gone(self, shops: SyncWorld) -> None:
        shops.sync_at_last()
        shops.world.advance(days=7)
        shops.world.fail("shopify", "reordered", variant="next")

        shops.sync_at_last()

        assert not [order for order in shops.rows(ShopOrder) if order.vanished_at]
        assert shops.table() == shops.oracle()


class TestWithoutTheRightToSeeAllOrders:
    def test_sixty_days_are_read_and_that_is_said(self, shops: SyncWorld) -> None:
        connection_id = shops.connection_id
        shops.take_over(connection_id, OTHER_TOKEN)

        run = shops.sync_at_last()

        seen = shops.world.oracle("shopify", shop=ACME, visible="60", since="2026-09-22")
        assert shops.table() == {
            (each["day"], "account", "", each["metric"], Decimal(each["value"]), each["currency"]) for each in seen
        }
        assert any("last 60 days alone" in line for line in shops.log(run.id))

    def test_the_past_is_read_as_soon_as_it_may_be(self, shops: SyncWorld) -> None:
        shops.take_over(shops.connection_id, OTHER_TOKEN)
        shops.sync_at_last()
        shops.take_over(shops.connection_id, TOKEN)

        shops.sync_at_last()

        assert shops.table() == shops.oracle()


class TestAVersionThatIsNoLongerServed:
    def test_goes_on_and_is_told_to_whoever_runs_belfry(
        self, database: OpenDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        old = lambda world: {Service.SHOPIFY: ShopifySource(FixedDoor(world, version="2025-01"))}  # noqa: E731 - short
        shops = SyncWorld(database, of=replace(SHOP, sources=old))

        run = shops.sync_at_last()

        assert (run.state, shops.table()) == ("succeeded", shops.oracle())
        assert {landing.api_version for landing in shops.landings()} == {"2026-01"}
        assert any("BELFRY_SHOPIFY_API_VERSION" in line for line in shops.log(run.id))
        assert "a service has news" in caplog.messages

    def test_is_an_event_once(self, database: OpenDatabase) -> None:
        old = lambda world: {Service.SHOPIFY: ShopifySource(FixedDoor(world, version="2025-01"))}  # noqa: E731 - short
        shops = SyncWorld(database, of=replace(SHOP, sources=old))

        for _ in range(2):
            shops.sync_at_last()

        (told,) = [event for event in shops.rows(Event) if event.kind == "connection.version_retired"]
        assert (told.topic, told.subject_id) == ("connections", shops.connection_id)
        assert (told.data["service"], told.data["version"]) == ("shopify", "2026-01")
        assert "BELFRY_SHOPIFY_API_VERSION" in told.data["text"]

    def test_is_over_with_the_first_sync_that_is_served_what_it_asks_for(self, database: OpenDatabase) -> None:
        old = lambda world: {Service.SHOPIFY: ShopifySource(FixedDoor(world, version="2025-01"))}  # noqa: E731 - short
        shops = SyncWorld(database, of=replace(SHOP, sources=old))
        shops.sync_at_last()
        shops.sources = SHOP.sources(shops.world)

        for _ in range(2):
            shops.sync_at_last()

        told = [event.kind for event in shops.rows(Event) if event.kind.startswith("connection.version")]
        assert told == ["connection.version_retired", "connection.version_served"]


class TestAShopThatChanges:
    @pytest.mark.parametrize("change", [{"zone": "Europe/Berlin"}, {"currency": "EUR"}])
    def test_its_zone_or_currency_is_not_mixed(self, shops: SyncWorld, change: dict[str, str]) -> None:
        shops.sync_at_last()
        before = shops.everything()
        shops.world.mutate("shopify", shop=ACME, **change)

        run = shops.sync_at_last()

        assert (run.state, shops.everything()) == ("failed", before)


@pytest.mark.slow
class TestManyOrders:
    """More than one listing hands out, so that they come as a file."""

    def test_are_landed_to_the_cent_and_again_change_nothing(self, database: OpenDatabase) -> None:
        shops = SyncWorld(database, of=SHOP, terms=LeaseTerms.for_lease(1_800))
        shops.world.reset("S4")

        run = shops.sync_at_last()
        forget_where_to_go_on(shops)
        again = shops.sync_at_last()

        assert (run.state, len(shops.rows(ShopOrder))) == ("succeeded", 26_000)
        assert shops.table() == shops.oracle()
        assert (shops.routes.count("bulk_file"), shops.routes.count("orders")) == (2, 0)
        assert shops.report(again.id)["rows_changed"] == 0
