"""What people do about an incident, each by one command."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import AppError, Conflict
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications import handling
from app.notifications.handling import IncidentOver, NoteInvalid, SnoozeInvalid
from app.ops.bulk.carrying import carry_at_once
from app.ops.incident_retry import NothingToRetry, retry_incident
from app.tenants.access import Permission
from app.tenants.roster import MemberNotFound
from app.web.blueprint import web
from app.web.pages.incidents import SNOOZES, incident_href, incident_page
from app.web.permissions import route
from app.web.responses import ToastKind, go_to, see_other, toast


@route(web, "/incidents/<uuid:incident_id>/acknowledge", permission=Permission.RUN, methods=["POST"])
def acknowledge_incident(incident_id: UUID) -> Response:
    """Somebody sees to it: nobody is reminded any more."""
    try:
        is_new = handling.acknowledge(request_session(), **_it(incident_id))
    except IncidentOver as error:
        return _over(incident_id, error)
    undo = {"label": "Undo", "url": url_for("web.unacknowledge_incident", incident_id=incident_id), "post": True}
    words = "Acknowledged. Nobody is reminded of it." if is_new else "Somebody had acknowledged it already."
    return toast(go_to(incident_href(incident_id)), words, action=undo if is_new else None)


@route(web, "/incidents/<uuid:incident_id>/unacknowledge", permission=Permission.RUN, methods=["POST"])
def unacknowledge_incident(incident_id: UUID) -> Response:
    """Nobody sees to it after all."""
    try:
        handling.unacknowledge(request_session(), **_it(incident_id))
    except IncidentOver as error:
        return _over(incident_id, error)
    return toast(go_to(incident_href(incident_id)), "It waits for somebody again. Reminders go on.")


@route(web, "/incidents/<uuid:incident_id>/snooze", permission=Permission.RUN, methods=["POST"])
def snooze_incident(incident_id: UUID) -> Response:
    """Tell nothing more of it for some time, or, with no time, go on telling."""
    chosen, now = request.form.get("for", ""), request_now()
    try:
        if chosen and chosen not in SNOOZES:
            raise SnoozeInvalid("Choose for how long.", field="until")
        until = now + timedelta(hours=SNOOZES[chosen][1]) if chosen else None
        handling.snooze(request_session(), **_it(incident_id), until=until)
    except SnoozeInvalid as error:
        return _again(incident_id, error, "snooze")
    except IncidentOver as error:
        return _over(incident_id, error)
    words = f"Nothing more is told of it for {SNOOZES[chosen][0]}, but its end." if chosen else "Snoozed no longer."
    return toast(go_to(incident_href(incident_id)), words)


@route(web, "/incidents/<uuid:incident_id>/assignee", permission=Permission.RUN, methods=["POST"])
def assign_incident(incident_id: UUID) -> Response:
    """Give it to a member, or to nobody."""
    chosen = request.form.get("user", "")
    try:
        handling.assign(request_session(), **_it(incident_id), user_id=_member_id(chosen))
    except MemberNotFound:
        roll_back(runtime().requests)
        return incident_page(incident_id, status=422, error="Choose somebody of this organization.", of="assignee")
    except IncidentOver as error:
        return _over(incident_id, error)
    return toast(go_to(incident_href(incident_id)), "Given to somebody." if chosen else "It is nobody's now.")


@route(web, "/incidents/<uuid:incident_id>/notes", permission=Permission.RUN, methods=["POST"])
def note_incident(incident_id: UUID) -> Response:
    """Write a line into its timeline."""
    text = request.form.get("text", "")
    try:
        handling.add_note(request_session(), **_it(incident_id), text=text)
    except NoteInvalid as error:
        return _again(incident_id, error, "note", typed=text[: 2 * handling.LONGEST_NOTE])
    return toast(go_to(incident_href(incident_id)), "Noted.")


@route(web, "/incidents/<uuid:incident_id>/close", permission=Permission.RUN, methods=["POST"])
def close_incident(incident_id: UUID) -> Response:
    """End what nobody waits for any more."""
    try:
        handling.close_by_hand(request_session(), **_it(incident_id))
    except IncidentOver as error:
        return _over(incident_id, error)
    return toast(go_to(incident_href(incident_id)), "Closed. If it happens again, it is another incident.")


@route(web, "/incidents/<uuid:incident_id>/retry", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def retry_all_of_incident(incident_id: UUID) -> Response:
    """Retry its failed runs: a few at once, more at their own pace."""
    session = request_session()
    try:
        bulk_id = retry_incident(session, **_it(incident_id))
    except NothingToRetry as error:
        return _over(incident_id, error)
    here = current_actor().organization_id
    if carry_at_once(session, organization_id=here, bulk_id=bulk_id, now=request_now()).makes_runs:
        on_commit(session, runtime().dispatch)
    return toast(see_other("web.bulk_action", bulk_id=bulk_id), "Its runs are retried.")


def _it(incident_id: UUID) -> dict[str, Any]:
    return {"actor": current_actor(), "incident_id": incident_id, "now": request_now()}


def _member_id(chosen: str) -> UUID | None:
    """The member that was chosen, None for nobody. Raises MemberNotFound for what is no id."""
    try:
        return UUID(chosen) if chosen else None
    except ValueError:
        raise MemberNotFound("There is no such member.") from None


def _over(incident_id: UUID, error: Conflict) -> Response:
    """Back to the page, which shows how it stands by now."""
    return toast(go_to(incident_href(incident_id)), error.message, kind=ToastKind.ERROR)


def _again(incident_id: UUID, error: AppError, of: str, *, typed: str = "") -> Response:
    roll_back(runtime().requests)
    return incident_page(incident_id, status=status_of(error), error=error.message, of=of, typed=typed)
