"""`/schedules/{id}/why` and `/runs/{id}/why`: what holds a schedule or a run back, for programs and for people."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment
from app.api.resource import resource
from app.edge.identity import acting_for_installation, current_actor, request_now
from app.edge.runtime import request_session
from app.ops.code_rows import get_code_schedule
from app.ops.why.answers import why_run, why_schedule
from app.ops.why.reasons import Why, WhyCode, in_utc
from app.tenants.access import Permission


class CauseOut(Answer):
    """One cause."""

    code: WhyCode
    words: Annotated[str, Field(description="The same for people, with what to do.")]
    holds: Annotated[bool, Field(description="Whether it keeps it from running. Some answers only say how it stands.")]
    since: Moment | None
    until: Moment | None
    by: Annotated[str | None, Field(description="Who did it.")]
    limit: Annotated[int | None, Field(description="How many may go on at once, or start in a while.")]
    taken: Annotated[int | None, Field(description="How many do, of all organizations where the limit is shared.")]
    position: Annotated[int | None, Field(description="The place in the organization's own line, from 1.")]
    before: Annotated[int | None, Field(description="How many runs of all organizations start before it.")]
    run_id: Annotated[UUID | None, Field(description="The run in the way.")]
    waiting_run_id: Annotated[UUID | None, Field(description="The run of the schedule that waits.")]


class WhyOut(CauseOut):
    """The first cause that alone would hold it back."""

    also: Annotated[list[CauseOut], Field(description="Further causes, and how it stands otherwise.")]


@resource("GET", "/schedules/<uuid:schedule_id>/why", permission=Permission.VIEW, answer=WhyOut, tag="Schedules")
def why_schedule_waits(schedule_id: UUID) -> WhyOut:
    """Why a schedule did not run, or when it will."""
    organization_id, telling = current_actor().organization_id, in_utc(request_now())
    return _shown(
        why_schedule(request_session(), organization_id=organization_id, schedule_id=schedule_id, telling=telling)
    )


@resource("GET", "/admin/code-schedules/<code_id>/why", platform_admin=True, answer=WhyOut)
def why_code_schedule_waits(code_id: str) -> WhyOut:
    """The same of one that code defines, by its name there."""
    telling = in_utc(request_now())
    with acting_for_installation() as (session, actor):
        schedule_id = get_code_schedule(session, code_id=code_id, now=request_now()).schedule.id
        found = why_schedule(
            session, organization_id=actor.organization_id, schedule_id=schedule_id, telling=telling
        )  # fmt: skip
    return _shown(found)


@resource("GET", "/runs/<uuid:run_id>/why", permission=Permission.VIEW, answer=WhyOut, tag="Runs")
def why_run_waits(run_id: UUID) -> WhyOut:
    """Why a run waits, or what became of it."""
    organization_id, telling = current_actor().organization_id, in_utc(request_now())
    return _shown(why_run(request_session(), organization_id=organization_id, run_id=run_id, telling=telling))


def _shown(why: Why) -> WhyOut:
    return WhyOut(**_facts(why), also=[CauseOut(**_facts(one)) for one in why.also])


def _facts(why: Why) -> dict[str, Any]:
    return {name: getattr(why, name) for name in CauseOut.model_fields}
