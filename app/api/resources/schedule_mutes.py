"""`/schedules/{id}/mute`: tell nothing of one schedule for some hours."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.api.resource import Message, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session
from app.notifications.mutes import LONGEST_MUTE, mute_schedule, muted_until, unmute_schedule
from app.schedules.queries import get_schedule
from app.tenants.access import Permission

_PATH = "/schedules/<uuid:schedule_id>/mute"
_MOST_HOURS = LONGEST_MUTE // timedelta(hours=1)


class MuteIn(Body):
    """For how long."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"hours": 24}]})

    hours: Annotated[int, Field(ge=1, le=_MOST_HOURS)]


class MuteOut(Answer):
    """Until when nothing is told of a schedule."""

    muted_until: Moment | None


@resource("GET", _PATH, permission=Permission.VIEW, answer=MuteOut)
def show_schedule_mute(schedule_id: UUID) -> MuteOut:
    """Until when nothing is told of a schedule; null where it is not muted."""
    return _shown(schedule_id)


@resource("PUT", _PATH, permission=Permission.RUN, body=MuteIn, answer=MuteOut)
def mute_api_schedule(schedule_id: UUID, body: MuteIn) -> MuteOut:
    """Tell nothing of a schedule for some hours. Runs go on; what is still wrong then is told then."""
    now = request_now()
    until = now + timedelta(hours=body.hours)
    mute_schedule(request_session(), actor=current_actor(), schedule_id=schedule_id, until=until, now=now)
    return _shown(schedule_id)


@resource("DELETE", _PATH, permission=Permission.RUN)
def unmute_api_schedule(schedule_id: UUID) -> Message:
    """Tell of a schedule again."""
    unmute_schedule(request_session(), actor=current_actor(), schedule_id=schedule_id, now=request_now())
    return Message(None, "It is told of again.")


def _shown(schedule_id: UUID) -> MuteOut:
    session, here = fresh_session(), current_actor().organization_id
    get_schedule(session, organization_id=here, schedule_id=schedule_id)
    return MuteOut(muted_until=muted_until(session, organization_id=here, schedule_id=schedule_id, now=request_now()))
