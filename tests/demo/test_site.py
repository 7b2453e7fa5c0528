"""The site of the demo: always the same, whenever it is looked at, and never ahead of the clock."""

from datetime import date, timedelta

from demo.site import CHANNELS, SITE_ID, DemoGa4, make_site
from tests.fakes.clock import utc
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.world import World

BEGUN = utc("2026-11-20 12:00")
DAY = date(2026, 11, 20)


def test_is_the_same_whenever_the_fake_is_started() -> None:
    early, late = (World(DemoGa4(BEGUN, GoogleFake()), now=BEGUN + timedelta(days=days)) for days in (0, 90))
    early.advance(days=90)

    query = {"account": SITE_ID, "since": "2026-12-01", "until": "2027-02-18"}
    assert early.oracle("ga4", **query) == late.oracle("ga4", **query) != []


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
    assert len(list(site.seen(DAY, DAY, utc("2026-11-20 22:00")))) == len(CHANNELS)
