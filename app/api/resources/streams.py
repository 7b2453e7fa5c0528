"""`/connections/{id}/streams`: how the figures of a connection stand, and what people say about them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.api.resources.runs import RunStartedOut
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.stream_facts import StreamFacts, read_stream_facts, sync_again
from app.syncs.stream_changes import promise_by, read_minute, say_normal
from app.tenants.access import Permission

TAG = "Connections"


class LostDaysOut(Answer):
    """Days in a row that can never be had, both ends included."""

    first: date
    last: date


class StreamOut(Answer):
    """What is read of a connection together, and is complete or not together."""

    name: str
    level: Annotated[str, Field(description="Of what its figures are: account, campaign or channel.")]
    data_through: Annotated[date | None, Field(description="The last day that is complete, with all before it.")]
    fetched_at: datetime | None
    promised_by: Annotated[str | None, Field(description="The time of day by which the day before is promised.")]
    deadline: Annotated[datetime | None, Field(description="By when the day after data_through is promised.")]
    freshness: Annotated[str | None, Field(description="fresh, at risk or stale; null: nothing is promised.")]
    in_words: str
    rows_seen: Annotated[int | None, Field(description="Figures of its newest landing.")]
    usual: Annotated[str | None, Field(description="How many had been usual then; null: too little is known.")]
    doubt: Annotated[str | None, Field(description="loss or volume: why its newest landing is looked at twice.")]
    doubt_in_words: str
    doubted_since: datetime | None
    lost_days: Annotated[
        list[LostDaysOut], Field(description="Before data_through, and not here: its service keeps them no more.")
    ]


class PromiseIn(Body):
    """By when figures are promised."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"by": "07:00"}]})

    by: Annotated[str | None, Field(max_length=8, description="A time of the account's day; null promises nothing.")]


def stream_out(facts: StreamFacts) -> StreamOut:
    row, standing = facts.row, facts.standing
    return StreamOut(
        name=row.name,
        level=row.level,
        data_through=row.data_through,
        fetched_at=row.fetched_at,
        promised_by=facts.promised_by,
        deadline=None if standing is None else standing.deadline,
        freshness=None if standing is None else standing.freshness.value,
        in_words=facts.words,
        rows_seen=facts.rows_seen,
        usual=facts.usual,
        doubt=None if row.doubt is None else row.doubt.value,
        doubt_in_words=facts.doubt_words,
        doubted_since=row.doubted_since,
        lost_days=[LostDaysOut(first=days.first, last=days.last) for days in row.lost],
    )


@resource(
    "GET", "/connections/<uuid:connection_id>/streams", permission=Permission.VIEW, query=Paging, answer=StreamOut,
    is_list=True, tag=TAG,
)  # fmt: skip
def list_connection_streams(connection_id: UUID, query: Paging) -> Page[StreamOut]:
    """How the figures of a connection stand, stream by stream. Empty before its first sync."""
    return cut(_streams(connection_id), query, key=lambda one: (one.name, one.name))


@resource(
    "POST", "/connections/<uuid:connection_id>/streams/<stream>/normal", permission=Permission.RUN, answer=StreamOut,
    tag=TAG,
)  # fmt: skip
def call_stream_normal(connection_id: UUID, stream: str) -> Message:
    """Say that what looks odd is normal. What is usual is learnt anew; after a loss, the next sync believes it."""
    doubt = say_normal(
        request_session(), actor=current_actor(), connection_id=connection_id, stream=stream, now=request_now()
    )
    said = "Nothing was in doubt." if doubt is None else "It counts as normal. Sync again to land it as it is now."
    return Message(_stream(connection_id, stream), said)


@resource(
    "PUT", "/connections/<uuid:connection_id>/streams/<stream>/promise", permission=Permission.EDIT_SCHEDULES,
    body=PromiseIn, answer=StreamOut, tag=TAG,
)  # fmt: skip
def promise_connection_stream(connection_id: UUID, stream: str, body: PromiseIn) -> StreamOut:
    """Promise the figures of each day by a time of the next one, by the account's clocks."""
    promise_by(
        request_session(), actor=current_actor(), connection_id=connection_id, stream=stream,
        minute=read_minute(body.by or ""), now=request_now(),
    )  # fmt: skip
    return _stream(connection_id, stream)


@resource(
    "POST", "/connections/<uuid:connection_id>/sync", permission=Permission.RUN, answer=RunStartedOut, status=201,
    tag=TAG,
)  # fmt: skip
def sync_connection_again(connection_id: UUID) -> Message:
    """Sync a connection now.

    Send an Idempotency-Key, so that a request that is sent again starts nothing more.
    """
    session = request_session()
    run_id = sync_again(
        session, actor=current_actor(), connection_id=connection_id, request_key=f"api-{uuid4()}", now=request_now()
    )
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=run_id), "The run is queued.")


def _streams(connection_id: UUID) -> list[StreamOut]:
    found = read_stream_facts(
        request_session(), organization_id=current_actor().organization_id, connection_id=connection_id,
        now=request_now(),
    )  # fmt: skip
    return [stream_out(facts) for facts in found]


def _stream(connection_id: UUID, name: str) -> StreamOut:
    return next(stream for stream in _streams(connection_id) if stream.name == name)
