"""Time zones by name, from the pinned tzdata package. What their clocks do is clock_changes.py."""

import difflib
import re
import zoneinfo
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from app.core.errors import Invalid

# The pinned package and not the machine's own files: every web process, worker and test then agrees about the clocks.
zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()

COMMON_ZONES = (
    "UTC",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
)
_LONGEST_NAME = 64
_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*[+\u2212-]\s*[0-9]{1,2}(?::?[0-9]{2})?", re.IGNORECASE | re.ASCII)
# Zones of their own in this package that name no place; each has kept the clocks of a city since before 1970.
_PLACELESS = {
    "Etc/UTC": "UTC",
    "Etc/GMT": "UTC",
    "EST5EDT": "America/New_York",
    "CST6CDT": "America/Chicago",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
}


class UnknownZone(Invalid):
    """There is no time zone of this name. The message suggests the nearest one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="timezone")


@dataclass(frozen=True)
class Zone:
    """A time zone under its canonical name."""

    name: str
    tzinfo: ZoneInfo = field(compare=False, repr=False)

    @property
    def city(self) -> str:
        """“New York” for America/New_York; the whole name where there is no city in it."""
        return self.name if self.name.startswith("Etc/") else self.name.rpartition("/")[2].replace("_", " ")


@lru_cache(maxsize=1024)
def _load_zone(canonical: str) -> Zone:
    return Zone(canonical, ZoneInfo(canonical))


def find_zone(name: str) -> Zone:
    """The zone of that name, also by an old name or in other letter case. Raises UnknownZone."""
    wanted = name.strip()
    if not wanted:
        raise UnknownZone("Choose a time zone, for example Europe/Berlin.")
    canonical = known_zone_name(wanted)
    if canonical is None:
        raise UnknownZone(_not_found(wanted))
    return _load_zone(canonical)


def known_zone_name(name: str) -> str | None:
    """The canonical name of a zone; None where there is no such zone."""
    return _canonical_names().get(name.strip().replace(" ", "_").lower()) if len(name) <= _LONGEST_NAME else None


@lru_cache(maxsize=1)
def all_zone_names() -> tuple[str, ...]:
    """Every canonical name, by region and then city; UTC comes first."""
    names = set(_canonical_names().values())
    return tuple(sorted(names, key=lambda name: name.rpartition("/")[::2]))


@lru_cache(maxsize=1)
def _canonical_names() -> dict[str, str]:
    """From every known name, in lower case, to the canonical one."""
    return {name.lower(): canonical for name, canonical in canonical_zone_names().items()} | {"z": "UTC"}


@lru_cache(maxsize=1)
def canonical_zone_names() -> dict[str, str]:
    """From every known name to the canonical one.

    A place that the zone tables list keeps its own name even where tzdata links it to a neighbour with the same clocks:
    nobody in Reykjavik wants to read Abidjan. Only names without a place of their own (US/Eastern, Asia/Calcutta) move.
    """
    root = resources.files("tzdata").joinpath("zoneinfo")
    rows = [line.split() for line in root.joinpath("tzdata.zi").read_text("ascii").splitlines()]
    # Factory is tzdata's word for a clock that nobody has set.
    own = {row[1] for row in rows if row[:1] == ["Z"]} - {"Factory"}
    links = {row[2]: row[1] for row in rows if row[:1] == ["L"]}
    for table in ("zone.tab", "zone1970.tab"):
        lines = root.joinpath(table).read_text("utf-8").splitlines()
        own |= {line.split("\t")[2] for line in lines if not line.startswith("#")}
    found = {}
    for alias in own | links.keys():
        target = alias
        while target not in own:
            target = links[target]
        found[alias] = _PLACELESS.get(target, target)
    return found


def _not_found(wanted: str) -> str:
    if len(wanted) > _LONGEST_NAME:
        return f"There is no time zone with a name of {len(wanted):,} characters. Use a name like Europe/Berlin."
    if _OFFSET.fullmatch(wanted):
        return (
            f"'{wanted}' is a distance from UTC, and no time zone: it knows no changes of the clocks. "
            "Choose a place with that clock, such as Europe/Berlin."
        )
    names = _canonical_names()
    searched = wanted.replace(" ", "_").lower()
    # People type “berlin” or “Germany/Berlin”, so the city alone counts as well.
    by_city = {name.rpartition("/")[2]: canonical for name, canonical in names.items()}
    for known, term in ((names, searched), (by_city, searched.rpartition("/")[2])):
        near = difflib.get_close_matches(term, known, n=1, cutoff=0.8)
        if near:
            return f"There is no time zone '{wanted}'. Did you mean {known[near[0]]}?"
    return f"There is no time zone '{wanted}'. Use a name like Europe/Berlin."
