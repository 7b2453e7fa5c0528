"""Every fault of Meta ends in its class, after its number of requests, and with nothing landed in between."""

from datetime import timedelta
from typing import Any

import pytest

from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.meta.accounts import read_account
from tests.fakes.providers.meta.scenarios import EU
from tests.fakes.providers.world import START, World
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.meta_world import make_client, make_reading, said, truth

ALWAYS = {"times": None}


def fail(world: World, fault: str, **options: Any) -> None:
    world.fail("meta", fault, match={"route": "insights"}, **options)


class TestEndsAtOnce:
    """What asking again cannot mend costs one request, for refusals cost quota."""

    @pytest.mark.parametrize(
        ("fault", "variant", "trouble_class"),
        [
            ("expired_token", None, TroubleClass.AUTH_EXPIRED),
            ("revoked", "460", TroubleClass.AUTH_REVOKED),
            ("revoked", "467", TroubleClass.AUTH_REVOKED),
            ("revoked", "458", TroubleClass.AUTH_REVOKED),
            ("revoked", "493", TroubleClass.AUTH_REVOKED),
            ("no_permission", "10", TroubleClass.PERMISSION_MISSING),
            ("no_permission", "200", TroubleClass.PERMISSION_MISSING),
            ("no_permission", "100-33", TroubleClass.PERMISSION_MISSING),
            ("rate_limit_nohint", "4", TroubleClass.RATE_LIMITED),
            ("rate_limit_nohint", "17", TroubleClass.RATE_LIMITED),
            ("rate_limit_nohint", "32", TroubleClass.RATE_LIMITED),
            ("rate_limit_nohint", "613", TroubleClass.RATE_LIMITED),
            ("rate_limit_nohint", "80000", TroubleClass.RATE_LIMITED),
            ("rate_limit_nohint", "80004", TroubleClass.RATE_LIMITED),
            ("blocked", None, TroubleClass.ACCOUNT_UNAVAILABLE),
        ],
    )
    def test_in_its_class(self, world, fault, variant, trouble_class):
        reading = make_reading(world)
        fail(world, fault, times=None, variant=variant)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, reading.routes) == (trouble_class, ["insights"])
        assert reading.watch.pauses == []

    @pytest.mark.parametrize(
        ("version", "trouble_class"),
        [("v19.0", TroubleClass.VERSION_RETIRED), ("v99.0", TroubleClass.VERSION_RETIRED)],
    )
    def test_for_a_version_that_is_not_served(self, world, version, trouble_class):
        client = make_client(world, FakeWatch(world))
        client.base_url = client.base_url.replace("v26.0", version)

        with pytest.raises(SyncFailed) as failed:
            read_account(client, EU)

        assert (failed.value.trouble_class, len(world.asked)) == (trouble_class, 1)


class TestAccounts:
    @pytest.mark.parametrize("status", [2, 3, 7, 101, 999])
    def test_that_are_not_active_are_not_read(self, world, status):
        world.fail("meta", "account_state", status=status)

        with pytest.raises(SyncFailed) as failed:
            make_reading(world)

        assert failed.value.trouble_class is TroubleClass.ACCOUNT_UNAVAILABLE

    def test_in_another_currency_than_their_rows_are_held(self, world):
        world.fail("meta", "currency_change", currency="EUR")

        with pytest.raises(SyncFailed) as failed:
            make_reading(world).read()

        assert failed.value.trouble_class is TroubleClass.DATA_QUALITY

    def test_in_another_zone_say_so_in_their_windows(self, world):
        world.fail("meta", "zone_change", zone="America/New_York")

        assert {window.zone for window in make_reading(world).read()} == {"America/New_York"}

    def test_in_a_zone_that_nobody_knows_are_not_read(self, world):
        world.fail("meta", "zone_change", zone="Mars/Olympus")

        with pytest.raises(SyncFailed) as failed:
            make_reading(world)

        assert failed.value.trouble_class is TroubleClass.INTERNAL

    @pytest.mark.parametrize("account", ["1001/../2002", "act_1001", "", "１００１", "999"])
    def test_by_a_wrong_id_are_refused(self, world, account):
        with pytest.raises(SyncFailed) as failed:
            make_reading(world, account=account)

        assert failed.value.trouble_class in {TroubleClass.SETUP_ERROR, TroubleClass.PERMISSION_MISSING}


class TestPassesByItself:
    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            ("5xx", {"variant": "1"}),
            ("5xx", {"variant": "2"}),
            ("5xx", {"variant": "html"}),
            ("5xx", {"variant": "transient"}),
            ("slow", {}),
            ("slow", {"variant": "drip"}),
            ("truncated", {"variant": "reset"}),
            ("truncated", {"variant": "garbage"}),
        ],
    )
    def test_when_asked_again_and_ends_after_four_tries(self, world, fault, options):
        fail(world, fault, times=3, **options)
        reading = make_reading(world)
        assert said(reading.read()) == truth(world)
        assert reading.routes == ["insights"] * 4
        fail(world, fault, times=None, **options)
        reading = make_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert failed.value.trouble_class is TroubleClass.TRANSIENT
        assert (failed.value.until, len(reading.routes)) == (None, 4 + 4)


class TestLimits:
    def test_of_a_minute_are_waited_for_in_place(self, world):
        fail(world, "rate_limit_hint", regain=1)
        reading = make_reading(world)

        assert said(reading.read()) == truth(world)
        assert (reading.watch.pauses, reading.client.spent.throttles) == ([60], 1)

    @pytest.mark.parametrize(
        ("regain", "trouble_class"),
        [(3, TroubleClass.RATE_LIMITED), (30, TroubleClass.RATE_LIMITED), (31, TroubleClass.QUOTA_EXHAUSTED)],
    )
    def test_of_more_are_told_to_the_caller(self, world, regain, trouble_class):
        fail(world, "rate_limit_hint", regain=regain)
        reading = make_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, failed.value.until) == (trouble_class, START + timedelta(minutes=regain))
        assert (reading.routes, reading.watch.pauses) == (["insights"], [])

    def test_without_a_hint_come_back_in_five_minutes(self, world):
        fail(world, "rate_limit_nohint")

        with pytest.raises(SyncFailed) as failed:
            make_reading(world).read()

        assert failed.value.until == START + timedelta(minutes=5)

    def test_that_never_end_do_not_hold_the_worker(self, world):
        fail(world, "rate_limit_hint", regain=1, times=None)
        reading = make_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (len(reading.routes), failed.value.until) == (4, world.now + timedelta(minutes=5))

    def test_that_are_near_slow_the_read_down(self, world):
        fail(world, "near_limit", percent=85)
        reading = make_reading(world, page_rows=30)

        assert said(reading.read()) == truth(world)
        assert reading.watch.pauses == [15]

    def test_that_are_all_but_reached_end_it_before_the_service_does(self, world):
        fail(world, "near_limit", percent=96, regain=12)
        reading = make_reading(world, page_rows=30)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, failed.value.until) == (
            TroubleClass.RATE_LIMITED, START + timedelta(minutes=12),
        )  # fmt: skip
        assert reading.routes == ["insights"]

    def test_that_are_reached_by_the_last_answer_hold_up_nothing(self, world):
        fail(world, "near_limit", percent=100)
        reading = make_reading(world)

        assert (said(reading.read()), reading.watch.pauses) == (truth(world), [])

    def test_that_nobody_can_read_are_none(self, world):
        fail(world, "usage_garbage", times=None)
        reading = make_reading(world, page_rows=7)

        assert (said(reading.read()), reading.watch.pauses) == (truth(world), [])

    def test_are_kept_by_a_reader_that_obeys_the_headers(self, world):
        world.provider("meta").state.accounts[EU].quota_per_hour = 20
        reading = make_reading(world, page_rows=2)

        with pytest.raises(SyncFailed):
            reading.read()

        assert {asked.status for asked in world.asked} == {200}
        assert max(reading.watch.pauses) <= 30
