"""`belfry zones`: find a time zone by what it is called."""

from datetime import UTC, datetime
from typing import Any

import click

from app.cli.console import as_json, moment, show, table
from app.schedules.zone_clocks import iso_offset
from app.schedules.zone_search import FoundZone, search_zones

_HEADINGS = ["ZONE", "CITY", "COUNTRY", "TIME", "OFFSET", "NOTE"]


@click.command()
@click.argument("query", required=False, default="")
@as_json
def zones(query: str, is_json: bool) -> None:
    """Find time zones by city, country, name, old name, abbreviation or offset; at most 30, the best first.

    An offset that begins with a minus goes behind two dashes: belfry zones -- -3:30
    """
    found = search_zones(query, now=datetime.now(UTC))
    empty = f"No time zone is found by “{query}”. Try a city, a country or an offset such as +5:30."
    lines = table(_HEADINGS, [_cells(zone) for zone in found], empty=empty)
    show([_facts(zone) for zone in found], lines, is_json=is_json)


def _cells(zone: FoundZone) -> list[str]:
    clock = zone.clock
    return [zone.name, zone.city, zone.country or "-", f"{clock.local:%H:%M}", clock.offset_words, zone.note or "-"]


def _facts(zone: FoundZone) -> dict[str, Any]:
    clock = zone.clock
    return {
        "name": zone.name,
        "city": zone.city,
        "country": zone.country or None,
        "local_time": clock.local.isoformat(timespec="seconds"),
        "utc_offset": iso_offset(clock.offset),
        "changes_at": moment(clock.changes_at),
        "utc_offset_after": None if clock.offset_after is None else iso_offset(clock.offset_after),
        "note": zone.note or None,
    }
