"""What the picker of a time zone offers, as a fragment."""

from itertools import groupby

from flask import Response, request

from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session
from app.schedules.used_zones import list_used_zones
from app.schedules.zone_search import search_zones
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import fragment


@route(web, "/time-zones", permission=Permission.VIEW)
def time_zones() -> Response:
    """At most 30 zones: those that answer the search, or without one the likely ones under headings."""
    query = request.args.get("q", "")
    # Who is away from home wants the browser's zone, and everybody their own.
    yours = (request.args.get("detected", ""), current_person().timezone)
    is_search = bool(query.strip())
    used = () if is_search else list_used_zones(request_session(), organization_id=current_actor().organization_id)
    found = search_zones(query, now=request_now(), yours=yours, used=used)
    groups = {heading: list(rows) for heading, rows in groupby(found, key=lambda zone: zone.group)}
    return fragment("zones/_list.html", groups=groups, query=query)
