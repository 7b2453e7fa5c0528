"""`/schedules/{id}/mute` and `/jobs/{id}/mute`: tell nothing of one of them for some hours, or until it succeeds."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from app.api.models import Answer, Body, Moment
from app.api.resource import Message, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session
from app.jobs.queries import get_job
from app.notifications.mutes import (
    LONGEST_MUTE,
    Mute,
    mute_job,
    mute_of_job,
    mute_of_schedule,
    mute_schedule,
    unmute_job,
    unmute_schedule,
)
from app.schedules.queries import get_schedule
from app.tenants.access import Permission

_SCHEDULE = "/schedules/<uuid:schedule_id>/mute"
_JOB = "/jobs/<uuid:job_id>/mute"
_MOST_HOURS = LONGEST_MUTE // timedelta(hours=1)


class MuteIn(Body):
    """For how long. It ends after so many hours also where the next success does not come."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"hours": 24}, {"until_success": True}]})

    hours: Annotated[int | None, Field(ge=1, le=_MOST_HOURS, description="168 where only `until_success` is said.")] = (
        None
    )
    until_success: Annotated[bool, Field(description="It ends earlier, with the next run that goes well.")] = False

    @model_validator(mode="after")
    def _ends(self) -> "MuteIn":
        if self.hours is None and not self.until_success:
            raise ValueError("Say for how many hours, or until_success.")
        return self

    def until(self, now: datetime) -> datetime:
        """When it ends at the latest."""
        return now + timedelta(hours=self.hours or _MOST_HOURS)


class MuteOut(Answer):
    """Until when nothing is told of a schedule or job."""

    muted_until: Moment | None
    until_success: Annotated[bool, Field(description="It ends earlier, with the next run that goes well.")]


@resource("GET", _SCHEDULE, permission=Permission.VIEW, answer=MuteOut)
def show_schedule_mute(schedule_id: UUID) -> MuteOut:
    """Until when nothing is told of a schedule; null where it is not muted."""
    return _of_schedule(schedule_id)


@resource("PUT", _SCHEDULE, permission=Permission.RUN, body=MuteIn, answer=MuteOut)
def mute_api_schedule(schedule_id: UUID, body: MuteIn) -> MuteOut:
    """Tell nothing of a schedule for some hours. Runs go on; what is still wrong then is told then."""
    now = request_now()
    it: dict[str, Any] = {"actor": current_actor(), "schedule_id": schedule_id, "now": now}
    mute_schedule(request_session(), until=body.until(now), until_success=body.until_success, **it)
    return _of_schedule(schedule_id)


@resource("DELETE", _SCHEDULE, permission=Permission.RUN)
def unmute_api_schedule(schedule_id: UUID) -> Message:
    """Tell of a schedule again."""
    unmute_schedule(request_session(), actor=current_actor(), schedule_id=schedule_id, now=request_now())
    return Message(None, "It is told of again.")


@resource("GET", _JOB, permission=Permission.VIEW, answer=MuteOut)
def show_job_mute(job_id: UUID) -> MuteOut:
    """Until when nothing is told of the runs of a job; null where it is not muted."""
    return _of_job(job_id)


@resource("PUT", _JOB, permission=Permission.RUN, body=MuteIn, answer=MuteOut)
def mute_api_job(job_id: UUID, body: MuteIn) -> MuteOut:
    """Tell nothing of a job for some hours, whatever starts it. Runs go on."""
    now = request_now()
    it: dict[str, Any] = {"actor": current_actor(), "job_id": job_id, "now": now}
    mute_job(request_session(), until=body.until(now), until_success=body.until_success, **it)
    return _of_job(job_id)


@resource("DELETE", _JOB, permission=Permission.RUN)
def unmute_api_job(job_id: UUID) -> Message:
    """Tell of a job again."""
    unmute_job(request_session(), actor=current_actor(), job_id=job_id, now=request_now())
    return Message(None, "It is told of again.")


def _of_schedule(schedule_id: UUID) -> MuteOut:
    session, here = fresh_session(), current_actor().organization_id
    get_schedule(session, organization_id=here, schedule_id=schedule_id)
    return _shown(mute_of_schedule(session, organization_id=here, schedule_id=schedule_id, now=request_now()))


def _of_job(job_id: UUID) -> MuteOut:
    session, here = fresh_session(), current_actor().organization_id
    get_job(session, organization_id=here, job_id=job_id)
    return _shown(mute_of_job(session, organization_id=here, job_id=job_id, now=request_now()))


def _shown(mute: Mute | None) -> MuteOut:
    if mute is None:
        return MuteOut(muted_until=None, until_success=False)
    return MuteOut(muted_until=mute.until, until_success=mute.until_success)
