"""Chains: that a job starts another one when a run of it has ended. What opens the runs is in app.runs.chains."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.jobs.chain_graph import count_most_starts, find_way_back
from app.jobs.given_arguments import GivenArguments, checked_arguments
from app.jobs.kinds.base import DefinitionInvalid, JobKinds, KindName
from app.jobs.kinds.code.kind import is_group
from app.jobs.models import Job, JobChain
from app.jobs.policies import ChainOutcome
from app.jobs.queries import JobRow, get_job, lock_job, why_gone
from app.tenants.access import Actor, Permission, require
from app.tenants.organizations import lock_organization

# One run of a job starts at most so many others, those that these start included.
MOST_STARTS = 1_000
_BACK = "Put it back there, or remove the chain."


class ChainNotFound(NotFound):
    """No such chain on this job."""


class ChainExists(Conflict):
    """The job starts that other one after this end already."""


class ChainInvalid(Invalid):
    """The chain would never end, or its parameters do not fit."""


@dataclass(frozen=True)
class ChainDraft:
    """What a person says about a chain. `parameters` are arguments that take the place of the other job's own."""

    job_id: UUID
    outcome: ChainOutcome
    then_job_id: UUID
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChainRow:
    """A chain with the names of its two jobs."""

    id: UUID
    job_id: UUID
    job_name: str
    outcome: ChainOutcome
    then_job_id: UUID
    then_job_name: str
    parameters: dict[str, Any]
    created_at: datetime
    # Why it starts nothing any more, and what to do; nothing while it does.
    problem: str | None = None

    @property
    def words(self) -> str:
        """“Nightly sync” → “Report” on success"""
        return f"“{self.job_name}” → “{self.then_job_name}” on {self.outcome.value}"


def list_chains(session: Session, *, organization_id: UUID, job_id: UUID) -> list[ChainRow]:
    """What a job starts, by when and what. Raises JobNotFound."""
    get_job(session, organization_id=organization_id, job_id=job_id)
    return _rows(session, organization_id, JobChain.job_id == job_id)


def list_chains_onto(session: Session, *, organization_id: UUID, job_id: UUID) -> list[ChainRow]:
    """What starts a job."""
    return _rows(session, organization_id, JobChain.then_job_id == job_id)


def add_chain(session: Session, *, actor: Actor, kinds: JobKinds, draft: ChainDraft, now: datetime) -> UUID:
    """Let a job start another one. Returns the chain's id.

    Raises ChainInvalid, naming the way, when a job would then start itself; ChainExists; JobNotFound for a job that is
    deleted or somebody else's; DefinitionInvalid when the other job cannot take the parameters.
    """
    require(actor, Permission.EDIT_JOBS)
    # One at a time, or two could each close half of a circle without seeing the other half. Neither job is deleted
    # meanwhile: who deletes it takes its chains away, and would not see this one.
    lock_organization(session, organization_id=actor.organization_id)
    for job_id in sorted({draft.job_id, draft.then_job_id}):
        lock_job(session, organization_id=actor.organization_id, job_id=job_id)
    job, then = (_job(session, actor, draft, name) for name in ("job_id", "then_job_id"))
    _refuse_what_left(job, then)
    _refuse_group(then)
    _refuse_endless(session, actor.organization_id, draft, {job.id: job.name, then.id: then.name})
    chain = JobChain(
        id=new_id(), organization_id=actor.organization_id, job_id=job.id, outcome=draft.outcome.value,
        then_job_id=then.id, parameters=_checked(actor, kinds, then, draft.parameters), created_at=now,
    )  # fmt: skip
    session.add(chain)
    try:
        session.flush()
    except IntegrityError as error:
        message = f"“{job.name}” starts “{then.name}” on {draft.outcome.value} already. Remove that chain first."
        raise ChainExists(message, field="then_job_id") from error
    said = f"Let “{job.name}” start “{then.name}” on {draft.outcome.value}"
    _note(
        session, actor, job.id, "chained", said, now, [None, _chain_words(then.name, draft.outcome, chain.parameters)]
    )
    return chain.id


def remove_chain(session: Session, *, actor: Actor, job_id: UUID, chain_id: UUID, now: datetime) -> ChainRow:
    """Let a job no longer start another one. Returns what it was. Raises ChainNotFound."""
    require(actor, Permission.EDIT_JOBS)
    found = _rows(session, actor.organization_id, JobChain.job_id == job_id, JobChain.id == chain_id)
    gone = session.scalar(delete(JobChain).where(JobChain.id == chain_id).returning(JobChain.id)) if found else None
    if gone is None:
        raise ChainNotFound("There is no such chain on this job. Somebody may have removed it.")
    _note_removal(session, actor, found[0], "", now)
    return found[0]


def forget_chains(session: Session, *, actor: Actor, job: JobRow, now: datetime) -> None:
    """Take every chain from and onto a job away that is being deleted, and say so."""
    of_job = or_(JobChain.job_id == job.id, JobChain.then_job_id == job.id)
    rows = _rows(session, actor.organization_id, of_job)
    session.execute(delete(JobChain).where(JobChain.id.in_([row.id for row in rows])))
    for row in rows:
        _note_removal(session, actor, row, f", because “{job.name}” was deleted", now)


def _job(session: Session, actor: Actor, draft: ChainDraft, field_name: str) -> JobRow:
    return get_job(session, organization_id=actor.organization_id, job_id=getattr(draft, field_name))


def why_not_started(
    name: str, *, kind: str, definition: Mapping[str, Any], left_code_at: datetime | None
) -> str | None:
    """Why a chain does not start this job; None where it does."""
    if left_code_at is not None:
        return (
            f"“{name}” is no longer in the code, since {left_code_at:%Y-%m-%d %H:%M} UTC, so it is not started. {_BACK}"
        )
    # Which jobs it starts, and so where it leads, any later code may say: a circle could close without a new chain.
    if kind == KindName.CODE and is_group(definition):
        return (
            f"“{name}” starts other jobs, which could start it again for ever, so it is not started. Remove the chain."
        )
    return None


def _refuse_what_left(job: JobRow, then: JobRow) -> None:
    for each, field_name in ((job, "job_id"), (then, "then_job_id")):
        why = why_gone(each.name, deleted_at=None, left_code_at=each.left_code_at, source=each.code_source)
        if why is not None:
            raise ChainInvalid(why, field=field_name)


def _refuse_group(then: JobRow) -> None:
    if then.kind is KindName.CODE and is_group(then.definition):
        raise ChainInvalid(
            f"“{then.name}” starts other jobs, which could start it again for ever. Choose one of those jobs.",
            field="then_job_id",
        )


def _refuse_endless(session: Session, organization_id: UUID, draft: ChainDraft, names: dict[UUID, str]) -> None:
    chains = _graph(session, organization_id)
    circle = find_way_back(chains, job=draft.job_id, then=draft.then_job_id)
    if circle is not None:
        found = session.execute(select(Job.id, Job.name).where(Job.id.in_(circle)))
        names |= {row.id: row.name for row in found}
        way = " → ".join(names[job_id] for job_id in circle)
        raise ChainInvalid(f"{way} would start itself for ever. Choose another job.", field="then_job_id")
    chains[draft.job_id][draft.outcome] |= {draft.then_job_id}
    # Without circles there can still be too many: two jobs that each start two jobs, and so on.
    most = count_most_starts(chains)
    if most > MOST_STARTS:
        message = f"One run could then start {most:,} others, one after the other. {MOST_STARTS:,} are the most."
        raise ChainInvalid(message, field="then_job_id")


def _graph(session: Session, organization_id: UUID) -> dict[UUID, dict[ChainOutcome, frozenset[UUID]]]:
    graph: dict[UUID, dict[ChainOutcome, frozenset[UUID]]] = defaultdict(lambda: defaultdict(frozenset))
    links = select(JobChain.job_id, JobChain.outcome, JobChain.then_job_id)
    for job_id, outcome, then_job_id in session.execute(links.where(JobChain.organization_id == organization_id)):
        graph[job_id][ChainOutcome(outcome)] |= {then_job_id}
    return graph


def _checked(actor: Actor, kinds: JobKinds, then: JobRow, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if not parameters:
        return {}
    try:
        return checked_arguments(actor, then, GivenArguments(parameters, kinds))
    except DefinitionInvalid as error:
        raise ChainInvalid(
            f"“{then.name}” cannot take these parameters. {error.message}", field="parameters"
        ) from error


def _rows(session: Session, organization_id: UUID, *which: ColumnElement[bool]) -> list[ChainRow]:
    return [
        ChainRow(
            id=chain.id, job_id=chain.job_id, job_name=job_name, outcome=ChainOutcome(chain.outcome),
            then_job_id=chain.then_job_id, then_job_name=then_name, parameters=chain.parameters,
            created_at=chain.created_at,
            problem=_problem(job_name, job_left_at, then_name, *then),
        )
        for chain, job_name, job_left_at, then_name, *then in session.execute(
            _select_chains(organization_id, which)
        ).all()
    ]  # fmt: skip


def _problem(
    name: str,
    left_at: datetime | None,
    then_name: str,
    then_left_at: datetime | None,
    kind: str,
    definition: Mapping[str, Any],
) -> str | None:
    if left_at is not None:
        return f"“{name}” is no longer in the code, since {left_at:%Y-%m-%d %H:%M} UTC, so it starts nothing. {_BACK}"
    return why_not_started(then_name, kind=kind, definition=definition, left_code_at=then_left_at)


def _select_chains(organization_id: UUID, which: Sequence[ColumnElement[bool]]) -> Select[Any]:
    then = aliased(Job)
    return (
        select(JobChain, Job.name, Job.left_code_at, then.name, then.left_code_at, then.kind, then.definition)
        .join(Job, Job.id == JobChain.job_id)
        .join(then, then.id == JobChain.then_job_id)
        .where(JobChain.organization_id == organization_id, *which)
        .order_by(JobChain.outcome.desc(), Job.name, then.name)
    )


def _note_removal(session: Session, actor: Actor, row: ChainRow, why: str, now: datetime) -> None:
    change = [_chain_words(row.then_job_name, row.outcome, row.parameters), None]
    _note(session, actor, row.job_id, "unchained", f"Removed the chain {row.words}{why}", now, change)


def _chain_words(then_name: str, outcome: ChainOutcome, parameters: Mapping[str, Any]) -> str:
    given = f", with {json.dumps(parameters, ensure_ascii=False)}" if parameters else ""
    return f"“{then_name}” on {outcome.value}{given}"


def _note(
    session: Session, actor: Actor, job_id: UUID, verb: str, summary: str, now: datetime, change: list[str | None]
) -> None:
    record_change(
        session, actor=actor, topic=Topic.JOBS, action=f"job.{verb}", subject_id=job_id, summary=summary, now=now,
        changes={"chain": change},
    )  # fmt: skip
