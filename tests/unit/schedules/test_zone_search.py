"""Finding time zones, and what their clocks say."""

import pytest

from app.schedules.zone_clocks import iso_offset, offset_name
from app.schedules.zone_places import all_places, fold
from app.schedules.zone_search import MOST_FOUND, ZoneSearchInvalid, read_offset, search_zones, zone_clock
from app.schedules.zones import COMMON_ZONES, all_zone_names
from tests.fakes.clock import utc

WINTER = utc("2026-11-20 20:34")
SUMMER = utc("2026-07-01 12:00")
FIRST = {
    # city, in full and in part
    "york": "America/New_York",
    "new york": "America/New_York",
    "New-York": "America/New_York",
    "sao paulo": "America/Sao_Paulo",
    "são paulo": "America/Sao_Paulo",
    "ber": "Europe/Berlin",
    "utc": "UTC",
    # name
    "america/new": "America/New_York",
    "EUROPE/berlin": "Europe/Berlin",
    "Etc/GMT+5": "Etc/GMT+5",
    # country, before cities that begin alike
    "india": "Asia/Kolkata",
    "germany": "Europe/Berlin",
    "sweden": "Europe/Stockholm",
    "united states": "America/New_York",
    "usa": "America/New_York",
    "uk": "Europe/London",
    "United Kingdom": "Europe/London",
    "south korea": "Asia/Seoul",
    "cote d'ivoire": "Africa/Abidjan",
    "switz": "Europe/Zurich",
    # old name
    "calcutta": "Asia/Kolkata",
    "Asia/Calcutta": "Asia/Kolkata",
    "saigon": "Asia/Ho_Chi_Minh",
    "us/eastern": "America/New_York",
    "gmt": "UTC",
    # abbreviation, of this part of the year and of the other
    "est": "America/New_York",
    "EDT": "America/New_York",
    "cet": "Europe/Berlin",
    "cest": "Europe/Berlin",
    "pst": "America/Los_Angeles",
    # offset, never by the opposite sign of the Etc zones
    "+5:30": "Asia/Kolkata",
    "+05:30": "Asia/Kolkata",
    "+530": "Asia/Kolkata",
    "UTC+5:30": "Asia/Kolkata",
    "gmt+1": "Europe/Berlin",
    "utc -5": "America/New_York",
    "−5": "America/New_York",
    "-3:30": "America/St_Johns",
}


def names(query: str, **more: tuple[str, ...]) -> list[str]:
    return [zone.name for zone in search_zones(query, now=WINTER, **more)]


class TestSearching:
    @pytest.mark.parametrize(("query", "name"), FIRST.items(), ids=FIRST)
    def test_finds_the_right_zone_first(self, query: str, name: str) -> None:
        assert names(query)[0] == name

    @pytest.mark.parametrize("name", all_zone_names())
    def test_finds_every_zone_first_by_its_whole_name(self, name: str) -> None:
        assert names(name)[0] == name

    def test_says_what_became_of_an_old_name(self) -> None:
        found = search_zones("calcutta", now=WINTER)

        assert [(zone.name, zone.note) for zone in found] == [("Asia/Kolkata", "Asia/Calcutta is now Asia/Kolkata")]

    def test_takes_no_abbreviation_for_an_old_name(self) -> None:
        # In the time zone data, EST is another name of Panama and CET one of Brussels.
        found = search_zones("est", now=WINTER)

        assert "America/Panama" in [zone.name for zone in found]
        assert {zone.note for zone in found} == {""}

    def test_puts_zones_that_have_the_offset_now_before_those_that_will(self) -> None:
        offsets = [zone.clock.offset for zone in search_zones("utc-4", now=WINTER)]

        assert offsets == sorted(offsets, key=lambda offset: offset != -240)
        assert {-240, -300} == set(offsets) or set(offsets) == {-240}

    def test_puts_the_common_zones_first_among_equals(self) -> None:
        found = names("united states")

        assert found[:4] == [name for name in COMMON_ZONES if name.startswith("America/")]

    def test_puts_what_is_no_place_last(self) -> None:
        found = names("+5")

        assert "Etc/GMT-5" in found
        assert found[-1] == "Etc/GMT-5"

    @pytest.mark.parametrize("query", ["", "a", "+1", "america"])
    def test_shows_thirty_at_most_and_none_twice(self, query: str) -> None:
        found = names(query)

        assert (len(found), len(set(found))) == (MOST_FOUND, MOST_FOUND)

    @pytest.mark.parametrize("query", ["xyzzy", "+99", "+14:75", "'; --", "\0", "🕐", "(((((", "%", "-"])
    def test_finds_nothing_by_what_is_no_zone(self, query: str) -> None:
        assert names(query) == []

    def test_refuses_more_than_sixty_characters(self) -> None:
        with pytest.raises(ZoneSearchInvalid, match="at most 60 characters"):
            search_zones("x" * 61, now=WINTER)


class TestWithoutAQuery:
    def test_offers_yours_then_the_common_ones_then_those_used_then_the_rest(self) -> None:
        found = search_zones("  ", now=WINTER, yours=("Europe/Riga",), used=("Asia/Tokyo", "Africa/Cairo"))

        groups = [zone.group for zone in found]
        assert groups == ["Yours", *["Common"] * 11, "Used here", *["Africa"] * 17]
        assert [zone.name for zone in found[:12]] == ["Europe/Riga", *COMMON_ZONES]
        assert found[12].name == "Africa/Cairo"

    def test_offers_a_zone_once_even_if_it_is_yours_by_its_old_name(self) -> None:
        found = names("", yours=("Asia/Calcutta", "Asia/Kolkata"))

        assert found[0] == "Asia/Kolkata"
        assert set(found[:11]) == set(COMMON_ZONES)

    def test_leaves_out_what_is_no_zone(self) -> None:
        assert names("", yours=("", "Mars/Olympus", "x" * 500)) == names("")


class TestOffsets:
    @pytest.mark.parametrize(
        ("typed", "minutes"),
        [
            ("+5:30", 330), ("-0330", -210), ("utc+0", 0), ("gmt-12", -720), ("utc 3", 180), (" 5:30".strip(), 330),
            ("utc5", 300), ("+15", None), ("5", None), ("1234", None), ("+5:60", None), ("utc", None), ("+", None),
        ],
    )  # fmt: skip
    def test_are_read_as_people_write_them(self, typed: str, minutes: int | None) -> None:
        assert read_offset(typed) == minutes

    @pytest.mark.parametrize(
        ("minutes", "words", "iso"),
        [(0, "UTC", "+00:00"), (-300, "UTC−5", "-05:00"), (330, "UTC+5:30", "+05:30"), (-210, "UTC−3:30", "-03:30")],
    )
    def test_are_said_for_people_and_for_programs(self, minutes: int, words: str, iso: str) -> None:
        assert (offset_name(minutes), iso_offset(minutes)) == (words, iso)


class TestClocks:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("America/New_York", "15:34 now · UTC−5 (UTC−4 from 14 Mar)"),
            ("Australia/Sydney", "07:34 now · UTC+11 (UTC+10 from 4 Apr)"),
            ("Asia/Kolkata", "02:04 now · UTC+5:30"),
            ("UTC", "20:34 now · UTC"),
            ("Asia/Calcutta", "02:04 now · UTC+5:30"),
        ],
    )
    def test_say_the_time_the_offset_and_its_next_change(self, name: str, words: str) -> None:
        clock = zone_clock(name, now=WINTER)

        assert clock is not None
        assert clock.words == words

    def test_are_not_there_for_what_is_no_zone(self) -> None:
        assert zone_clock("Mars/Olympus", now=WINTER) is None

    def test_know_the_other_half_of_the_year_in_summer_too(self) -> None:
        found = [zone.name for query in ("est", "cet") for zone in search_zones(query, now=SUMMER)]

        assert "America/New_York" in found
        assert "Europe/Berlin" in found


class TestPlaces:
    def test_know_their_country(self) -> None:
        without = [place.name for place in all_places() if place.is_place and not place.country]

        assert without == ["UTC"]

    def test_are_folded_to_what_a_keyboard_has(self) -> None:
        assert fold("Côte d’Ivoire / São_Paulo") == "cote d ivoire sao paulo"
