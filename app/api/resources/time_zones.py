"""`/time-zones`: the search of the time zone picker."""

from typing import Annotated

from pydantic import Field

from app.api.models import Answer, Moment, Query
from app.api.resource import Page, resource
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session
from app.schedules.used_zones import list_used_zones
from app.schedules.zone_clocks import ZoneClock, iso_offset
from app.schedules.zone_search import LONGEST_QUERY, FoundZone, search_zones
from app.tenants.access import Permission


class ZoneQuery(Query):
    """What to look for."""

    q: Annotated[
        str,
        Field(
            max_length=LONGEST_QUERY,
            description="A city, country, name, old name, abbreviation (est) or offset (+5:30); empty: likely ones.",
            examples=["calcutta"],
        ),
    ] = ""


class OffsetChangeOut(Answer):
    """When the clocks of a zone change."""

    at: Moment
    utc_offset: Annotated[str, Field(description="What they are from UTC from then on, such as +02:00.")]


class TimeZoneOut(Answer):
    """A time zone and its clock."""

    name: Annotated[str, Field(description="As schedules store it.")]
    city: str
    country: Annotated[str | None, Field(description="Where it lies; null where that is no country.")]
    local_time: Annotated[str, Field(description="Its clock now: ISO 8601 with the offset.")]
    utc_offset: str
    next_change: Annotated[OffsetChangeOut | None, Field(description="null: not within a year.")]
    group: Annotated[str | None, Field(description="The heading it is under while nothing is searched.")]
    note: Annotated[str | None, Field(description="What became of the old name that was searched.")]


@resource("GET", "/time-zones", permission=Permission.VIEW, query=ZoneQuery, answer=TimeZoneOut, is_list=True)
def list_time_zones(query: ZoneQuery) -> Page[TimeZoneOut]:
    """At most 30 time zones, the best first; without a search yours, the common ones and those of the schedules."""
    is_search = bool(query.q.strip())
    used = () if is_search else list_used_zones(request_session(), organization_id=current_actor().organization_id)
    found = search_zones(query.q, now=request_now(), yours=(current_person().timezone,), used=used)
    return Page([_zone(zone) for zone in found])


def _zone(zone: FoundZone) -> TimeZoneOut:
    return TimeZoneOut(
        name=zone.name,
        city=zone.city,
        country=zone.country or None,
        local_time=zone.clock.local.isoformat(timespec="seconds"),
        utc_offset=iso_offset(zone.clock.offset),
        next_change=_next_change(zone.clock),
        group=zone.group or None,
        note=zone.note or None,
    )


def _next_change(clock: ZoneClock) -> OffsetChangeOut | None:
    if clock.changes_at is None or clock.offset_after is None:
        return None
    return OffsetChangeOut(at=clock.changes_at, utc_offset=iso_offset(clock.offset_after))
