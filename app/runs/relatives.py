"""Reads of runs that belong together: what a run started and waits for, what its end started, and where it is from."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.runs.states import RunState

# A group has as many runs as there are functions in the code; a job has few chains.
MOST_SHOWN = 500
_FAILURES = frozenset({RunState.FAILED, RunState.MISSED})


@dataclass(frozen=True)
class Relatives:
    """The runs around one. `parent` waits for it, `cause` ended and so started it; old ones may be gone."""

    parent: RunRow | None
    cause: RunRow | None
    children: Sequence[RunRow]
    followers: Sequence[RunRow]


def relatives_of(session: Session, run: RunRow) -> Relatives:
    """Everything around a run."""
    ids = [run_id for run_id in (run.parent_run_id, run.cause_run_id) if run_id is not None]
    older = {row.id: row for row in _some(session, run.organization_id, Run.id.in_(ids))} if ids else {}
    return Relatives(
        parent=None if run.parent_run_id is None else older.get(run.parent_run_id),
        cause=None if run.cause_run_id is None else older.get(run.cause_run_id),
        children=list_children(session, organization_id=run.organization_id, run_id=run.id),
        followers=list_followers(session, organization_id=run.organization_id, run_id=run.id),
    )


def list_children(session: Session, *, organization_id: UUID, run_id: UUID) -> list[RunRow]:
    """The runs that a run started and waits for, by the names of their jobs."""
    return _some(session, organization_id, Run.parent_run_id == run_id)


def list_followers(session: Session, *, organization_id: UUID, run_id: UUID) -> list[RunRow]:
    """The runs that the end of a run started, by the names of their jobs."""
    return _some(session, organization_id, Run.cause_run_id == run_id)


def counts_in_words(children: Sequence[RunRow]) -> str:
    """“5 of 7 have ended: 4 succeeded, 1 failed”"""
    ended = [row for row in children if row.is_over]
    succeeded = sum(row.state is RunState.SUCCEEDED for row in ended)
    failed = sum(row.state in _FAILURES for row in ended)
    skipped = sum(row.state is RunState.SKIPPED for row in ended)
    cancelled = len(ended) - succeeded - failed - skipped
    parts = [(succeeded, "succeeded"), (failed, "failed"), (cancelled, "cancelled"), (skipped, "not started")]
    words = ", ".join(f"{number} {word}" for number, word in parts if number)
    return f"{len(ended)} of {len(children)} ended{': ' if words else ''}{words}"


def _some(session: Session, organization_id: UUID, which: ColumnElement[bool]) -> list[RunRow]:
    query = select_runs(organization_id, which).order_by(Run.job_name, Run.id).limit(MOST_SHOWN)
    return [row_of(found) for found in session.execute(query)]
