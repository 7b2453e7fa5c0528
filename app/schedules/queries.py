"""Reads of schedules, as frozen rows. Every one is scoped to an organization, unless its name says otherwise."""

import json
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, String, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session, defer

from app.core.db import OUTAGES
from app.core.errors import NotFound
from app.core.questions import Question, ask
from app.jobs.models import Job, connection_of_job
from app.schedules.clock_changes import ClockChange
from app.schedules.code_origin import CodeOrigin, origin_of
from app.schedules.connection_pauses import is_paused_for_connection, is_paused_for_refusal
from app.schedules.models import Schedule, is_planned
from app.schedules.policies import Missed, Overlap
from app.schedules.stops import is_stopped
from app.schedules.tags import clean_tag

_Query = Select[Schedule, str, str, str | None, datetime | None, str | None]
Word = TypeVar("Word", bound=StrEnum)

log = logging.getLogger(__name__)

NO_TIME_TO_READ = (
    "The time of the next run cannot be read. A running scheduler works it out again by itself, "
    "and the schedule's history says so."
)


class ScheduleNotFound(NotFound):
    """No such schedule in this organization."""


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule as pages and commands see it."""

    id: UUID
    organization_id: UUID
    job_id: UUID
    job_name: str
    name: str
    cron: str
    timezone: str
    spread_key: str
    overlap: Overlap
    missed: Missed
    missed_max_age_seconds: int
    enabled: bool
    problem: str | None
    cursor: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    job_kind: str
    # Since when the job is no longer in the code.
    job_left_at: datetime | None
    service: str | None
    default_for: str | None
    missed_limit: int
    switched_at: datetime | None
    switched_by: str | None
    made_by: str | None
    notes: str
    code: CodeOrigin | None
    has_seconds: bool = False
    clock_change: ClockChange = ClockChange.ONCE
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    tags: tuple[str, ...] = ()
    # Whose it is. An address without an id is that of an owner who left.
    owner_id: UUID | None = None
    owner: str | None = None
    # Of those that are deleted: since when, by whom, and whether they were on.
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    was_enabled: bool | None = None
    # What its job reads from; None for jobs that are no syncs, and for those that have no connection yet.
    connection_id: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it was made switched off, by no person, and nobody has switched it on yet."""
        is_by_itself = self.default_for is not None or self.code is not None
        return not self.enabled and self.switched_at is None and is_by_itself

    @property
    def is_paused_for_connection(self) -> bool:
        """Whether it was switched off because its connection cannot be read."""
        return is_paused_for_connection(enabled=self.enabled, switched_by=self.switched_by)

    @property
    def is_paused_for_refusal(self) -> bool:
        """Whether that was because the service refused the login of its connection."""
        return is_paused_for_refusal(enabled=self.enabled, switched_by=self.switched_by)

    @property
    def next_run_at(self) -> datetime | None:
        """When it runs next; None while it is switched off or cannot be read, because then it does not."""
        return self.cursor if self.enabled and self.problem is None else None


@dataclass(frozen=True)
class ScheduleFilter:
    """What a list of schedules is narrowed to."""

    job_id: UUID | None = None
    service: str | None = None
    is_enabled: bool | None = None
    tag: str | None = None
    # Those among which it looks; any where none are named.
    ids: Collection[UUID] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What the filter demands of a schedule and its job."""
        found: list[ColumnElement[bool]] = []
        if self.ids is not None:
            found.append(Schedule.id.in_(self.ids))
        if self.job_id is not None:
            found.append(Schedule.job_id == self.job_id)
        if self.service is not None:
            found.append(Job.service == self.service)
        if self.is_enabled is not None:
            found.append(Schedule.enabled.is_(self.is_enabled))
        if self.tag is not None:
            found.append(_has_tag(self.tag))
        return found


def list_schedules(session: Session, *, organization_id: UUID, tag: str | None = None) -> list[ScheduleRow]:
    """All schedules of an organization, or those with a tag, by name."""
    query = _schedules_of(organization_id).where(*ScheduleFilter(tag=tag).conditions()).order_by(Schedule.name)
    return _read(session, query)


def list_some_schedules(
    session: Session,
    *,
    organization_id: UUID,
    schedule_filter: ScheduleFilter,
    limit: int,
    after: tuple[str, UUID] | None = None,
) -> list[ScheduleRow]:
    """The next schedules by name behind the name and id of the last one that was shown."""
    query = _schedules_of(organization_id).where(*schedule_filter.conditions())
    if after is not None:
        query = query.where(tuple_(Schedule.name, Schedule.id) > after)
    return _read(session, query.order_by(Schedule.name, Schedule.id).limit(limit))


def list_these_schedules(session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID]) -> list[ScheduleRow]:
    """Those of these schedules that there are, in the order of the ids."""
    if not schedule_ids:
        return []
    rows = _read(session, _schedules_of(organization_id).where(Schedule.id.in_(schedule_ids)))
    return sorted(rows, key=lambda row: schedule_ids.index(row.id))


def list_schedules_of_job(session: Session, *, organization_id: UUID, job_id: UUID) -> list[ScheduleRow]:
    """The schedules of one job, by name."""
    query = _schedules_of(organization_id).where(Schedule.job_id == job_id).order_by(Schedule.name)
    return _read(session, query)


def get_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID) -> ScheduleRow:
    """One schedule. Raises ScheduleNotFound, also for a schedule of somebody else."""
    found = _read(session, _schedules_of(organization_id).where(Schedule.id == schedule_id))
    if not found:
        raise ScheduleNotFound("There is no such schedule here. It may have been deleted.")
    return found[0]


def list_deleted_schedules(
    session: Session, *, organization_id: UUID, since: datetime, schedule_ids: Collection[UUID] | None = None,
    limit: int | None = None, before: tuple[datetime, UUID] | None = None,
) -> list[ScheduleRow]:  # fmt: skip
    """Those that were deleted after an instant, the last one first; of some alone, or behind one that was seen."""
    query = _schedules_of(organization_id, deleted=True).where(Schedule.deleted_at > since)
    if schedule_ids is not None:
        query = query.where(Schedule.id.in_(schedule_ids))
    if before is not None:
        query = query.where(tuple_(Schedule.deleted_at, Schedule.id) < before)
    return _read(session, query.order_by(Schedule.deleted_at.desc(), Schedule.id.desc()).limit(limit))


def find_schedules(session: Session, *, organization_id: UUID, name: str) -> list[ScheduleRow]:
    """The schedules that somebody may mean by a name or an id: one, none, or one whose name is the id of another."""
    wanted = Schedule.name == name.strip()
    with suppress(ValueError):
        wanted = or_(wanted, Schedule.id == UUID(name.strip()))
    return _read(session, _schedules_of(organization_id).where(wanted).order_by(Schedule.id))


def lock_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID) -> None:
    """Let nobody else change a schedule until this is committed. SQLite has one writer at a time anyway."""
    query = select(Schedule.id).where(Schedule.id == schedule_id, Schedule.organization_id == organization_id)
    session.execute(query.with_for_update(key_share=True))


def earliest_due_across_tenants(session: Session) -> datetime | None:
    """When the next slot of any schedule comes: how long a scheduler may sleep. None while scheduling is stopped."""
    return ask(session, earliest_due())


def earliest_due() -> Question[datetime | None]:
    """The same as a question."""
    query = select(func.min(Schedule.next_run_at)).where(*is_planned(), ~is_stopped())
    return Question(query, lambda rows: rows[0][0])


def _has_tag(tag: str) -> ColumnElement[bool]:
    # A tag holds no character that JSON or LIKE would write otherwise, so it stands in the stored text as it is.
    return cast(Schedule.tags, String).contains(json.dumps(clean_tag(tag)), autoescape=True)


def _schedules_of(organization_id: UUID, *, deleted: bool = False) -> _Query:
    is_wanted = Schedule.deleted_at.is_not(None) if deleted else Schedule.deleted_at.is_(None)
    return (
        select(Schedule, Job.name, Job.kind, Job.service, Job.left_code_at, connection_of_job())
        .join(Job, (Job.id == Schedule.job_id) & (Job.organization_id == Schedule.organization_id))
        .where(Schedule.organization_id == organization_id, is_wanted)
    )


def _read(session: Session, query: _Query) -> list[ScheduleRow]:
    try:
        return [_row(found, found[0].next_run_at) for found in session.execute(query).all()]
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001 - what cannot be read is shown with its problem
        log.error("a schedule's next time cannot be read", extra={"problem": repr(error)})
    # An instant that no calendar holds fails as soon as the driver meets it, so now the times are read one by one.
    rows = session.execute(query.options(defer(Schedule.next_run_at, raiseload=True))).all()
    return [_read_singly(session, found) for found in rows]


def _read_singly(
    session: Session, found: Row[Schedule, str, str, str | None, datetime | None, str | None]
) -> ScheduleRow:
    try:
        cursor = session.scalar(select(Schedule.next_run_at).where(Schedule.id == found[0].id))
    except OUTAGES:
        raise
    except Exception:  # noqa: BLE001 - said above
        row = _row(found, None)
        return row if row.problem else replace(row, problem=NO_TIME_TO_READ)
    return _row(found, cursor)


def _row(
    found: Row[Schedule, str, str, str | None, datetime | None, str | None], cursor: datetime | None
) -> ScheduleRow:
    schedule, job_name, job_kind, service, job_left_at, connection_id = found
    return ScheduleRow(
        id=schedule.id,
        organization_id=schedule.organization_id,
        job_id=schedule.job_id,
        job_name=job_name,
        name=schedule.name,
        cron=schedule.cron,
        timezone=schedule.timezone,
        spread_key=schedule.spread_key,
        overlap=_known(Overlap, schedule.overlap, Overlap.SKIP),
        missed=_known(Missed, schedule.missed, Missed.SKIP),
        missed_max_age_seconds=schedule.missed_max_age_seconds,
        enabled=schedule.enabled,
        problem=schedule.problem,
        cursor=cursor,
        version=schedule.version,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
        job_kind=job_kind,
        job_left_at=job_left_at,
        service=service,
        default_for=schedule.default_for,
        missed_limit=schedule.missed_limit,
        switched_at=schedule.switched_at,
        switched_by=schedule.switched_by,
        made_by=schedule.made_by,
        notes=schedule.notes,
        code=origin_of(
            schedule.code_id,
            source=schedule.code_source,
            says=schedule.code_says,
            overrides=schedule.code_overrides,
            left_at=schedule.left_code_at,
        ),
        has_seconds=schedule.has_seconds,
        clock_change=_known(ClockChange, schedule.clock_change, ClockChange.ONCE),
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        tags=tuple(schedule.tags),
        owner_id=schedule.owner_id,
        owner=schedule.owner,
        deleted_at=schedule.deleted_at,
        deleted_by=schedule.deleted_by,
        was_enabled=schedule.was_enabled,
        connection_id=connection_id,
    )


def _known(values: type[Word], stored: str, otherwise: Word) -> Word:
    # A word of another version must not take the whole list with it; the planner sets such a schedule aside.
    return values(stored) if stored in set(values) else otherwise
