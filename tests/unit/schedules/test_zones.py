"""Zone names: aliases, suggestions, and the pinned data behind them."""

import zoneinfo

import pytest

from app.schedules.zones import COMMON_ZONES, UnknownZone, all_zone_names, find_zone


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("America/New_York", "America/New_York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Eastern", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        ("Z", "UTC"),
        ("GMT", "UTC"),
        ("Greenwich", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("Atlantic/Reykjavik", "Atlantic/Reykjavik"),
        (" europe/BERLIN ", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
    ],
)
def test_every_known_name_leads_to_the_canonical_one(name: str, canonical: str) -> None:
    zone = find_zone(name)

    assert (zone.name, zone.tzinfo.key) == (canonical, canonical)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Europe/Berln", "There is no time zone 'Europe/Berln'. Did you mean Europe/Berlin?"),
        ("berlin", "There is no time zone 'berlin'. Did you mean Europe/Berlin?"),
        ("India/Calcutta", "There is no time zone 'India/Calcutta'. Did you mean Asia/Kolkata?"),
        ("../../etc/passwd", "There is no time zone '../../etc/passwd'. Use a name like Europe/Berlin."),
        ("", "Choose a time zone, for example Europe/Berlin."),
        ("x" * 5000, "There is no time zone with a name of 5,000 characters. Use a name like Europe/Berlin."),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name: str, message: str) -> None:
    with pytest.raises(UnknownZone) as caught:
        find_zone(name)

    assert (caught.value.message, caught.value.field) == (message, "timezone")


def test_every_zone_offered_can_be_found_under_its_own_name() -> None:
    names = all_zone_names()

    assert [find_zone(name).name for name in names] == list(names)
    assert names[0] == "UTC"
    assert set(COMMON_ZONES) <= set(names)


def test_every_name_of_the_iana_database_is_accepted() -> None:
    refused = {"Factory"}

    found = {name: find_zone(name).name for name in zoneinfo.available_timezones() - refused}

    assert set(found.values()) <= set(all_zone_names())


def test_old_names_are_not_offered() -> None:
    assert {"US/Eastern", "Asia/Calcutta", "EST5EDT", "Factory", "GMT"}.isdisjoint(all_zone_names())


def test_the_pinned_package_is_the_only_source() -> None:
    assert zoneinfo.TZPATH == ()


def test_a_zone_knows_its_city() -> None:
    cities = [find_zone(name).city for name in ("America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5")]

    assert cities == ["Buenos Aires", "UTC", "Etc/GMT+5"]


@pytest.mark.parametrize("name", ["+02:00", "UTC+2", "GMT-5", "utc +5:30", "-0500", "UTC−3"])
def test_an_offset_is_no_zone_and_says_why(name: str) -> None:
    with pytest.raises(UnknownZone, match="is a distance from UTC, and no time zone"):
        find_zone(name)
