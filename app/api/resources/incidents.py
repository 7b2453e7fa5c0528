"""`/incidents`: what goes wrong, each cause once, and what people do about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.api.incident_shapes import (
    IncidentAssigneeIn,
    IncidentEntryOut,
    IncidentMessageOut,
    IncidentNoteIn,
    IncidentOut,
    IncidentQuery,
    IncidentSnoozeIn,
    IncidentThingOut,
    IncidentToldOut,
    entry_out,
    incident_out,
    message_out,
    thing_out,
    told_out,
)
from app.api.models import Paging
from app.api.paging import cut, read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.api.resources.bulk_actions import BulkActionOut, carried_out
from app.core.text import storable
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.notifications import handling
from app.notifications.incident_rows import (
    IncidentFilter,
    get_incident,
    list_entries,
    list_incidents,
    list_messages,
    list_things,
)
from app.notifications.told_of import read_told
from app.ops.incident_retry import retry_incident
from app.ops.run_incident import get_incident_of_run
from app.tenants.access import Permission

# More than that no timeline keeps apart: the newest lines.
MOST = 500


@resource(
    "GET", "/incidents", permission=Permission.VIEW, query=IncidentQuery, answer=IncidentOut, is_list=True
)  # fmt: skip
def list_all_incidents(query: IncidentQuery) -> Page[IncidentOut]:
    """Incidents by when they last happened, the newest first. Those that are over are kept for 90 days."""
    wanted = IncidentFilter(query.open, query.type, query.assigned_to, query.unassigned, storable(query.q))
    after = read_cursor(query)
    found = list_incidents(
        request_session(), organization_id=current_actor().organization_id, limit=query.limit + 1, wanted=wanted,
        before=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
    )  # fmt: skip
    rows = found[: query.limit]
    goes_on = write_cursor(rows[-1].last_at.isoformat(), str(rows[-1].id)) if len(found) > len(rows) else None
    return Page([incident_out(row) for row in rows], goes_on)


@resource("GET", "/incidents/<uuid:incident_id>", permission=Permission.VIEW, answer=IncidentOut)
def show_incident(incident_id: UUID) -> IncidentOut:
    """One incident."""
    return _one(incident_id)


@resource(
    "GET", "/incidents/<uuid:incident_id>/entries", permission=Permission.VIEW, query=Paging, answer=IncidentEntryOut,
    is_list=True,
)  # fmt: skip
def list_incident_entries(incident_id: UUID, query: Paging) -> Page[IncidentEntryOut]:
    """Its timeline, from the first line of the newest 500 on."""
    _one(incident_id)
    found = list_entries(request_session(), **_here(incident_id), limit=MOST)
    return cut(map(entry_out, found), query, key=lambda one: (one.at.isoformat(), str(one.id)))


@resource(
    "GET", "/incidents/<uuid:incident_id>/things", permission=Permission.VIEW, query=Paging, answer=IncidentThingOut,
    is_list=True,
)  # fmt: skip
def list_incident_things(incident_id: UUID, query: Paging) -> Page[IncidentThingOut]:
    """The schedules, jobs and connections that it concerns, those in trouble first; at most 500."""
    _one(incident_id)
    found = list_things(request_session(), **_here(incident_id), limit=MOST)
    return cut(map(thing_out, found), query, key=lambda one: (int(not one.is_in_trouble), one.name, str(one.id)))


@resource(
    "GET", "/incidents/<uuid:incident_id>/messages", permission=Permission.VIEW, query=Paging,
    answer=IncidentMessageOut, is_list=True,
)  # fmt: skip
def list_incident_messages(incident_id: UUID, query: Paging) -> Page[IncidentMessageOut]:
    """Its messages, in the order in which they were written; the newest 500."""
    _one(incident_id)
    found = list_messages(request_session(), **_here(incident_id), limit=MOST)
    return cut(map(message_out, found), query, key=lambda one: (one.created_at.isoformat(), str(one.id)))


@resource("GET", "/incidents/<uuid:incident_id>/told", permission=Permission.VIEW, answer=IncidentToldOut)
def show_told_of_incident(incident_id: UUID) -> IncidentToldOut:
    """Which channels were told of it and when, until when nothing is told there, or why nobody was."""
    here = current_actor().organization_id
    row = get_incident(request_session(), organization_id=here, incident_id=incident_id)
    return told_out(read_told(request_session(), organization_id=here, incident=row))


@resource("GET", "/runs/<uuid:run_id>/incident", permission=Permission.VIEW, answer=IncidentOut)
def show_incident_of_run(run_id: UUID) -> IncidentOut:
    """The incident that a failed run belongs to. 404 where there is none."""
    here = current_actor().organization_id
    return incident_out(get_incident_of_run(request_session(), organization_id=here, run_id=run_id))


@resource("POST", "/incidents/<uuid:incident_id>/acknowledge", permission=Permission.RUN, answer=IncidentOut)
def acknowledge_api_incident(incident_id: UUID) -> Message:
    """Say that somebody sees to it: nobody is reminded any more."""
    is_new = handling.acknowledge(request_session(), **_it(incident_id))
    said = "Acknowledged. Nobody is reminded of it." if is_new else "Somebody had acknowledged it already."
    return Message(_one(incident_id), said)


@resource("DELETE", "/incidents/<uuid:incident_id>/acknowledge", permission=Permission.RUN, answer=IncidentOut)
def unacknowledge_api_incident(incident_id: UUID) -> IncidentOut:
    """Take that back: reminders go on."""
    handling.unacknowledge(request_session(), **_it(incident_id))
    return _one(incident_id)


@resource(
    "PUT", "/incidents/<uuid:incident_id>/snooze", permission=Permission.RUN, body=IncidentSnoozeIn, answer=IncidentOut
)  # fmt: skip
def snooze_api_incident(incident_id: UUID, body: IncidentSnoozeIn) -> IncidentOut:
    """Tell nothing more of it until then, but for its end."""
    handling.snooze(request_session(), **_it(incident_id), until=body.until)
    return _one(incident_id)


@resource(
    "PUT", "/incidents/<uuid:incident_id>/assignee", permission=Permission.RUN, body=IncidentAssigneeIn,
    answer=IncidentOut,
)  # fmt: skip
def assign_api_incident(incident_id: UUID, body: IncidentAssigneeIn) -> IncidentOut:
    """Give it to a member, or to nobody."""
    handling.assign(request_session(), **_it(incident_id), user_id=body.user_id)
    return _one(incident_id)


@resource(
    "POST", "/incidents/<uuid:incident_id>/notes", permission=Permission.RUN, body=IncidentNoteIn, answer=IncidentOut
)  # fmt: skip
def note_api_incident(incident_id: UUID, body: IncidentNoteIn) -> IncidentOut:
    """Write a line into its timeline, also when it is over."""
    handling.add_note(request_session(), **_it(incident_id), text=body.text)
    return _one(incident_id)


@resource("POST", "/incidents/<uuid:incident_id>/close", permission=Permission.RUN, answer=IncidentOut)
def close_api_incident(incident_id: UUID) -> IncidentOut:
    """Close what nobody waits for any more. If it happens again, it is another incident."""
    handling.close_by_hand(request_session(), **_it(incident_id))
    return _one(incident_id)


@resource(
    "POST", "/incidents/<uuid:incident_id>/retry", permission=Permission.MANAGE_QUEUE, answer=BulkActionOut, status=201
)  # fmt: skip
def retry_api_incident(incident_id: UUID) -> BulkActionOut:
    """Retry the newest failed run of each schedule and job of it, as a bulk action: ask for `/bulk-actions/{id}`."""
    return carried_out(retry_incident(request_session(), **_it(incident_id)))


def _it(incident_id: UUID) -> dict[str, Any]:
    return {"actor": current_actor(), "incident_id": incident_id, "now": request_now()}


def _here(incident_id: UUID) -> dict[str, Any]:
    return {"organization_id": current_actor().organization_id, "incident_id": incident_id}


def _one(incident_id: UUID) -> IncidentOut:
    session = request_session()
    # What a command has just written stands in no row that was read before.
    session.expire_all()
    return incident_out(get_incident(session, **_here(incident_id)))
