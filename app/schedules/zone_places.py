"""What a time zone is called: its city, its country, its old names. Read once per process from the pinned tzdata."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from app.schedules.zones import all_zone_names, canonical_zone_names, find_zone

# What people call a country that the table of ISO names calls otherwise.
_OTHER_COUNTRY_NAMES = {
    "AE": "UAE",
    "CZ": "Czechia",
    "GB": "United Kingdom, Great Britain, England, Scotland, Wales",
    "NL": "Holland",
    "US": "USA, United States of America",
}
# “Côte d'Ivoire” and “Cote d’Ivoire”, “New_York” and “new-york” are typed alike.
_BETWEEN_WORDS = re.compile(r"[^a-z0-9+:]+")


@dataclass(frozen=True, slots=True)
class OldName:
    """Another name of a zone, such as Asia/Calcutta, folded for comparison beside how it is written."""

    written: str
    whole: str
    city: str


@dataclass(frozen=True, slots=True)
class Place:
    """A zone as people look for it. Everything but `name`, `city` and `country` is folded by `fold`."""

    name: str
    city: str
    country: str
    folded_name: str
    folded_city: str
    words: tuple[str, ...]
    country_names: tuple[str, ...]
    old_names: tuple[OldName, ...]

    @property
    def is_place(self) -> bool:
        """Whether it is somewhere on earth; Etc/GMT+5 is not."""
        return not self.name.startswith("Etc/")

    @property
    def region(self) -> str:
        """“America”; of what is no place, that."""
        return self.name.partition("/")[0] if self.is_place else "No place"


def fold(text: str) -> str:
    """Small letters without accents, one space between words."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return _BETWEEN_WORDS.sub(" ", bare.lower()).strip()


@lru_cache(maxsize=1)
def all_places() -> tuple[Place, ...]:
    """Every canonical zone, in the order of all_zone_names."""
    codes, countries, old_names = _zone_countries(), _country_names(), _old_names()
    return tuple(_place(name, codes.get(name, ""), countries, old_names[name]) for name in all_zone_names())


def _place(name: str, code: str, countries: dict[str, str], old_names: list[OldName]) -> Place:
    city, country = find_zone(name).city, countries.get(code, "")
    # “Britain (UK)” is found by both of its names; the code alone counts as a name of its own.
    called = [*re.split(r"[(),]", country), country, *_OTHER_COUNTRY_NAMES.get(code, "").split(","), code]
    return Place(
        name=name,
        city=city,
        country=country,
        folded_name=fold(name),
        folded_city=fold(city),
        words=tuple(fold(name).split()),
        country_names=tuple(dict.fromkeys(folded for folded in map(fold, called) if folded)),
        old_names=tuple(old_names),
    )


def _old_names() -> dict[str, list[OldName]]:
    found = defaultdict(list)
    for written, canonical in canonical_zone_names().items():
        # EST and CET are abbreviations that many zones share; as names of zones they would lead to Panama and Brussels.
        is_abbreviation = "/" not in written and written.isupper() and len(written) <= 3
        if written != canonical and not is_abbreviation:
            found[canonical].append(OldName(written, fold(written), fold(written.rpartition("/")[2])))
    return found


def _zone_countries() -> dict[str, str]:
    """The country a zone lies in. zone1970.tab names many for one zone, so it only fills what zone.tab leaves out."""
    found: dict[str, str] = {}
    for table in ("zone.tab", "zone1970.tab"):
        for codes, _coordinates, name, *_comment in _rows_of(table):
            found.setdefault(name, codes.partition(",")[0])
    return found


def _country_names() -> dict[str, str]:
    return {code: name for code, name, *_ in _rows_of("iso3166.tab")}


def _rows_of(table: str) -> list[list[str]]:
    text = resources.files("tzdata").joinpath("zoneinfo", table).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
