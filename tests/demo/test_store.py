"""The shop of the demo: always the same, whenever it is looked at, and never ahead of the clock."""

from datetime import date, timedelta

from demo.store import DAYS_BEFORE, STORE_ID, ZONE, DemoShopify, make_store
from tests.fakes.clock import utc
from tests.fakes.providers.world import World

BEGUN = utc("2026-11-20 12:00")
DAY = date(2026, 11, 20)


def test_is_the_same_whenever_the_fake_is_started() -> None:
    early, late = (World(DemoShopify(BEGUN), now=BEGUN + timedelta(days=days)) for days in (0, 90))
    early.advance(days=90)

    query = {"shop": STORE_ID, "since": "2026-12-01", "until": "2027-02-18"}
    assert early.oracle("shopify", **query) == late.oracle("shopify", **query) != []


def test_fills_the_days_that_a_first_sync_reads() -> None:
    store = make_store(DAY, DAY)

    days = {store.day_of(order.processed_at) for order in store.seen(BEGUN)}

    assert days == {DAY - timedelta(days=back) for back in range(DAYS_BEFORE + 1)}


def test_of_today_grows_with_the_day() -> None:
    store = make_store(DAY, DAY)

    seen = [len(list(store.seen(utc(f"2026-11-20 {hour}:00")))) for hour in ("01", "12", "22")]

    assert seen[0] < seen[1] < seen[2]
    assert store.zone == ZONE
