"""Runs as the API shows them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from app.api.models import Answer, Moment
from app.edge.identity import request_now
from app.jobs.policies import ErrorClass
from app.ops.run_advice import advice_on
from app.ops.run_notes import RunNotes, length_of, read_notes
from app.runs.attempt_queries import AttemptRow, list_attempts
from app.runs.queries import RunRow
from app.runs.relatives import list_followers
from app.runs.repeats import list_again, parameters_of_run
from app.runs.states import AttemptState, Reason, RunState, Trigger, Via
from app.tenants.audit_masks import masked


class RunOut(Answer):
    id: UUID
    job_id: UUID
    job_name: str
    schedule_id: UUID | None
    schedule_name: str | None
    trigger: Trigger
    state: RunState
    reason: Reason | None
    error: str | None
    attempt: int
    tries: int
    due_at: Moment
    ready_at: Moment
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    lateness_seconds: Annotated[float | None, Field(description="How long after its time it started.")]
    duration_seconds: Annotated[
        float | None, Field(description="From its first start to its end, or up to now; waits between tries included.")
    ]
    usual_seconds: Annotated[
        float | None,
        Field(
            description="What runs of its job usually take: the middle of its last good ones, where there are three."
        ),
    ]
    worker: str | None
    requested_by: Annotated[
        str | None, Field(description="The name of who asked for it; null where nobody did who is still a member.")
    ]
    requested_via: Annotated[Via | None, Field(description="Through what, where it was no page.")]
    retry_of_run_id: UUID | None
    retried_by_run_id: UUID | None
    parent_run_id: Annotated[UUID | None, Field(description="The run that started it and waits for it.")]
    cause_run_id: Annotated[UUID | None, Field(description="The run whose end started it.")]
    again_of_run_id: Annotated[UUID | None, Field(description="The run that somebody asked for once more.")]
    queue: str
    slow_at: Annotated[Moment | None, Field(description="Since when it takes longer than its soft limit.")]
    cancel_requested_at: Annotated[
        Moment | None,
        Field(
            description="When somebody cancelled it while it was running. It stops within seconds; a "
            "function in the worker itself where it looks whether it has to."
        ),
    ]
    can_run_again: Annotated[bool, Field(description="Whether it has ended, and its job can still be started.")]
    can_retry: bool
    why_not_retry: Annotated[str | None, Field(description="Why it cannot be retried; null where it can.")]
    can_remove: bool
    can_cancel: bool
    can_retry_now: Annotated[bool, Field(description="Whether its wait can be cut short, or given up.")]


class ProgressOut(Answer):
    done: int
    total: int | None
    percent: int | None
    text: str


class AttemptOut(Answer):
    number: int
    state: AttemptState
    worker: str
    error: str | None
    error_class: Annotated[ErrorClass | None, Field(description="What kind of trouble ended it.")]
    come_back_at: Annotated[
        Moment | None, Field(description="When the other side said that it may be asked again. The next try waits.")
    ]
    progress: Annotated[ProgressOut | None, Field(description="How far it has come, as it said itself.")]
    result: Annotated[dict[str, Any], Field(description="What it returned; what is called like a secret is masked.")]
    started_at: Moment
    finished_at: Moment | None


class RunDetailOut(RunOut):
    advice: Annotated[
        str | None,
        Field(description="What to do about a failure; null where its cause is not known, or there is none."),
    ]
    attempts: list[AttemptOut]
    started_run_ids: Annotated[list[UUID], Field(description="The runs that its end started.")]
    again_run_ids: Annotated[list[UUID], Field(description="The runs that are this one once more, the newest first.")]
    parameters: Annotated[
        dict[str, Any],
        Field(
            description="What its job ran with: its own, and those of this run. What is called like a secret is masked."
        ),
    ]


def shown_run(session: Session, row: RunRow) -> RunDetailOut:
    """A run in an answer, with its attempts."""
    attempts = list_attempts(session, organization_id=row.organization_id, run_id=row.id)
    followers = list_followers(session, organization_id=row.organization_id, run_id=row.id)
    return RunDetailOut(
        **dict(shown_runs(session, [row])[0]),
        advice=advice_on(row, attempts[-1] if attempts else None) or None,
        attempts=[_attempt(one) for one in attempts],
        started_run_ids=[one.id for one in followers],
        again_run_ids=list_again(session, organization_id=row.organization_id, run_id=row.id),
        parameters=masked("parameters", parameters_of_run(session, run=row)),
    )


def shown_runs(session: Session, rows: Sequence[RunRow]) -> list[RunOut]:
    """Runs of one organization in an answer."""
    if not rows:
        return []
    notes, now = read_notes(session, rows, organization_id=rows[0].organization_id), request_now()
    return [RunOut(**_facts(row, notes, now)) for row in rows]


def _facts(row: RunRow, notes: RunNotes, now: datetime) -> dict[str, Any]:
    known = {
        "lateness_seconds": _seconds(row.lateness),
        "duration_seconds": _seconds(length_of(row, now=now)),
        "usual_seconds": _seconds(notes.usual_of(row)),
        "requested_by": notes.asked_by(row),
        "can_run_again": row.why_not_again is None,
    }
    return known | {name: getattr(row, name) for name in RunOut.model_fields if name not in known}


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else round(length.total_seconds(), 3)


def _attempt(row: AttemptRow) -> AttemptOut:
    facts = {name: getattr(row, name) for name in AttemptOut.model_fields}
    said = row.progress
    shown = said and ProgressOut(done=said.done, total=said.total, percent=said.percent, text=said.text)
    return AttemptOut(**facts | {"progress": shown, "result": masked("result", row.result)})
