"""The rows of jobs that are defined in code: made, kept up and marked as left when the code is loaded."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.text import storable
from app.events.service import Topic, append_event
from app.jobs.job_changes import changed_fields
from app.jobs.kinds.base import KindName
from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.declared_policies import DeclaredPolicies
from app.jobs.kinds.code.group_run import group_title
from app.jobs.kinds.code.loading import CodeProblem
from app.jobs.models import Job
from app.jobs.service import DEFAULT_RETRY, DEFAULT_TIME_LIMIT_SECONDS
from app.tenants.access import Actor
from app.tenants.audit import record

# What a database says to a value that it cannot hold, or to a name that somebody took this very moment.
REFUSALS = (IntegrityError, DataError, UnicodeError)
# What the job is called in code that starts all others. No function can be called so, nor like that of a group.
ALL_NAME = "*"
_GROUP_PREFIX = "group:"


_OF_GROUPS = DeclaredPolicies(replace(DEFAULT_RETRY, tries=1))


@dataclass(frozen=True)
class CodeJob:
    """A job as code says it, or one that starts those of a group."""

    code_name: str
    name: str
    description: str
    definition: dict[str, Any]
    source: str
    group: str | None = None
    queue: str | None = None
    time_limit_seconds: int = DEFAULT_TIME_LIMIT_SECONDS
    # What starts others is not tried again: those are, each for itself.
    policies: DeclaredPolicies = _OF_GROUPS

    def columns(self) -> dict[str, Any]:
        """The columns that code decides about."""
        return {
            "name": self.name,
            "description": self.description,
            "kind": KindName.CODE.value,
            "definition": self.definition,
            **self.policies.columns,
            "time_limit_seconds": self.time_limit_seconds,
            "queue": self.queue,
            "code_group": self.group,
            "code_source": self.source,
            "left_code_at": None,
            "deleted_at": None,
        }


@dataclass(frozen=True)
class JobChanges:
    """What loading changed, by name in code, and the id of every job that code has now."""

    ids: dict[str, UUID]
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[CodeProblem, ...] = ()


def group_row_name(group: str) -> str:
    """What the job is called in code that starts the jobs of a group."""
    return f"{_GROUP_PREFIX}{group}"


def is_group_name(code_name: str) -> bool:
    """Whether the job that is called so in code starts others."""
    return code_name == ALL_NAME or code_name.startswith(_GROUP_PREFIX)


def row_of_function(function: CodeFunction) -> CodeJob:
    """The job of a function. Its arguments are the defaults that the code says when it runs."""
    return CodeJob(
        code_name=function.name,
        name=function.name,
        description=f"{function.title}. {function.summary}".strip(),
        definition={"function": function.name, "arguments": {}},
        source=function.source,
        group=function.group,
        queue=function.queue,
        time_limit_seconds=function.timeout_seconds,
        policies=function.policies,
    )


def row_of_group(group: str | None, *, source: str) -> CodeJob:
    """The job that starts the jobs of a group, or all of them. Not tried again: those that it starts are."""
    title = group_title(group)
    name = ALL_NAME if group is None else group_row_name(group)
    return CodeJob(name, title, "Starts a run of each of them, and waits until all are over.", {"group": group}, source)


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or where people took it one beside it."""
    others = (f"{name} (code {number})" for number in count(2))
    return next(each for each in chain((name, f"{name} (code)"), others) if each not in taken)


def put_code_jobs(
    session: Session, *, actor: Actor, wanted: list[CodeJob], keep: frozenset[str] | None, now: datetime
) -> JobChanges:
    """Bring the rows to what code says. Those that it has no longer are marked, unless they are to be kept.

    Without `keep` nothing is known about what is missing, and all of it is kept. What the database refuses is named
    and stays as it was. Expects that nobody does the same meanwhile.
    """
    organization_id = actor.organization_id
    rows = {str(row.code_name): row for row in _code_jobs(session, organization_id)}
    before = {name: (row.id, row.left_code_at) for name, row in rows.items()}
    ids = {one.code_name: before[one.code_name][0] for one in wanted if one.code_name in before}
    added: list[str] = []
    changed: list[str] = []
    refused: list[CodeProblem] = []
    for one in wanted:
        try:
            with session.begin_nested():
                found = _put(session, actor, one, rows.get(one.code_name), now)
        except REFUSALS as error:
            refused.append(CodeProblem(one.source, f"Job “{one.name}”: {why_refused(error)}", job=one.code_name))
            continue
        if found is not None:
            (changed if one.code_name in before else added).append(one.code_name)
            ids[one.code_name] = found
    there = {one.code_name for one in wanted}
    gone = (
        []
        if keep is None
        else [name for name, (_, left) in before.items() if left is None and name not in there | keep]
    )
    for name in gone:
        _change(session, actor, rows[name], {"left_code_at": now}, now)
    return JobChanges(ids, tuple(added), tuple(changed), tuple(gone), tuple(refused))


def why_refused(error: Exception) -> str:
    """What the database said about a definition, and what to do."""
    said = storable(str(getattr(error, "orig", error)).splitlines()[0])
    return f"The database refused it: {said}. Mend that, or if it is fine, run: belfry jobs sync"


def _put(session: Session, actor: Actor, one: CodeJob, row: Job | None, now: datetime) -> UUID | None:
    """Make a job, or bring it to what code says. Returns its id; None where it is so already."""
    # Asked each time: people make jobs meanwhile.
    columns = one.columns() | {"name": free_name(one.name, _names_of_people(session, actor.organization_id))}
    if row is None:
        return _add(session, actor, one, columns, now)
    if all(getattr(row, name) == value for name, value in columns.items()):
        return None
    _change(session, actor, row, columns, now)
    return row.id


def _code_jobs(session: Session, organization_id: UUID) -> list[Job]:
    query = select(Job).where(Job.organization_id == organization_id, Job.code_name.is_not(None))
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _names_of_people(session: Session, organization_id: UUID) -> set[str]:
    here = Job.organization_id == organization_id, Job.code_name.is_(None), Job.deleted_at.is_(None)
    return set(session.scalars(select(Job.name).where(*here)))


def _add(session: Session, actor: Actor, one: CodeJob, columns: dict[str, Any], now: datetime) -> UUID:
    here = actor.organization_id
    job = Job(id=new_id(), organization_id=here, code_name=one.code_name, created_at=now, updated_at=now, **columns)
    session.add(job)
    session.flush()
    _note(session, here, job.id, "job.created", now)
    return job.id


def _change(session: Session, actor: Actor, row: Job, columns: dict[str, Any], now: datetime) -> None:
    changes = _changed(row, columns)
    query = update(Job).where(Job.id == row.id, Job.organization_id == row.organization_id)
    session.execute(query.values(**columns, revision=Job.revision + 1, updated_at=now))
    # Where only its place in the code is another one, nothing changed for anybody.
    if changes:
        record(
            session, actor=actor, action="job.revised", subject_kind="job", subject_id=row.id,
            summary=f"A new version of the code changed job “{row.name}”", changes=changes, now=now,
        )  # fmt: skip
    _note(session, row.organization_id, row.id, "job.revised", now)


def _changed(row: Job, columns: dict[str, Any]) -> dict[str, list[Any]]:
    before = {name: getattr(row, name) for name in columns}
    found = changed_fields(before, columns, does=("", "")) if "definition" in columns else {}
    was_there, is_there = row.left_code_at is None, columns["left_code_at"] is None
    return found if was_there == is_there else found | {"in_code": [was_there, is_there]}


def _note(session: Session, organization_id: UUID, job_id: UUID, kind: str, now: datetime) -> None:
    append_event(session, organization_id=organization_id, topic=Topic.JOBS, kind=kind, subject_id=job_id, now=now)
