"""`/schedules/{service}`: the one schedule by which an organization syncs from a service."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.missed_shapes import MissedWhilePaused, SeenSlots
from app.api.models import Answer, Body
from app.api.resource import Message, resource
from app.api.schedule_fields import CronText, ZoneName
from app.api.schedule_shapes import ScheduleOut, show_newest
from app.core.db import on_commit
from app.core.ids import new_id
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.services import Service
from app.runs import service as runs
from app.schedules.defaults import find_default
from app.schedules.policies import Missed
from app.tenants.access import Permission

_TAG = "Schedules"
_SERVICE = "<any(meta, ga4, shopify):service>"


class DefaultScheduleIn(Body):
    """When to sync from the service. What is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cron": "0 2 * * *", "enabled": True, "timezone": "Europe/Berlin"}]}
    )

    cron: CronText
    enabled: bool | None = None
    timezone: ZoneName | None = None
    missed_while_paused: MissedWhilePaused = Missed.SKIP
    seen: SeenSlots = None


class ServiceRun(Answer):
    """The sync that was asked for."""

    jobId: Annotated[UUID, Field(description="The id of its run.")]  # noqa: N815 - the name is fixed from outside
    service: Service
    userId: Annotated[UUID, Field(description="Who asked for it.")]  # noqa: N815 - the name is fixed from outside


@resource(
    "PUT",
    f"/schedules/{_SERVICE}",
    permission=Permission.EDIT_SCHEDULES,
    body=DefaultScheduleIn,
    answer=ScheduleOut,
    tag=_TAG,
)
def set_default_schedule(service: str, body: DefaultScheduleIn) -> ScheduleOut:
    """Say when the organization syncs from a service, and whether it does.

    Every organization has one such schedule for each service, switched off at first.
    """
    session, actor, now = request_session(), current_actor(), request_now()
    row = find_default(session, organization_id=actor.organization_id, service=Service(service))
    runs.change_default(
        session,
        actor=actor,
        service=Service(service),
        cron=body.cron,
        is_enabled=row.enabled if body.enabled is None else body.enabled,
        timezone=row.timezone if body.timezone is None else body.timezone,
        now=now,
        missed=body.missed_while_paused,
        seen=body.seen,
    )
    on_commit(session, runtime().dispatch)
    return show_newest(row.id)


@resource("POST", f"/schedules/{_SERVICE}/run", permission=Permission.RUN, answer=ServiceRun, tag=_TAG)
def run_default_schedule(service: str) -> Message:
    """Sync from a service now.

    Without a connection to the service there is nothing to sync: the run is recorded as skipped and says so.
    """
    session, actor, now = request_session(), current_actor(), request_now()
    row = find_default(session, organization_id=actor.organization_id, service=Service(service))
    run_id = runs.run_schedule_now(session, actor=actor, schedule_id=row.id, request_key=new_id().hex, now=now)
    on_commit(session, runtime().dispatch)
    person = current_person()
    answer = ServiceRun(jobId=run_id, service=Service(service), userId=person.user_id)
    return Message(answer, f"{service} sync job enqueued for user {person.user_id}")
