"""`/views`: lists that were narrowed and named."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.tenants import saved_views
from app.tenants.access import Permission
from app.tenants.saved_views import LONGEST_NAME, ListName, ViewRow

_TAG = "Saved views"
_QUERY: dict[str, Any] = {"state": "failed", "last": "24h"}
Name = Annotated[str, Field(max_length=LONGEST_NAME * 4, examples=["Failed today"])]
Parts = Annotated[
    dict[str, str],
    Field(
        description="The parts of the list's address. Runs: `state`, `trigger`, `last` (1h, 24h, 7d), `since`, "
        "`until` (instants), `schedule`, `job`, `q`. Schedules: `status`, `tag`, `owner`, `service`, `q`.",
        examples=[_QUERY],
    ),
]


class ViewQuery(Paging):
    list: Annotated[ListName | None, Field(description="Those of one list.")] = None


class ViewOut(Answer):
    """A list that was narrowed and named."""

    id: UUID
    list: ListName
    name: str
    query: Parts
    is_shared: Annotated[bool, Field(description="Whether the whole organization sees it.")]
    created_by: str
    created_at: Moment


class ViewIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"list": "runs", "name": "Failed", "query": _QUERY}]})

    list: ListName
    name: Name
    query: Parts
    is_shared: Annotated[bool, Field(description="For the whole organization, which needs the role operator.")] = False


class ViewChange(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Failed today"}]})

    name: Name


@resource("GET", "/views", permission=Permission.VIEW, query=ViewQuery, answer=ViewOut, is_list=True, tag=_TAG)
def list_views(query: ViewQuery) -> Page[ViewOut]:
    """Your own views and those of the organization, by list and name."""
    rows = saved_views.list_views(request_session(), actor=current_actor(), list_name=query.list)
    return cut([_shown(row) for row in rows], query, key=lambda one: (one.list.value, one.name.lower(), str(one.id)))


@resource("POST", "/views", permission=Permission.VIEW, body=ViewIn, answer=ViewOut, status=201, tag=_TAG)
def save_view(body: ViewIn) -> ViewOut:
    """Keep a narrowed list under a name, for yourself or for the organization."""
    session, actor = request_session(), current_actor()
    view_id = saved_views.save_view(
        session, actor=actor, list_name=body.list, name=body.name, query=body.query, is_shared=body.is_shared,
        now=request_now(),
    )  # fmt: skip
    return _shown(saved_views.get_view(session, actor=actor, view_id=view_id))


@resource("GET", "/views/<uuid:view_id>", permission=Permission.VIEW, answer=ViewOut, tag=_TAG)
def show_view(view_id: UUID) -> ViewOut:
    """One of them."""
    return _shown(saved_views.get_view(request_session(), actor=current_actor(), view_id=view_id))


@resource("PATCH", "/views/<uuid:view_id>", permission=Permission.VIEW, body=ViewChange, answer=ViewOut, tag=_TAG)
def rename_view(view_id: UUID, body: ViewChange) -> ViewOut:
    """Call it otherwise. One of the organization needs the role operator."""
    session, actor = request_session(), current_actor()
    saved_views.rename_view(session, actor=actor, view_id=view_id, name=body.name, now=request_now())
    return _shown(saved_views.get_view(session, actor=actor, view_id=view_id))


@resource("DELETE", "/views/<uuid:view_id>", permission=Permission.VIEW, tag=_TAG)
def delete_view(view_id: UUID) -> Message:
    """Forget it; what it showed stays. One of the organization needs the role operator."""
    saved_views.delete_view(request_session(), actor=current_actor(), view_id=view_id, now=request_now())
    return Message(None, "View deleted.")


def _shown(row: ViewRow) -> ViewOut:
    return ViewOut(
        id=row.id, list=row.list_name, name=row.name, query=row.query, is_shared=row.is_shared,
        created_by=row.created_by, created_at=row.created_at,
    )  # fmt: skip
