"""`/workflows/{id}/schedule`: for workflows that have one schedule. Several are steered by `/schedules`."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Name
from app.api.resource import Message, resource
from app.api.resources.schedules import apply_changes, remove_schedule
from app.api.schedule_shapes import ScheduleChanges, ScheduleOut, ScheduleRules, show_newest, show_schedules
from app.core.errors import Conflict, NotFound
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.jobs.kinds.base import KindName
from app.jobs.queries import JobRow, get_job, lock_job
from app.schedules.queries import ScheduleRow, list_schedules_of_job
from app.schedules.service import create_schedule
from app.tenants.access import Permission

_ADDRESS = "/workflows/<uuid:workflow_id>/schedule"
_MOST_NAMED = 5


class WorkflowNotFound(NotFound):
    """No such workflow in this organization."""


class WorkflowUnscheduled(NotFound):
    """The workflow has no schedule."""


class WorkflowScheduled(Conflict):
    """The workflow has a schedule already."""


class ScheduleUnclear(Conflict):
    """The workflow has several schedules, so which one is meant is anybody's guess."""


class WorkflowScheduleIn(ScheduleRules):
    """The schedule of a workflow. Unless a name is given, it is called as the workflow."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron": "0 2 * * *", "timezone": "Europe/Berlin"}]})

    name: Annotated[Name | None, Field(description="Unless given, the name of the workflow.")] = None


@resource("GET", _ADDRESS, permission=Permission.VIEW, answer=ScheduleOut, may_conflict=True)
def show_workflow_schedule(workflow_id: UUID) -> ScheduleOut:
    """The schedule of a workflow.

    404 when it has none. 409 when it has several: see `/schedules?workflow=`.
    """
    return show_schedules([_only_schedule(workflow_id)])[0]


@resource(
    "POST", _ADDRESS, permission=Permission.EDIT_SCHEDULES, body=WorkflowScheduleIn, answer=ScheduleOut, status=201
)
def create_workflow_schedule(workflow_id: UUID, body: WorkflowScheduleIn) -> ScheduleOut:
    """Put a workflow on a schedule. 409 when it is on one already."""
    session, actor = request_session(), current_actor()
    # Of two requests at once, the second has to see what the first has made.
    lock_job(session, organization_id=actor.organization_id, job_id=workflow_id)
    workflow = _workflow(workflow_id)
    existing = _schedules(workflow_id)
    if existing:
        raise WorkflowScheduled(
            f"This workflow is on a schedule already: {_names(existing)}. Change that one, or add another under "
            "/schedules."
        )
    draft = body.draft(name=body.name or workflow.name, job_id=workflow_id)
    return show_newest(create_schedule(session, actor=actor, draft=draft, now=request_now()))


@resource("PATCH", _ADDRESS, permission=Permission.EDIT_SCHEDULES, body=ScheduleChanges, answer=ScheduleOut)
def edit_workflow_schedule(workflow_id: UUID, body: ScheduleChanges) -> ScheduleOut:
    """Change the schedule of a workflow: what is sent, and nothing else. 409 when it has several."""
    return apply_changes(_only_schedule(workflow_id).id, body)


@resource("DELETE", _ADDRESS, permission=Permission.EDIT_SCHEDULES)
def delete_workflow_schedule(workflow_id: UUID) -> Message:
    """Take a workflow off its schedule. Its history stays. 409 when it has several."""
    return remove_schedule(_only_schedule(workflow_id).id)


def _workflow(workflow_id: UUID) -> JobRow:
    try:
        found = get_job(request_session(), organization_id=current_actor().organization_id, job_id=workflow_id)
    except NotFound as error:
        raise _no_workflow() from error
    if found.kind is not KindName.WORKFLOW:
        raise _no_workflow()
    return found


def _schedules(workflow_id: UUID) -> list[ScheduleRow]:
    organization_id = current_actor().organization_id
    return list_schedules_of_job(request_session(), organization_id=organization_id, job_id=workflow_id)


def _only_schedule(workflow_id: UUID) -> ScheduleRow:
    _workflow(workflow_id)
    found = _schedules(workflow_id)
    if not found:
        raise WorkflowUnscheduled("This workflow is on no schedule. Make one with POST.")
    if len(found) > 1:
        raise ScheduleUnclear(
            f"This workflow has {len(found)} schedules: {_names(found)}. Use /schedules/{{id}} for the one you mean."
        )
    return found[0]


def _names(schedules: list[ScheduleRow]) -> str:
    named = [f"{one.name} ({one.id})" for one in schedules[:_MOST_NAMED]]
    return ", ".join(named) + (" and others" if len(schedules) > _MOST_NAMED else "")


def _no_workflow() -> WorkflowNotFound:
    return WorkflowNotFound("There is no such workflow here. It may have been deleted.")
