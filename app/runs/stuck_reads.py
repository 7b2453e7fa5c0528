"""What is known of runs that a worker holds: since when, under which token, and how long their jobs usually take."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Subquery, func, literal, select, true
from sqlalchemy.orm import aliased

from app.core.columns import UTCDateTime
from app.core.questions import Question
from app.core.ranks import nearest_rank
from app.core.seconds import SecondsBetween
from app.runs.models import Attempt, Run, in_state
from app.runs.states import RunState
from app.runs.usual import FEWEST

# So many of a job's newest runs say how long it takes.
_LOOKED_AT = 200
MOST_HELD = 1_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Made once: to make one takes longer than all else of a statement.
_PAST, _NTH = aliased(Run, name="past"), aliased(Run, name="nth")


@dataclass(frozen=True)
class HeldRun:
    """A run in a worker's hands. `began_at` is when the present try began."""

    run_id: UUID
    organization_id: UUID
    job_id: UUID
    job_name: str
    schedule_id: UUID | None
    token: int
    worker: str
    began_at: datetime


@dataclass(frozen=True)
class JobLength:
    """How long the good runs of a job take: the half of them no longer than the one, nearly all than the other."""

    typical: timedelta
    p95: timedelta


@dataclass(frozen=True)
class Held:
    """Which runs in workers' hands: of one organization or, as PLATFORM, of all; of these ids, or the longest thousand.

    Lengths are asked for of jobs whose runs began before `long_since`; None for all of these.
    """

    organization_id: UUID | None
    run_ids: Collection[UUID] | None = None
    long_since: datetime | None = None


def held_runs(which: Held) -> Question[list[HeldRun]]:
    """Those that run now, the longest first."""
    columns = (
        Run.id, Run.organization_id, Run.job_id, Run.job_name, Run.schedule_id, Run.token, Attempt.worker,
        Attempt.started_at,
    )  # fmt: skip
    query = _held(which, *columns).order_by(Attempt.started_at).limit(MOST_HELD)
    return Question(query, lambda rows: [HeldRun(*row) for row in rows])


def lengths_of_held(which: Held, *, asks_postgres: bool) -> Question[dict[UUID, JobLength]]:
    """How long the runs of their jobs take that went well at the first try. Jobs with fewer than three are left out."""
    began = () if which.long_since is None else (Attempt.started_at < which.long_since,)
    jobs = _held(which, Run.job_id.label("id")).where(*began).distinct().limit(MOST_HELD).subquery("held_jobs")
    newest = _beside_each(jobs) if asks_postgres else _not_before_nth(jobs)
    some = newest.subquery("some").c
    went_well = some.state == RunState.SUCCEEDED.value, some.attempt <= 1, some.took.is_not(None)
    return Question(select(some.job_id, some.took).where(*went_well), _lengths)


def _held(which: Held, *columns: Any) -> Select[*tuple[Any, ...]]:
    this_try = (Attempt.run_id == Run.id) & (Attempt.token == Run.token)
    query = select(*columns).join(Attempt, this_try).where(in_state(RunState.RUNNING))
    if which.organization_id is not None:
        query = query.where(Run.organization_id == which.organization_id)
    return query if which.run_ids is None else query.where(Run.id.in_(which.run_ids))


def _beside_each(jobs: Subquery) -> Select[*tuple[Any, ...]]:
    """The newest runs of each job, read job by job."""
    took = SecondsBetween(_PAST.finished_at, _PAST.started_at).label("took")
    mine = select(_PAST.job_id, _PAST.state, _PAST.attempt, took).where(_PAST.job_id == jobs.c.id)
    newest = mine.order_by(_PAST.created_at.desc()).limit(_LOOKED_AT).lateral("newest")
    return select(newest).select_from(jobs).join(newest, true())


def _not_before_nth(jobs: Subquery) -> Select[*tuple[Any, ...]]:
    """The same where a table cannot be read beside another one."""
    made_at = select(_NTH.created_at).where(_NTH.job_id == jobs.c.id).order_by(_NTH.created_at.desc())
    edge = made_at.offset(_LOOKED_AT - 1).limit(1).scalar_subquery()
    # Without an “or”, which would keep the index from being used: a job with fewer runs has no edge.
    is_new = _PAST.created_at >= func.coalesce(edge, literal(_LONG_AGO, UTCDateTime()))
    took = SecondsBetween(_PAST.finished_at, _PAST.started_at).label("took")
    found = select(_PAST.job_id, _PAST.state, _PAST.attempt, took)
    return found.select_from(jobs).join(_PAST, _PAST.job_id == jobs.c.id).where(is_new)


def _lengths(rows: Sequence[Any]) -> dict[UUID, JobLength]:
    lengths: dict[UUID, list[float]] = defaultdict(list)
    for job_id, took in rows:
        lengths[job_id].append(float(took))
    return {job_id: _length_of(found) for job_id, found in lengths.items() if len(found) >= FEWEST}


def _length_of(lengths: list[float]) -> JobLength:
    return JobLength(*(timedelta(milliseconds=round(nearest_rank(lengths, percent) * 1000)) for percent in (50, 95)))
