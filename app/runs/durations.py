"""How long runs usually take, from those that ended well lately. Medians: one stuck run must not move them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.core.columns import UTCDateTime
from app.core.questions import Question, ask, is_postgres
from app.core.ranks import middle_of
from app.core.seconds import SecondsBetween
from app.jobs.models import Job
from app.runs.models import Run
from app.runs.states import RunState
from app.runs.usual import FEWEST

_LATELY = 50
# In a list each of many jobs is asked for, and one good run less or more changes little.
_LATELY_IN_LISTS = 20
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def typical_of_job(session: Session, *, organization_id: UUID, job_id: UUID) -> timedelta | None:
    """What a run of the job usually takes; None where too few have ended."""
    return _median(session, Run.created_at, Run.organization_id == organization_id, Run.job_id == job_id)


def typical_of_organization(session: Session, *, organization_id: UUID) -> timedelta | None:
    """What a run in the organization usually takes; None where too few have ended."""
    return _median(session, Run.finished_at, Run.organization_id == organization_id, Run.finished_at.is_not(None))


def typical_of_jobs(session: Session, *, organization_id: UUID, job_ids: Iterable[UUID]) -> dict[UUID, timedelta]:
    """What runs of these jobs usually take, of those that ended well among the last twenty. One statement.

    Jobs of which fewer than three did are left out.
    """
    wanted = sorted(set(job_ids))
    here: dict[str, Any] = {"organization_id": organization_id, "job_ids": wanted}
    return ask(session, typical_lengths(**here, asks_postgres=is_postgres(session))) if wanted else {}


def typical_lengths(
    *, organization_id: UUID, job_ids: Iterable[UUID], asks_postgres: bool
) -> Question[dict[UUID, timedelta]]:
    """The same as a question, of one job at least."""
    query = _beside_each() if asks_postgres else _not_before_nth()
    return Question(query.where(Job.organization_id == organization_id, Job.id.in_(sorted(set(job_ids)))), _typical)


def _typical(rows: Sequence[Any]) -> dict[UUID, timedelta]:
    lengths: dict[UUID, list[float]] = defaultdict(list)
    for job_id, state, seconds in rows:
        if state == RunState.SUCCEEDED.value and seconds is not None:
            lengths[job_id].append(float(seconds))
    return {job_id: _middle(found) for job_id, found in lengths.items() if len(found) >= FEWEST}


_TOOK = SecondsBetween(Run.finished_at, Run.started_at).label("seconds")


def _beside_each() -> Select[*tuple[Any, ...]]:
    """Read job by job, which without figures about its tables this database would not think of by itself."""
    mine = select(Run.state, _TOOK).where(Run.job_id == Job.id)
    last = mine.order_by(Run.created_at.desc()).limit(_LATELY_IN_LISTS).lateral()
    return select(Job.id, last.c.state, last.c.seconds).join(last, true())


def _not_before_nth() -> Select[*tuple[Any, ...]]:
    """The same where a table cannot be read beside another one. What is compared with nothing is never true."""
    nth = aliased(Run)
    made_at = select(nth.created_at).where(nth.job_id == Job.id).order_by(nth.created_at.desc())
    edge = made_at.offset(_LATELY_IN_LISTS - 1).limit(1).scalar_subquery()
    # Without an “or”, which would keep the index from being used: a job with fewer runs has no edge.
    is_recent = Run.created_at >= func.coalesce(edge, literal(_LONG_AGO, UTCDateTime()))
    return select(Job.id, Run.state, _TOOK).join_from(Job, Run, Run.job_id == Job.id).where(is_recent)


def _middle(seconds: Sequence[float]) -> timedelta:
    # A file keeps fractions of a day, which come out a few microseconds short.
    return timedelta(milliseconds=round(middle_of(seconds) * 1000))


def _median(session: Session, newest: InstrumentedAttribute[Any], *which: ColumnElement[bool]) -> timedelta | None:
    # The last runs of whichever state, by an index: behind a job that only fails lies a long history.
    last = select(Run.state, Run.started_at, Run.finished_at).where(*which).order_by(newest.desc()).limit(_LATELY)
    found = [
        (finished_at - started_at).total_seconds()
        for state, started_at, finished_at in session.execute(last)
        if state == RunState.SUCCEEDED.value and started_at is not None and finished_at is not None
    ]
    return _middle(found) if found else None
