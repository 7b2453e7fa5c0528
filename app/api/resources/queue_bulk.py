"""`/admin/queue-runs/bulk-actions`: one thing done to many runs of the queue, named by their ids or by a filter."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Body, Int32
from app.api.resource import Message, resource
from app.api.resources.bulk_actions import BulkActionOut, carried_out
from app.core.errors import Invalid
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.bulk import service
from app.ops.bulk.kinds import MOST_OBJECTS
from app.ops.bulk.runs import PACED_ABOVE, PER_MINUTE, RUNS, TYPED_ABOVE
from app.runs.causes import CAUSE_LENGTH
from app.runs.filters import LONGEST_SEARCH
from app.runs.queue_filter import LONGEST_NAME, QueueFilter, QueueFilterUnclear, QueueTab, read_whole
from app.runs.queue_lists import matching_of_tab
from app.tenants.access import Permission


class RunSelectionUnclear(Invalid):
    """Either ids or a filter say which runs are meant."""


class QueueBulkAction(StrEnum):
    """What can be done to many runs."""

    RETRY = "retry"  # failed ones, each as its job is defined now
    REMOVE = "remove"  # ones that wait are cancelled, failed ones are no longer listed


class MatchingRunsIn(Body):
    """All runs that a tab of the queue with this filter has at this moment. One that names nothing is refused."""

    tab: QueueTab = QueueTab.DEAD
    queue: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    job: UUID | None = None
    schedule: UUID | None = None
    cause: Annotated[
        str, Field(pattern=rf"^([0-9a-f]{{{CAUSE_LENGTH}}})?$", description="Dead letters of one cause.")
    ] = ""
    q: Annotated[str, Field(max_length=LONGEST_SEARCH, description="Part of a name or an error.")] = ""


class QueueBulkIn(Body):
    """What is to be done to which runs. Either `ids` or `matching` says which."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "retry", "matching": {"tab": "dead", "q": "rate limit"}}]}
    )

    action: QueueBulkAction
    ids: Annotated[
        list[UUID] | None, Field(max_length=MOST_OBJECTS, description="Ids of runs; twice the same is once.")
    ] = None
    matching: MatchingRunsIn | None = None
    reason: Annotated[str, Field(max_length=service.LONGEST_REASON, description="Why, for the audit.")] = ""
    per_minute: Annotated[
        Int32 | None,
        Field(description=f"How many in a minute. null: {PER_MINUTE} where over {PACED_ABOVE} are retried."),
    ] = None
    at_once: Annotated[bool, Field(description="Retry all now, however many they are.")] = False
    count: Annotated[
        Int32 | None, Field(description=f"How many they are. Has to be said to remove over {TYPED_ABOVE}.")
    ] = None


@resource(
    "POST", "/admin/queue-runs/bulk-actions", permission=Permission.MANAGE_QUEUE, body=QueueBulkIn,
    answer=BulkActionOut, status=201, tag="Bulk actions",
)  # fmt: skip
def begin_queue_bulk_action(body: QueueBulkIn) -> Message:
    """Retry or remove many runs of this organization, those that are there or match at this moment.

    A small selection is done when the answer comes; of a larger one the first part is, and the rest goes on by itself:
    ask for `/bulk-actions/{id}`. At most ten thousand are taken of those that match, the first of their list; the
    message says how many others there are, for which the same is sent again.
    """
    session, actor, now = request_session(), current_actor(), request_now()
    ids, left = _ids(body)
    bulk_id = service.select_objects(session, actor=actor, family="runs", object_ids=ids, left=left, now=now)
    service.start(
        session, actor=actor, bulk_id=bulk_id, kind=f"runs.{body.action.value}", parameters={}, now=now,
        reason=body.reason, per_minute=body.per_minute, at_once=body.at_once, counted=body.count,
    )  # fmt: skip
    found = carried_out(bulk_id)
    return Message(found, f"{found.summary} {RUNS.left_words(left)}".strip())


def _ids(body: QueueBulkIn) -> tuple[list[UUID], int]:
    """Which runs, and how many others match."""
    if (body.ids is None) == (body.matching is None):
        raise RunSelectionUnclear("Say which runs: either `ids` or `matching`, and not both.", field="ids")
    if body.ids is not None:
        return body.ids, 0
    assert body.matching is not None
    wanted = _wanted(body.matching)
    if not (body.matching.model_fields_set & {"tab"} or wanted.narrowing):
        words = 'This narrows nothing. Send `{"tab": "dead"}` where all dead letters are meant.'
        raise RunSelectionUnclear(words, field="matching")
    here = current_actor().organization_id
    return matching_of_tab(request_session(), organization_id=here, wanted=wanted, now=request_now(), most=MOST_OBJECTS)


def _wanted(given: MatchingRunsIn) -> QueueFilter:
    ids = {"job": str(given.job or ""), "schedule": str(given.schedule or "")}
    try:
        return read_whole({"tab": given.tab, "queue": given.queue, "q": given.q, "cause": given.cause, **ids})
    except QueueFilterUnclear as error:
        raise QueueFilterUnclear(error.message, field=f"matching.{error.field}") from error
