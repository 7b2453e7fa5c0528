"""What the buttons of a schedule's versions do: restore one, and make a copy of the schedule."""

from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import Conflict, Invalid
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.runs.restoring import restore_schedule
from app.schedules.copies import duplicate_schedule
from app.schedules.queries import get_schedule
from app.schedules.versions import get_version
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.schedule_restore import read_question, restore_page
from app.web.permissions import route
from app.web.responses import see_other, toast


@route(
    web,
    "/schedules/<uuid:schedule_id>/versions/<int:number>/restore",
    permission=Permission.EDIT_SCHEDULES,
    methods=["POST"],
)
def restore_schedule_version(schedule_id: UUID, number: int) -> Response:
    """Let the schedule say again what it said, from the version the person saw."""
    session, actor = request_session(), current_actor()
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    version = get_version(session, organization_id=actor.organization_id, schedule_id=schedule_id, number=number)
    seen, question = request.form.get("version", type=int), read_question(schedule, version)
    try:
        restore_schedule(
            session, actor=actor, schedule_id=schedule_id, number=number, now=request_now(),
            version=schedule.version if seen is None else seen,
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        return restore_page(question, error=error)
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.schedule", schedule_id=schedule_id), f"Version {number} of {schedule.name} restored.")


@route(web, "/schedules/<uuid:schedule_id>/duplicate", permission=Permission.EDIT_SCHEDULES, methods=["POST"])
def duplicate(schedule_id: UUID) -> Response:
    """Make a copy that is switched off."""
    session, actor = request_session(), current_actor()
    copy_id = duplicate_schedule(session, actor=actor, schedule_id=schedule_id, now=request_now())
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=copy_id)
    undo = {"label": "Undo", "url": url_for("web.delete_schedule", schedule_id=copy_id), "post": True}
    return toast(see_other("web.schedule", schedule_id=copy_id), f"{row.name} created, switched off.", action=undo)
