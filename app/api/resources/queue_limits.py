"""`/admin/queues`: making, limiting and deleting queues, for platform admins. What waits in them is in queues.py."""

from dataclasses import replace
from typing import Annotated

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body
from app.api.resource import resource
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.runs import queue_limits
from app.runs.queue_limits import MOST_AT_ONCE, MOST_SECONDS, QueueLimits, QueueLimitsRow, get_limits

TAG = "Queues"

AtOnce = Annotated[
    int | None, Field(ge=0, le=MOST_AT_ONCE, description="How many runs go on at once. null: any number.")
]
Starts = Annotated[
    int | None, Field(ge=0, le=MOST_AT_ONCE, description="How many start in `rate_seconds`. null: any number.")
]
Seconds = Annotated[int | None, Field(ge=0, le=MOST_SECONDS, description="Given together with `rate_starts`.")]


class NewQueueIn(Body):
    """A queue of one's own, which jobs may name."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "imports", "concurrency": 2, "rate_starts": 30, "rate_seconds": 60}]}
    )

    name: Annotated[str, Field(min_length=1, max_length=32, examples=["imports"])]
    concurrency: AtOnce = None
    rate_starts: Starts = None
    rate_seconds: Seconds = None


class QueueLimitsIn(Body):
    """Other limits. What is left out stays; null lifts a limit."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"concurrency": 8}]})

    concurrency: AtOnce = None
    rate_starts: Starts = None
    rate_seconds: Seconds = None
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="Only if nobody changed it since then.")] = (
        None
    )


class QueueLimitsOut(Answer):
    """A queue and its limits; null where it has none."""

    name: str
    concurrency: int | None
    rate_starts: int | None
    rate_seconds: int | None
    version: int


@resource(
    "POST", "/admin/queues", platform_admin=True, body=NewQueueIn, answer=QueueLimitsOut, status=201, tag=TAG,
    may_conflict=True,
)  # fmt: skip
def create_queue(body: NewQueueIn) -> QueueLimitsOut:
    """Make a queue. Jobs that name it wait in it, and workers may serve it alone."""
    limits = QueueLimits(body.concurrency, body.rate_starts, body.rate_seconds)
    session = request_session()
    queue_limits.create_queue(session, actor=current_actor(), name=body.name, limits=limits, now=request_now())
    return _shown(get_limits(session, name=body.name))


@resource(
    "PATCH", "/admin/queues/<name>", platform_admin=True, body=QueueLimitsIn, answer=QueueLimitsOut, tag=TAG,
    may_conflict=True,
)  # fmt: skip
def limit_queue(name: str, body: QueueLimitsIn) -> QueueLimitsOut:
    """Give a queue other limits, which count from the next start on. To start nothing of it, pause it instead."""
    session = request_session()
    sent = body.model_dump(exclude_unset=True, exclude={"version"})
    before = get_limits(session, name=name)
    limits = replace(QueueLimits(before.concurrency, before.rate_starts, before.rate_seconds), **sent)
    queue_limits.change_queue(
        session, actor=current_actor(), name=name, limits=limits, version=body.version, now=request_now()
    )
    on_commit(session, runtime().dispatch)
    return _shown(get_limits(session, name=name))


@resource("DELETE", "/admin/queues/<name>", platform_admin=True, tag=TAG, may_conflict=True)
def delete_queue(name: str) -> None:
    """Delete a queue that no job and no waiting run uses. Those of the kinds of jobs stay."""
    queue_limits.delete_queue(request_session(), actor=current_actor(), name=name, now=request_now())


def _shown(row: QueueLimitsRow) -> QueueLimitsOut:
    return QueueLimitsOut(
        name=row.name,
        concurrency=row.concurrency,
        rate_starts=row.rate_starts,
        rate_seconds=row.rate_seconds,
        version=row.version,
    )
