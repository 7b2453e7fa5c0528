"""Every fault of Shopify ends in its class, after its number of requests, and with nothing handed on in between."""

from datetime import timedelta
from typing import Any

import pytest

from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.shopify.listing import Sizes
from app.syncs.shopify.plans import plan_read
from app.syncs.shopify.reader import ShopReader
from app.syncs.shopify.shop import read_shop
from tests.fakes.providers.shopify.scenarios import ACME, SCOPELESS_TOKEN
from tests.fakes.providers.world import START, World
from tests.unit.syncs.shop_world import ShopReading, said, shop_world, truth

SMALL = Sizes(orders=40)


@pytest.fixture
def world() -> World:
    return shop_world()


def fail(world: World, fault: str, **options: Any) -> None:
    world.fail("shopify", fault, **{"match": {"route": "orders"}} | options)


def failure(reading: ShopReading) -> SyncFailed:
    with pytest.raises(SyncFailed) as failed:
        reading.read()
    return failed.value


class TestEndsAtOnce:
    """What asking again cannot mend costs one request."""

    @pytest.mark.parametrize(
        ("fault", "options", "trouble_class"),
        [
            ("expired_token", {}, TroubleClass.AUTH_REVOKED),
            ("revoked", {}, TroubleClass.AUTH_REVOKED),
            ("no_permission", {}, TroubleClass.PERMISSION_MISSING),
            ("no_permission", {"variant": "403"}, TroubleClass.PERMISSION_MISSING),
            ("rate_limit_nohint", {"variant": "429"}, TroubleClass.RATE_LIMITED),
            ("security", {}, TroubleClass.RATE_LIMITED),
            ("account_state", {"variant": "402"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("account_state", {"variant": "403"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("account_state", {"variant": "423"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("account_state", {"variant": "404"}, TroubleClass.SETUP_ERROR),
            ("graphql_error", {}, TroubleClass.INTERNAL),
            ("graphql_error", {"code": "SHOP_INACTIVE"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("text_errors", {}, TroubleClass.INTERNAL),
            ("zone_change", {}, TroubleClass.DATA_QUALITY),
            ("currency_change", {}, TroubleClass.DATA_QUALITY),
        ],
    )
    def test_in_its_class(self, world, fault, options, trouble_class):
        fail(world, fault, times=None, **options)
        reading = ShopReading(world)

        error = failure(reading)

        assert (error.trouble_class, reading.routes(), reading.watch.pauses) == (trouble_class, ["orders"], [])

    def test_of_an_app_without_the_scope_before_anything_is_asked(self, world):
        reading = ShopReading(world, token=SCOPELESS_TOKEN)

        error = failure(reading)

        assert (error.trouble_class, reading.routes()) == (TroubleClass.PERMISSION_MISSING, [])
        assert "read_orders" in error.message

    def test_of_a_part_that_comes_with_a_refusal_nothing_is_kept(self, world):
        fail(world, "no_permission", match={"route": "orders", "nth": 2})
        reading = ShopReading(world, sizes=SMALL)

        assert failure(reading).trouble_class is TroubleClass.PERMISSION_MISSING


class TestPassesByItself:
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            ("5xx", {}),
            ("5xx", {"variant": "graphql"}),
            ("5xx", {"variant": "timeout"}),
            ("5xx", {"variant": "503"}),
            ("slow", {}),
            ("slow", {"variant": "drip"}),
            ("truncated", {"variant": "reset"}),
            ("truncated", {"variant": "garbage"}),
        ],
    )
    def test_when_asked_again_and_ends_after_four_tries(self, world, fault, options):
        fail(world, fault, times=3, **options)
        reading = ShopReading(world)
        assert said(reading.read()) == truth(world)
        before = reading.routes().count("orders")
        fail(world, fault, times=None, **options)

        error = failure(ShopReading(world))

        assert (error.trouble_class, error.until) == (TroubleClass.TRANSIENT, None)
        assert reading.routes().count("orders") == before + 4


class TestPages:
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            ("truncated_page", {"size": 1, "times": None}),
            ("truncated_page", {"size": 7, "times": None}),
            ("duplicate_page", {}),
            ("empty_page_with_next", {}),
            ("reordered", {}),
            ("reordered", {"variant": "next"}),
            ("schema_drift", {"line": "NEW_KIND", "times": 0}),
        ],
    )
    def test_that_are_odd_say_the_truth(self, world, fault, options):
        fail(world, fault, **{"match": {}} | options)
        reading = ShopReading(world, sizes=SMALL)

        assert said(reading.read()) == truth(world)

    @pytest.mark.parametrize(("fault", "variant"), [("duplicate_page", "cursor"), ("empty_page_with_next", "null")])
    def test_that_lead_nowhere_end(self, world, fault, variant):
        fail(world, fault, variant=variant, times=None)

        error = failure(ShopReading(world, sizes=SMALL))

        assert (error.trouble_class, len(world.requests("orders")) <= 2) == (TroubleClass.TRANSIENT, True)

    def test_of_everything_that_is_nested_are_read_to_their_end(self, world):
        reading = ShopReading(world, sizes=Sizes(orders=250, agreements=1, sales=9))

        assert said(reading.read()) == truth(world)
        assert {"order_agreements", "agreement_sales"} < set(reading.routes())

    def test_that_are_too_expensive_become_smaller(self, world):
        reading = ShopReading(world, sizes=Sizes(orders=250, agreements=250, sales=250))

        assert said(reading.read()) == truth(world)
        assert any("too expensive" in line for line in reading.watch.lines)


class TestLimits:
    def test_of_seconds_are_waited_for_in_place(self, world):
        fail(world, "rate_limit_hint", retry_after="2.0")
        reading = ShopReading(world)

        assert said(reading.read()) == truth(world)
        assert (reading.watch.pauses[0], reading.calls.client.spent.throttles) == (2, 1)

    def test_of_more_than_a_minute_are_told_to_the_caller(self, world):
        fail(world, "rate_limit_hint", retry_after="90")

        error = failure(ShopReading(world))

        assert (error.trouble_class, error.until) == (TroubleClass.RATE_LIMITED, START + timedelta(seconds=90))

    @pytest.mark.parametrize("variant", [None, "no_code"])
    def test_by_points_are_waited_for_as_long_as_they_take_to_come_back(self, world, variant):
        fail(world, "rate_limit_nohint", variant=variant)
        reading = ShopReading(world)

        assert said(reading.read()) == truth(world)
        assert 1 <= reading.watch.pauses[0] <= 10

    def test_that_are_near_are_not_run_into(self, world):
        fail(world, "near_limit", times=None)
        reading = ShopReading(world, sizes=SMALL)

        assert said(reading.read()) == truth(world)
        assert {asked.status for asked in world.asked} == {200}
        assert reading.calls.client.spent.throttles == len(reading.watch.pauses) > 0

    def test_of_a_small_bucket_are_kept(self, world):
        world.provider("shopify").state.shops[ACME].bucket_size = 1_000
        reading = ShopReading(world, sizes=Sizes(orders=10))

        assert said(reading.read()) == truth(world)
        assert reading.watch.pauses


class TestFiles:
    """Many orders come as a file."""

    def test_say_the_truth(self, world):
        reading = ShopReading(world, most_paged=1)

        assert said(reading.read()) == truth(world)
        assert reading.routes("bulk_status") == ["run_bulk", "bulk_file"]
        assert reading.shelf.waiting == {}

    def test_are_fetched_without_what_signs_in(self, world):
        ShopReading(world, most_paged=1).read()

        assert "x-shopify-access-token" not in world.requests("bulk_file")[0].header_names

    @pytest.mark.parametrize(
        ("fault", "options", "trouble_class", "ordered"),
        [
            ("async_failed", {"code": "TIMEOUT"}, TroubleClass.TRANSIENT, 2),
            ("async_failed", {"code": "INTERNAL_SERVER_ERROR"}, TroubleClass.TRANSIENT, 2),
            ("async_failed", {"code": "ACCESS_DENIED"}, TroubleClass.PERMISSION_MISSING, 1),
            ("async_expired", {}, TroubleClass.TRANSIENT, 2),
            ("async_canceled", {}, TroubleClass.TRANSIENT, 2),
        ],
    )
    def test_that_fail_are_ordered_once_more_and_never_read_in_part(
        self, world, fault, options, trouble_class, ordered
    ):
        world.fail("shopify", fault, times=None, **options)
        reading = ShopReading(world, most_paged=1)

        error = failure(reading)

        assert (error.trouble_class, error.until) == (trouble_class, None)
        assert reading.routes("bulk_status") == ["run_bulk"] * ordered
        assert reading.shelf.waiting == {}

    def test_that_failed_once_are_there_at_the_second_order(self, world):
        world.fail("shopify", "async_failed", code="TIMEOUT")

        assert said(ShopReading(world, most_paged=1).read()) == truth(world)

    def test_that_take_long_are_come_back_for(self, world):
        world.fail("shopify", "async_running", polls=8)
        reading = ShopReading(world, most_paged=1)

        error = failure(reading)
        world.advance(minutes=2)
        found = ShopReading(world, most_paged=1, shelf=reading.shelf).read()

        assert error.trouble_class is TroubleClass.REPORT_PENDING
        assert (said(found), found.fetched_at) == (truth(world), START)
        assert len(world.requests("run_bulk")) == 1

    def test_that_cannot_be_ordered_now_are_come_back_for(self, world):
        world.fail("shopify", "async_busy")

        error = failure(ShopReading(world, most_paged=1))

        assert (error.trouble_class, error.until) == (TroubleClass.REPORT_PENDING, START + timedelta(minutes=5))

    def test_that_are_empty_say_so(self, world):
        world.fail("shopify", "async_empty")

        assert ShopReading(world, most_paged=1).read().orders == []

    @pytest.mark.parametrize("change", [{"zone": "Europe/Riga"}, {"currency": "EUR"}])
    def test_of_a_shop_that_became_another_meanwhile_are_not_kept(self, world, change):
        world.fail("shopify", "async_running", polls=8)
        reading = ShopReading(world, most_paged=1)
        failure(reading)
        shop = read_shop(reading.calls, domain=ACME)
        world.advance(minutes=2)
        reader = ShopReader(reading.calls, shop, reading.shelf, most_paged=1)
        plan = plan_read(None, {}, zone=shop.zone, today=shop.today(world.now), now=world.now, reads_all_orders=True)
        world.fail("shopify", f"{next(iter(change))}_change", match={"route": "shop"}, times=None, **change)

        with pytest.raises(SyncFailed, match="was changed while it was read") as refused:
            reader.read(plan)

        assert refused.value.trouble_class is TroubleClass.DATA_QUALITY
        assert len(world.requests("bulk_file")) == 1

    @pytest.mark.parametrize("variant", ["reset", "garbage"])
    def test_that_break_off_are_asked_for_again(self, world, variant):
        world.fail("shopify", "truncated", variant=variant, match={"route": "bulk_file"})
        reading = ShopReading(world, most_paged=1)

        assert said(reading.read()) == truth(world)
        assert reading.routes("bulk_status") == ["run_bulk", "bulk_file", "bulk_file"]

    def test_that_always_break_off_are_not_kept(self, world):
        world.fail("shopify", "truncated", variant="garbage", match={"route": "bulk_file"}, times=None)
        reading = ShopReading(world, most_paged=1)

        assert failure(reading).trouble_class is TroubleClass.TRANSIENT
        assert reading.routes("bulk_status") == ["run_bulk"] + ["bulk_file"] * 3


class TestVersions:
    def test_that_are_no_longer_served_are_seen(self, world):
        reading = ShopReading(world, version="2025-01")

        window = reading.read()

        assert (said(window), window.api_version) == (truth(world), "2026-01")
