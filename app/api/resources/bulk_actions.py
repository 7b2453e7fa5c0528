"""`/bulk-actions`: how far they are, what became of each thing, stopping and undoing. Whatever they are of."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Page, resource
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.bulk import service
from app.ops.bulk.carrying import carry_at_once
from app.ops.bulk.queries import BulkRow, ItemRow, get_bulk_action, list_bulk_actions, list_items
from app.ops.bulk.states import BulkState, ItemState
from app.tenants.access import Permission


class BulkActionOut(Answer):
    """Something that was, or is being, done to many things."""

    id: UUID
    action: Annotated[str, Field(examples=["schedules.disable"])]
    state: Annotated[BulkState, Field(description="going, done or stopped.")]
    title: Annotated[str, Field(examples=["Disable 38 schedules"])]
    summary: Annotated[str, Field(examples=["31 schedules disabled, 2 were so already, 5 could not be."])]
    parameters: dict[str, Any]
    reason: str
    by: Annotated[str, Field(description="Who began it.")]
    per_minute: Annotated[int | None, Field(description="How many in a minute. null: as fast as it goes.")]
    total: int
    done: Annotated[int, Field(description="How many were changed.")]
    unchanged: Annotated[int, Field(description="How many were as wanted already.")]
    refused: Annotated[int, Field(description="How many could not be changed. Their items say why.")]
    pending: Annotated[int, Field(description="How many were not come to yet; of what was stopped: never will be.")]
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    stopped_by: str | None
    can_undo: bool
    undo_of: Annotated[UUID | None, Field(description="The bulk action that this one takes back.")]
    undone_by: Annotated[UUID | None, Field(description="The bulk action that takes this one back.")]


class BulkItemOut(Answer):
    """What became of one thing."""

    id: Annotated[UUID, Field(description="The schedule's, or whatever it is.")]
    name: Annotated[str, Field(description="As it was called then. Empty where there was no such thing here.")]
    state: ItemState
    reason: Annotated[str, Field(description="Why it was left as it is.")]
    result_id: Annotated[UUID | None, Field(description="What came of it: the run that was started.")]
    at: Moment | None


class ItemQuery(Paging):
    """Which of its things to list."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "refused"}]})

    state: Annotated[ItemState | None, Field(description="Those alone that stand so.")] = None


@resource("GET", "/bulk-actions", permission=Permission.VIEW, query=Paging, answer=BulkActionOut, is_list=True)
def list_all_bulk_actions(query: Paging) -> Page[BulkActionOut]:
    """Those of the last 30 days, the newest first."""
    after = read_cursor(query)
    found = list_bulk_actions(
        request_session(),
        organization_id=current_actor().organization_id,
        limit=query.limit + 1,
        before=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
    )
    rows = found[: query.limit]
    goes_on = write_cursor(rows[-1].created_at.isoformat(), str(rows[-1].id)) if len(found) > len(rows) else None
    return Page([show_bulk(row) for row in rows], goes_on)


@resource("GET", "/bulk-actions/<uuid:bulk_id>", permission=Permission.VIEW, answer=BulkActionOut)
def show_bulk_action(bulk_id: UUID) -> BulkActionOut:
    """How far it is."""
    return show_bulk(_row(bulk_id))


@resource(
    "GET", "/bulk-actions/<uuid:bulk_id>/items", permission=Permission.VIEW, query=ItemQuery, answer=BulkItemOut,
    is_list=True,
)  # fmt: skip
def list_bulk_items(bulk_id: UUID, query: ItemQuery) -> Page[BulkItemOut]:
    """What became of each thing, in the order in which they were selected."""
    row, after = _row(bulk_id), read_cursor(query)
    found = list_items(
        request_session(), organization_id=row.organization_id, bulk_id=bulk_id, limit=query.limit + 1,
        after=int(after[0]) if after else -1, states=tuple(ItemState) if query.state is None else (query.state,),
    )  # fmt: skip
    rows = found[: query.limit]
    goes_on = write_cursor(str(rows[-1].position)) if len(found) > len(rows) else None
    return Page([_item(one) for one in rows], goes_on)


@resource(
    "POST", "/bulk-actions/<uuid:bulk_id>/stop", permission=Permission.RUN, answer=BulkActionOut, may_conflict=True
)  # fmt: skip
def stop_bulk(bulk_id: UUID) -> BulkActionOut:
    """Leave everything as it is that was not come to yet. What is over is answered with 409."""
    service.stop(request_session(), actor=current_actor(), bulk_id=bulk_id, now=request_now())
    return show_bulk(_row(bulk_id))


@resource(
    "POST", "/bulk-actions/<uuid:bulk_id>/undo", permission=Permission.RUN, answer=BulkActionOut, may_conflict=True
)  # fmt: skip
def undo_bulk(bulk_id: UUID) -> BulkActionOut:
    """Make everything what it was before, as a bulk action of its own, which is the answer.

    What somebody changed since stays as it is, and its item says so. Where nothing can be taken
    back, the answer is 409.
    """
    undo_id = service.undo(request_session(), actor=current_actor(), bulk_id=bulk_id, now=request_now())
    return carried_out(undo_id)


def carried_out(bulk_id: UUID) -> BulkActionOut:
    """A bulk action that was just begun: all of a small one is done at once, of a larger one the first part."""
    session, organization_id = request_session(), current_actor().organization_id
    piece = carry_at_once(session, organization_id=organization_id, bulk_id=bulk_id, now=request_now())
    if piece.makes_runs:
        on_commit(session, runtime().dispatch)
    return show_bulk(_row(bulk_id))


def show_bulk(row: BulkRow) -> BulkActionOut:
    """One of them in an answer."""
    return BulkActionOut(
        id=row.id,
        action=row.kind_name,
        state=row.state,
        title=row.title,
        summary=row.summary,
        parameters=dict(row.parameters),
        reason=row.reason,
        by=row.by,
        per_minute=row.per_minute,
        total=row.total,
        done=row.done,
        unchanged=row.unchanged,
        refused=row.refused,
        pending=row.pending,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        stopped_by=row.stopped_by,
        can_undo=row.can_undo,
        undo_of=row.undo_of_id,
        undone_by=row.undone_by_id,
    )


def _row(bulk_id: UUID) -> BulkRow:
    session = request_session()
    session.expire_all()
    return get_bulk_action(session, organization_id=current_actor().organization_id, bulk_id=bulk_id)


def _item(one: ItemRow) -> BulkItemOut:
    return BulkItemOut(
        id=one.object_id, name=one.name, state=one.state, reason=one.words, result_id=one.result_id, at=one.at
    )
