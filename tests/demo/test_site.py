"""The site of the demo: always the same, whenever it is looked at, and never ahead of the clock."""

from datetime import date, timedelta

import pytest

from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, QualityFlag, Stream
from app.syncs.ga4.reader import Ga4Reader
from app.syncs.ga4.rows import ACCOUNT, CHANNELS
from app.syncs.loss import is_suspicious
from demo import site as demo_site
from demo.site import ODD_DAYS, SITE_ID, DemoGa4, make_site
from tests.fakes.clock import utc
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.world import World
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.ga4_world import SECRET, door_of

BEGUN = utc("2026-11-20 12:00")
DAY = date(2026, 11, 20)


def test_is_the_same_whenever_the_fake_is_started() -> None:
    early, late = (World(DemoGa4(BEGUN, GoogleFake()), now=BEGUN + timedelta(days=days)) for days in (0, 90))
    early.advance(days=90)

    query = {"account": SITE_ID, "since": "2026-12-01", "until": "2027-02-18"}
    assert early.oracle("ga4", **query) == late.oracle("ga4", **query) != []


def windows(world: World, stream: Stream) -> list[FetchedWindow]:
    """What a sync reads of the last days."""
    calls = door_of(world).calls(SECRET, SITE_ID, watch=FakeWatch(world))
    return list(Ga4Reader(calls, calls.glance().found, stream).read(DayRange(DAY - timedelta(days=9), DAY)))


@pytest.mark.parametrize("stream", [CHANNELS, ACCOUNT])
def test_holds_small_numbers_of_the_last_days_back_from_the_second_look_on(stream: Stream) -> None:
    google = GoogleFake()
    world = World(DemoGa4(BEGUN, google), google, now=BEGUN)

    (first,), (second,) = windows(world, stream), windows(world, stream)

    late = [sum(one.day > DAY - timedelta(days=ODD_DAYS) for one in window.figures) for window in (first, second)]
    early = [len(window.figures) - many for window, many in zip((first, second), late, strict=True)]
    assert (first.flags, second.flags) == (frozenset(), {QualityFlag.THRESHOLDED})
    assert early[0] == early[1]
    # Of the channels most are missing, which is why they are in doubt; of the whole nothing is.
    assert is_suspicious(had=late[0], unseen=late[0] - late[1]) is (stream is CHANNELS)


def test_fills_the_days_that_a_first_sync_reads() -> None:
    days = {day for day, _, _ in make_site(DAY, DAY).seen(DAY - timedelta(days=90), DAY, BEGUN)}

    assert len(days) == 91


def test_can_be_true() -> None:
    for visits in make_site(DAY, DAY).visits.values():
        assert visits.sessions >= visits.users >= visits.key_events >= visits.purchases >= 0
        assert (visits.purchases == 0) == (visits.revenue == 0)


def test_of_today_grows_with_the_day() -> None:
    site = make_site(DAY, DAY)

    seen = [
        sum(each.sessions for _, _, each in site.seen(DAY, DAY, utc(f"2026-11-20 {hour}:00")))
        for hour in ("01", "12", "22")
    ]
    assert 0 < seen[0] < seen[1] < seen[2]
    assert len(list(site.seen(DAY, DAY, utc("2026-11-20 22:00")))) == len(demo_site.CHANNELS)
