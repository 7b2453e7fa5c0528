"""`/schedules/bulk-actions`: one thing done to many schedules, named by their ids or by a filter."""

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
from app.jobs.services import Service
from app.ops.bulk import service
from app.ops.bulk.kinds import MOST_OBJECTS
from app.ops.schedule_glances import GlanceFilter, matching_in_order
from app.ops.schedule_health import ScheduleStatus
from app.runs.filters import LONGEST_SEARCH
from app.schedules.policies import Missed
from app.schedules.tags import LONGEST_TAG
from app.tenants.access import Permission
from app.tenants.people import LONGEST_EMAIL


class SelectionUnclear(Invalid):
    """Either ids or a filter say which schedules are meant."""


class ScheduleBulkAction(StrEnum):
    """What can be done to many schedules."""

    ENABLE = "enable"
    DISABLE = "disable"
    RUN = "run"  # at most 20
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    MOVE_ZONE = "move_zone"
    DELETE = "delete"


class MatchingIn(Body):
    """All schedules that a list with this filter has at this moment. A filter that narrows nothing is refused."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tag": "nightly"}, {"all": True}]})

    q: Annotated[str, Field(max_length=LONGEST_SEARCH, description="Part of the name.")] = ""
    health: Annotated[ScheduleStatus | None, Field(description="How it fares, or `enabled`.")] = None
    tag: Annotated[str, Field(max_length=LONGEST_TAG, description="A tag that it has.")] = ""
    service: Annotated[Service | None, Field(description="What its job syncs from.")] = None
    owner: Annotated[str, Field(max_length=LONGEST_EMAIL, description="Whose it is: an address, or `nobody`.")] = ""
    all: Annotated[bool, Field(description="All there are. Then nothing else narrows them.")] = False


class ScheduleBulkIn(Body):
    """What is to be done to which schedules. Either `ids` or `matching` says which."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"action": "disable", "matching": {"tag": "nightly"}, "reason": "Moving house"}]
        }
    )

    action: ScheduleBulkAction
    ids: Annotated[
        list[UUID] | None, Field(max_length=MOST_OBJECTS, description="Ids of schedules; twice the same is once.")
    ] = None
    matching: MatchingIn | None = None
    tag: Annotated[str | None, Field(description="Of add_tag and remove_tag.")] = None
    timezone: Annotated[str | None, Field(description="Of move_zone.")] = None
    missed: Annotated[Missed, Field(description="Of enable: what becomes of slots that they missed while off.")] = (
        Missed.SKIP
    )
    reason: Annotated[str, Field(max_length=service.LONGEST_REASON, description="Why, for the audit.")] = ""
    per_minute: Annotated[Int32 | None, Field(description="How many in a minute. null: as fast as it goes.")] = None


@resource(
    "POST", "/schedules/bulk-actions", permission=Permission.RUN, body=ScheduleBulkIn, answer=BulkActionOut,
    status=201, tag="Bulk actions",
)  # fmt: skip
def begin_schedule_bulk_action(body: ScheduleBulkIn) -> Message:
    """Do one thing to many schedules, those that are there or match at this moment.

    A small selection is done when the answer comes; of a larger one the first part is, and the rest goes on by itself:
    ask for `/bulk-actions/{id}`. A schedule that cannot be changed is left as it is, and its item says why.
    """
    session, actor, now = request_session(), current_actor(), request_now()
    bulk_id = service.select_objects(session, actor=actor, family="schedules", object_ids=_ids(body), now=now)
    said = {"tag": body.tag, "timezone": body.timezone, "missed": body.missed.value}
    service.start(
        session, actor=actor, bulk_id=bulk_id, kind=f"schedules.{body.action.value}", parameters=said, now=now,
        reason=body.reason, per_minute=body.per_minute,
    )  # fmt: skip
    found = carried_out(bulk_id)
    return Message(found, found.summary)


def _ids(body: ScheduleBulkIn) -> list[UUID]:
    if (body.ids is None) == (body.matching is None):
        raise SelectionUnclear("Say which schedules: either `ids` or `matching`, and not both.", field="ids")
    if body.ids is not None:
        return body.ids
    assert body.matching is not None
    wanted = GlanceFilter(
        query=body.matching.q, status=body.matching.health, tag=body.matching.tag, owner=body.matching.owner,
        service=body.matching.service.value if body.matching.service else "",
    )  # fmt: skip
    if body.matching.all != wanted.is_empty:
        words = "`all` stands alone: leave out what narrows them, or leave out `all`."
        if wanted.is_empty:
            words = 'This narrows nothing. Send `{"all": true}` where all schedules are meant.'
        raise SelectionUnclear(words, field="matching")
    here = current_actor().organization_id
    return matching_in_order(request_session(), organization_id=here, wanted=wanted, now=request_now())
