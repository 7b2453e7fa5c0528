"""`/admin/organizations`: how many runs of each organization go on at once, for platform admins."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Paging
from app.api.paging import cut
from app.api.resource import Page, resource
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.runs.organization_limits import limit_organization, list_organization_limits
from app.runs.queue_limits import MOST_AT_ONCE

TAG = "Queues"


class OrganizationLimitIn(Body):
    """How many of its runs may go on at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"concurrency": 20}]})

    concurrency: Annotated[int | None, Field(ge=0, le=MOST_AT_ONCE, description="null: as many as there is room for.")]


class OrganizationLimitOut(Answer):
    """An organization and its limit."""

    id: UUID
    name: str
    concurrency: int | None


@resource(
    "GET", "/admin/organizations", platform_admin=True, query=Paging, answer=OrganizationLimitOut, is_list=True, tag=TAG
)
def list_limited_organizations(query: Paging) -> Page[OrganizationLimitOut]:
    """All organizations of the installation with their limits."""
    rows = list_organization_limits(request_session())
    shown = [OrganizationLimitOut(**asdict(row)) for row in rows]
    return cut(shown, query, key=lambda one: (one.name.lower(), str(one.id)))


@resource(
    "PATCH",
    "/admin/organizations/<uuid:organization_id>",
    platform_admin=True,
    body=OrganizationLimitIn,
    answer=OrganizationLimitOut,
    tag=TAG,
)
def change_organization_limit(organization_id: UUID, body: OrganizationLimitIn) -> OrganizationLimitOut:
    """Let so many runs of an organization go on at once, over all queues."""
    session = request_session()
    row = limit_organization(
        session,
        actor=current_actor(),
        organization_id=organization_id,
        concurrency=body.concurrency,
        now=request_now(),
    )
    on_commit(session, runtime().dispatch)
    return OrganizationLimitOut(**asdict(row))
