"""Every trouble of Shopify ends a run in its class, after its number of requests, with its event and its state."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.schedules.models import Schedule
from app.syncs.shop_models import ShopOrder
from app.syncs.shopify.reader import ShopReader
from tests.database.shop_world import SHOP
from tests.database.sync_world import SyncWorld
from tests.database.test_sync_troubles import REFUSED, told
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.shopify.scenarios import ACME, SCOPELESS_TOKEN, TOKEN

# What the shop says of itself, how many orders there are, and the first page of them.
READ = ["shop", "orders_count", "orders"]


@pytest.fixture
def shops(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database, of=SHOP)


def fail(shops: SyncWorld, fault: str, *, route: str = "orders", **options: Any) -> None:
    shops.world.fail("shopify", fault, **{"times": None, "match": {"route": route}} | options)


class TestEndsARun:
    """What asking again cannot mend is not asked again."""

    @pytest.mark.parametrize(
        ("fault", "options", "trouble", "error_class", "events", "state"),
        [
            ("expired_token", {}, "auth_revoked", "refused", REFUSED, "refused"),
            ("revoked", {}, "auth_revoked", "refused", REFUSED, "refused"),
            ("no_permission", {}, "permission_missing", "refused", REFUSED, "refused"),
            ("no_permission", {"variant": "403"}, "permission_missing", "refused", REFUSED, "refused"),
            ("account_state", {"variant": "402"}, "account_unavailable", "refused", REFUSED, "refused"),
            ("account_state", {"variant": "403"}, "account_unavailable", "refused", REFUSED, "refused"),
            ("account_state", {"variant": "423"}, "account_unavailable", "refused", REFUSED, "refused"),
            ("account_state", {"variant": "404"}, "setup_error", "rejected", [], "connected"),
            ("graphql_error", {}, "internal", "job", [], "connected"),
            ("text_errors", {}, "internal", "job", [], "connected"),
            ("zone_change", {}, "data_quality", "rejected", [], "connected"),
            ("currency_change", {}, "data_quality", "rejected", [], "connected"),
        ],
    )
    def test_in_its_class(self, shops, fault, options, trouble, error_class, events, state) -> None:
        fail(shops, fault, **options)

        run = shops.sync()

        (attempt,) = shops.attempts(run.id)
        assert (run.state, attempt.error_class, attempt.result["trouble"]["class"]) == ("failed", error_class, trouble)
        assert (shops.routes, told(shops), shops.table(), shops.rows(ShopOrder)) == (READ, events, set(), [])
        assert shops.connection().state == state
        assert [row.enabled for row in shops.rows(Schedule)] == [state == "connected"]

    def test_of_an_app_that_may_not_read_orders_before_it_asks_for_any(self, shops: SyncWorld) -> None:
        shops.take_over(shops.connection_id, SCOPELESS_TOKEN)

        run = shops.sync()

        assert (run.state, shops.routes, told(shops)) == ("failed", ["shop"], REFUSED)
        assert "read_orders" in (run.error or "")


class TestComesBack:
    @pytest.mark.parametrize(
        ("fault", "options", "wait"),
        [
            ("rate_limit_hint", {"retry_after": "90"}, timedelta(seconds=90)),
            ("rate_limit_nohint", {"variant": "429"}, timedelta(minutes=5)),
            ("security", {}, timedelta(minutes=5)),
        ],
    )
    def test_when_it_is_told_to_and_uses_no_try_for_that(self, shops, fault, options, wait) -> None:
        fail(shops, fault, times=1, **options)
        run_id = shops.ready_run()

        waiting = shops.attempt(run_id)
        run = shops.sync_at_last(run_id)

        assert waiting.ready_at >= shops.attempts(run_id)[0].started_at + wait
        assert (run.state, run.attempt, told(shops)) == ("succeeded", 1, [])
        assert shops.table() == shops.oracle()

    def test_for_a_file_that_takes_long_and_orders_no_other_one(self, shops, monkeypatch) -> None:
        monkeypatch.setattr("app.syncs.shopify.source.ShopReader", partial(ShopReader, most_paged=1))
        shops.world.fail("shopify", "async_running", polls=9)

        run = shops.sync_at_last()

        assert (run.state, shops.table(), shops.routes.count("run_bulk")) == ("succeeded", shops.oracle(), 1)
        assert len(shops.attempts(run.id)) == 2

    def test_tries_again_what_may_pass(self, shops: SyncWorld) -> None:
        fail(shops, "5xx", times=4)

        run = shops.sync_at_last()

        assert (run.state, len(shops.attempts(run.id))) == ("succeeded", 2)
        assert shops.table() == shops.oracle()


class TestTheToken:
    @pytest.mark.parametrize("fault", ["echo", "expired_token", "graphql_error", "truncated"])
    def test_stands_in_no_row_and_no_log(self, shops: SyncWorld, fault: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        fail(shops, fault, text=f"token {TOKEN}")

        shops.sync()

        assert TOKEN not in shops.whole_database() + caplog.text
        assert TOKEN[:25] not in shops.whole_database() + caplog.text


def test_the_shops_of_two_connections_are_kept_apart(shops: SyncWorld, database: OpenDatabase) -> None:
    other = SyncWorld(database, shops.world, SHOP)
    shops.sync_at_last()
    other.sync_at_last()
    shops.world.mutate("shopify", shop=ACME, order=910, edit="7.77", at="2026-11-03T12:00:00+00:00")
    shops.world.advance(minutes=1)

    shops.sync_at_last()

    assert shops.table() == shops.oracle() != other.table()
    assert len({order.connection_id for order in shops.rows(ShopOrder)}) == 2
