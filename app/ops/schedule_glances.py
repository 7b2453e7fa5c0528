"""All schedules of an organization at a glance: just enough of each to count, search, filter and order them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, case, cast, select
from sqlalchemy.orm import Session

from app.core.db import OUTAGES
from app.core.questions import Question, ask
from app.jobs.kinds.sync.connection import needs_connection
from app.jobs.models import Job, connection_of_job
from app.ops.last_ends import last_end
from app.ops.schedule_health import OVER, ScheduleHealth, ScheduleStatus, health_of
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.schedules.connection_pauses import is_paused_for_connection, is_paused_for_refusal
from app.schedules.models import Schedule
from app.schedules.owners import NOBODY
from app.schedules.policies import LATE_AFTER
from app.schedules.queries import list_schedules
from app.schedules.stops import current_stop

_STATES: dict[str | None, RunState | None] = {None: None} | {state.value: state for state in OVER}


class Glance(NamedTuple):
    """One schedule. `next_run_at` is None while it does not run by itself."""

    id: UUID
    name: str
    enabled: bool
    tags: tuple[str, ...]
    service: str | None
    # The address of whose it is.
    owner: str | None
    # Whether it came with the organization.
    is_default: bool
    next_run_at: datetime | None
    health: ScheduleHealth
    timezone: str = "UTC"
    # Why it cannot run, if it cannot.
    problem: str | None = None


@dataclass(frozen=True)
class GlanceFilter:
    """What a list is narrowed to. Nothing of it is empty in the list of all."""

    query: str = ""
    status: ScheduleStatus | None = None
    tag: str = ""
    service: str = ""
    # The address of whose it is; NOBODY for those without an owner.
    owner: str = ""

    @property
    def is_empty(self) -> bool:
        return self == GlanceFilter()

    def takes(self, one: Glance) -> bool:
        """Whether a schedule belongs into the list."""
        return (
            (not self.query or self.query.strip().casefold() in one.name.casefold())
            and (self.status is None or self.status.takes(enabled=one.enabled, health=one.health))
            and (not self.tag or self.tag in one.tags)
            and (not self.service or one.service == self.service)
            and (not self.owner or one.owner == (None if self.owner == NOBODY else self.owner))
        )


def read_glances(
    session: Session, *, organization_id: UUID, now: datetime, is_stopped: bool, schedule_ids: Sequence[UUID] = ()
) -> list[Glance]:
    """Each schedule of the organization, or each of those. One statement, unless a time cannot be read."""
    query = _query(organization_id, now)
    if schedule_ids:
        query = query.where(Schedule.id.in_(schedule_ids))
    facts: dict[str, Any] = {"now": now, "is_stopped": is_stopped}
    try:
        rows = session.execute(query.add_columns(Schedule.next_run_at)).all()
        return [_glance(row, cursor=row.next_run_at, problem=row.problem, **facts) for row in rows]
    except OUTAGES:
        raise
    except Exception:  # noqa: BLE001 - an instant that no calendar holds: whose it is, is found out one by one
        singly = {row.id: row for row in list_schedules(session, organization_id=organization_id)}
    return [
        _glance(row, cursor=singly[row.id].cursor, problem=singly[row.id].problem, **facts)
        for row in session.execute(query)
    ]


def failed_before(session: Session, *, schedule_ids: Sequence[UUID], moment: datetime) -> frozenset[UUID]:
    """Those of these schedules whose last run before a moment had failed or was missed. One statement, or none."""
    return ask(session, failing_before(schedule_ids, moment)) if schedule_ids else frozenset()


def failing_before(schedule_ids: Sequence[UUID], moment: datetime) -> Question[frozenset[UUID]]:
    """The same as a question."""
    query = select(Schedule.id, last_end(before=moment).label("last")).where(Schedule.id.in_(schedule_ids))
    bad = {RunState.FAILED.value, RunState.MISSED.value}
    return Question(query, lambda rows: frozenset(row.id for row in rows if row.last in bad))


def matching_schedules(
    session: Session, *, organization_id: UUID, wanted: GlanceFilter, now: datetime
) -> frozenset[UUID]:
    """The ids of the schedules that a filter takes."""
    is_stopped = current_stop(session) is not None
    found = read_glances(session, organization_id=organization_id, now=now, is_stopped=is_stopped)
    return frozenset(one.id for one in found if wanted.takes(one))


def matching_in_order(session: Session, *, organization_id: UUID, wanted: GlanceFilter, now: datetime) -> list[UUID]:
    """The same in the order in which the list shows them."""
    is_stopped = current_stop(session) is not None
    found = read_glances(session, organization_id=organization_id, now=now, is_stopped=is_stopped)
    return [one.id for one in by_attention(one for one in found if wanted.takes(one))]


def health_of_schedules(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], now: datetime
) -> dict[UUID, ScheduleHealth]:
    """How each of these schedules fares."""
    if not schedule_ids:
        return {}
    found = read_glances(
        session,
        organization_id=organization_id,
        now=now,
        is_stopped=current_stop(session) is not None,
        schedule_ids=schedule_ids,
    )
    return {one.id: one.health for one in found}


def by_attention(glances: Iterable[Glance]) -> list[Glance]:
    """Those that need somebody first, the rest by their next run, and by name where there is none."""
    order = {
        health: number if health.needs_attention else len(ScheduleHealth)
        for number, health in enumerate(ScheduleHealth)
    }

    def place(one: Glance) -> tuple[Any, ...]:
        needs_somebody = order[one.health]
        next_at = one.next_run_at
        return needs_somebody, next_at is None, next_at.timestamp() if next_at else 0.0, one.name.casefold()

    return sorted(glances, key=place)


def waits_too_long(organization_id: UUID, now: datetime) -> Select[Any]:
    """The ids of the schedules of which a run is due and has not started."""
    late: tuple[ColumnElement[bool], ...] = (
        in_state(RunState.READY), Run.organization_id == organization_id, Run.due_at < now - LATE_AFTER,
        Run.schedule_id.is_not(None),
    )  # fmt: skip
    return select(Run.schedule_id.label("subject_id")).where(*late)


def _query(organization_id: UUID, now: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Schedule.id,
            Schedule.name,
            Schedule.enabled,
            cast(Schedule.tags, String).label("tags"),
            Job.kind,
            Job.service,
            connection_of_job().label("connection_id"),
            Schedule.switched_by,
            Schedule.default_for,
            case((Schedule.owner_id.is_not(None), Schedule.owner)).label("owner"),
            Schedule.timezone,
            Schedule.problem,
            last_end().label("last_over"),
            Schedule.id.in_(waits_too_long(organization_id, now)).label("waits"),
        )
        .join(Job, (Job.id == Schedule.job_id) & (Job.organization_id == Schedule.organization_id))
        .where(Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
    )


def _glance(row: Any, *, cursor: datetime | None, problem: str | None, now: datetime, is_stopped: bool) -> Glance:
    next_run_at = cursor if row.enabled and problem is None else None
    is_overdue = next_run_at is not None and next_run_at < now - LATE_AFTER and not is_stopped
    health = health_of(
        has_problem=problem is not None,
        is_refused=is_paused_for_refusal(enabled=row.enabled, switched_by=row.switched_by),
        needs_connection=needs_connection(row.kind, row.connection_id)
        or is_paused_for_connection(enabled=row.enabled, switched_by=row.switched_by),
        enabled=row.enabled,
        last_over=_STATES[row.last_over],
        is_late=is_overdue or row.waits,
    )
    return Glance(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        tags=_tags(row.tags),
        service=row.service,
        owner=row.owner,
        is_default=row.default_for is not None,
        next_run_at=next_run_at,
        health=health,
        # Thousands of them name the same few.
        timezone=intern(row.timezone),
        problem=problem,
    )


@lru_cache(maxsize=4_096)
def _tags(text: str) -> tuple[str, ...]:
    # Most have none, and many the same ones.
    return tuple(json.loads(text))
