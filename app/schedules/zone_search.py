"""Finds time zones by city, country, name, old name, abbreviation or offset. What they are called is zone_places.py."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import islice

from app.core.errors import Invalid
from app.schedules.zone_clocks import YearOfClocks, ZoneClock, clock_of, year_of_clocks
from app.schedules.zone_places import OldName, Place, all_places, fold
from app.schedules.zones import COMMON_ZONES, find_zone, known_zone_name

LONGEST_QUERY = 60
MOST_FOUND = 30
# “+5:30”, “utc-3”, “GMT+0530”. A plus that an address has turned into a space counts as one before a time.
_OFFSET = re.compile(r"(?:(?:utc|gmt)\s*([+-]|(?=\s)|(?=\d))|([+-])|(?=\d{1,2}:))\s*(\d{1,2})(?::?([0-5]\d))?")
_MOST_HOURS = 14


class ZoneSearchInvalid(Invalid):
    """What was typed is too long to be looked for."""


class Rank(IntEnum):
    """How well a zone answers a search, the best first. What was typed in full comes before what merely begins so."""

    CITY = 0  # its city or its whole name
    COUNTRY = 1  # “india” means Kolkata, not Indianapolis
    CITY_START = 2
    WORD_START = 3
    OLD_NAME = 4
    ABBREVIATION = 5
    OTHER_ABBREVIATION = 6  # of the other part of the year
    COUNTRY_START = 7
    OLD_NAME_START = 8
    NO_PLACE = 9  # the Etc zones, whose signs mean the opposite of what people think


@dataclass(frozen=True)
class FoundZone:
    """A zone to choose. `group` is its heading where nothing was searched; `note` says what became of an old name."""

    name: str
    city: str
    country: str
    clock: ZoneClock
    group: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """The name as a list shows it."""
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class _Match:
    place: Place
    rank: int
    note: str = ""

    @property
    def order(self) -> tuple[int, int, bool, str]:
        """By rank, then the common zones, then the others by city; what is no place comes last."""
        name = self.place.name
        common = COMMON_ZONES.index(name) if name in COMMON_ZONES else len(COMMON_ZONES)
        return self.rank, common, not self.place.is_place, self.place.folded_city


def search_zones(
    query: str, *, now: datetime, yours: Sequence[str] = (), used: Sequence[str] = ()
) -> tuple[FoundZone, ...]:
    """At most 30 zones, the best first. Raises ZoneSearchInvalid.

    Without a query: `yours`, the common ones, those that are `used` already, then all by region, each of them once.
    What is no zone in these two lists is left out.
    """
    typed = query.strip()
    if len(typed) > LONGEST_QUERY:
        raise ZoneSearchInvalid(f"Search for at most {LONGEST_QUERY} characters, such as a city.", field="q")
    if not typed:
        return tuple(islice(_offered(yours, used, now), MOST_FOUND))
    best = sorted(_matches(typed, year_of_clocks(now)), key=lambda match: match.order)
    return tuple(_found(match.place, now=now, note=match.note) for match in best[:MOST_FOUND])


def zone_clock(name: str, *, now: datetime) -> ZoneClock | None:
    """The clock of a zone; None where there is no such zone."""
    known = known_zone_name(name)
    return None if known is None else clock_of(find_zone(known), now=now)


def _found(place: Place, *, now: datetime, group: str = "", note: str = "") -> FoundZone:
    clock = clock_of(find_zone(place.name), now=now)
    return FoundZone(place.name, place.city, place.country, clock, group, note)


def _offered(yours: Sequence[str], used: Sequence[str], now: datetime) -> Iterator[FoundZone]:
    places = {place.name: place for place in all_places()}
    groups = [("Yours", _canonical(yours)), ("Common", COMMON_ZONES), ("Used here", _canonical(used))]
    shown: set[str] = set()
    for group, names in groups:
        yield from (_found(places[name], now=now, group=group) for name in names if name not in shown)
        shown.update(names)
    rest = (place for place in places.values() if place.name not in shown)
    yield from (_found(place, now=now, group=place.region) for place in rest)


def _canonical(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(known_zone_name, names))))


def _matches(typed: str, clocks: dict[str, YearOfClocks]) -> Iterator[_Match]:
    minutes = read_offset(typed)
    asked = fold(typed)
    for place in all_places():
        if minutes is None:
            match = _match_name(place, asked, clocks[place.name])
        else:
            match = _match_offset(place, minutes, clocks[place.name])
        if match is not None:
            yield match


def read_offset(typed: str) -> int | None:
    """Minutes ahead of UTC, when the text says an offset."""
    said = _OFFSET.fullmatch(re.sub("[−–]", "-", typed.lower()))
    if said is None or int(said[3]) > _MOST_HOURS:
        return None
    minutes = int(said[3]) * 60 + int(said[4] or 0)
    return -minutes if "-" in (said[1], said[2]) else minutes


def _match_offset(place: Place, minutes: int, clocks: YearOfClocks) -> _Match | None:
    if minutes == clocks.offset:
        return _Match(place, 0)
    return _Match(place, 1) if minutes in clocks.other_offsets else None


def _match_name(place: Place, asked: str, clocks: YearOfClocks) -> _Match | None:
    if not asked:
        return None
    rank = next(_ranks(place, asked, clocks), None)
    if rank is not None and rank < Rank.OLD_NAME:
        return _Match(place, rank)
    exact = next((old for old in place.old_names if asked in (old.whole, old.city)), None)
    if exact is not None:
        return _Match(place, Rank.OLD_NAME, _moved(exact, place))
    if rank is not None:
        return _Match(place, rank)
    begun = next((old for old in place.old_names if old.whole.startswith(asked) or old.city.startswith(asked)), None)
    return None if begun is None else _Match(place, Rank.OLD_NAME_START, _moved(begun, place))


def _ranks(place: Place, asked: str, clocks: YearOfClocks) -> Iterator[Rank]:
    """How well the zone's own names answer: whatever holds, the best first."""
    words = asked.split()
    if asked in (place.folded_city, place.folded_name):
        yield Rank.CITY
    if asked in place.country_names:
        yield Rank.COUNTRY
    if place.is_place and place.folded_city.startswith(asked):
        yield Rank.CITY_START
    if _begin(words, place.words):
        yield Rank.WORD_START if place.is_place else Rank.NO_PLACE
    if place.is_place and asked == clocks.abbreviation:
        yield Rank.ABBREVIATION
    if asked in clocks.other_abbreviations:
        yield Rank.OTHER_ABBREVIATION
    if any(_begin(words, name.split()) for name in place.country_names):
        yield Rank.COUNTRY_START


def _begin(typed: Sequence[str], words: Sequence[str]) -> bool:
    """Whether each typed word is the beginning of one of the words."""
    return all(any(word.startswith(one) for word in words) for one in typed)


def _moved(old: OldName, place: Place) -> str:
    return f"{old.written} is now {place.name}"
