"""What the teller has to know of the things that events are about, in a handful of statements for a whole batch."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, select
from sqlalchemy.orm import Session

from app.jobs.models import Job, connection_of_job
from app.jobs.sync_jobs import reads_from
from app.notifications.incident_models import Incident
from app.notifications.meanings import is_of_interest, is_of_run
from app.notifications.models import Channel, Rule
from app.notifications.signals import CANARY_SCHEDULE, EventFacts, Readers, RunFacts, ThingFacts
from app.notifications.types import IncidentState, NotificationType
from app.runs.models import Run
from app.schedules.models import Schedule
from app.syncs.models import Connection
from app.tenants.models import SYSTEM_ORGANIZATION_ID

_AT_ONCE = 500
_LONGEST_ERROR = 300
# Of these there are many, and they mean something only where something is wrong, or where a rule tells of them.
_ENDS = {"run.succeeded", "run.cancelled"}


def worth_reading(
    session: Session, events: Sequence[EventFacts], *, also_in: Collection[UUID] = ()
) -> list[EventFacts]:  # fmt: skip
    """The events that mean anything. Good ends, which most are, and cancelled ones only where somebody waits for one.

    `also_in` are organizations in which something else waits for one.
    """
    wanted = [event for event in events if is_of_interest(event.kind)]
    if not any(event.kind in _ENDS for event in wanted):
        return wanted
    waiting = _waiting(session) | set(also_in) | {event.organization_id for event in wanted if event.kind not in _ENDS}
    return [event for event in wanted if event.kind not in _ENDS or event.organization_id in waiting]


def run_facts(session: Session, events: Iterable[EventFacts]) -> dict[UUID, RunFacts]:
    """The runs of these events that are still there."""
    ids = {event.subject_id for event in events if is_of_run(event.kind)}
    rows = [row for some in _pieces(ids) for row in session.execute(_RUNS.where(Run.id.in_(some)))]
    connections = _connections(session, {given for row in rows if (given := _id_of(row.connection_id)) is not None})
    return {row.id: _run_of(row, connections) for row in rows}


def thing_facts(session: Session, events: Iterable[EventFacts]) -> dict[UUID, ThingFacts]:
    """The other things of these events: schedules, jobs, connections and channels."""
    ids: dict[str, set[UUID]] = defaultdict(set)
    for event in events:
        if not is_of_run(event.kind):
            ids[event.kind.partition(".")[0]].add(event.subject_id)
    found: dict[UUID, ThingFacts] = {}
    for some in _pieces(ids["schedule"]):
        columns = Schedule.id, Schedule.name, Schedule.tags, Schedule.job_id, _IS_CANARY
        schedules = session.execute(select(*columns).where(Schedule.id.in_(some)))
        found |= {
            row.id: ThingFacts(row.name, tuple(row.tags or ()), None, row.job_id, bool(row.is_canary))
            for row in schedules
        }
    for some in _pieces(ids["job"]):
        jobs = session.execute(select(Job.id, Job.name, Job.service).where(Job.id.in_(some)))
        found |= {row.id: ThingFacts(row.name, (), row.service, row.id) for row in jobs}
    connections = _connections(session, ids["connection"] | ids["figures"])
    read_by = _readers(session, connections)
    for place, (name, service) in connections.items():
        readers, tags = read_by[place]
        found[place[1]] = ThingFacts(name, tags, service, readers=readers)
    for some in _pieces(ids["channel"]):
        channels = session.execute(select(Channel.id, Channel.name).where(Channel.id.in_(some)))
        found |= {row.id: ThingFacts(row.name) for row in channels}
    return found


def _waiting(session: Session) -> set[UUID]:
    """The organizations in which a good end matters: something is wrong there, or a rule tells of good ends."""
    in_trouble = select(Incident.organization_id).where(Incident.state != IncidentState.CLOSED.value)
    # Few have rules, and a list in a row is searched alike by both engines when it is read.
    rules = select(Rule.organization_id, Rule.types).where(Rule.deleted_at.is_(None), Rule.is_enabled)
    told = {row.organization_id for row in session.execute(rules) if NotificationType.RUN_SUCCEEDED.value in row.types}
    return told | set(session.scalars(in_trouble.distinct()))


def _connection_of_run() -> ColumnElement[Any]:
    # Only of syncs: the definitions of others may be large, and need not be looked into.
    return case((Run.kind == "sync", Run.definition["connection_id"].as_string()))


# Anybody may call a schedule so in code of their own; Belfry's is the installation's.
_IS_CANARY = and_(
    Schedule.code_id == CANARY_SCHEDULE, Schedule.organization_id == SYSTEM_ORGANIZATION_ID
).label("is_canary")  # fmt: skip
_RUNS = (
    select(
        Run.id,
        Run.organization_id,
        Run.job_id,
        Run.job_name,
        Run.schedule_id,
        Run.error,
        Run.cause,
        Run.slot_at,
        _connection_of_run().label("connection_id"),
        Job.service,
        Schedule.name.label("schedule_name"),
        Schedule.tags,
        _IS_CANARY,
    )
    .outerjoin(Job, (Job.id == Run.job_id) & (Job.organization_id == Run.organization_id))
    .outerjoin(Schedule, (Schedule.id == Run.schedule_id) & (Schedule.organization_id == Run.organization_id))
)


def _run_of(row: Any, connections: "_Connections") -> RunFacts:
    connection_id = _id_of(row.connection_id)
    # A definition may name anything: the connection of another organization is none here.
    known = None if connection_id is None else connections.get((row.organization_id, connection_id))
    name, service = known or (None, None)
    connection_id = connection_id if known else None
    error = None if row.error is None else row.error[:_LONGEST_ERROR]
    return RunFacts(
        row.id, row.job_id, row.job_name, row.schedule_id, row.schedule_name, tuple(row.tags or ()),
        row.service or service, connection_id, name, error, row.cause, row.slot_at, bool(row.is_canary),
    )  # fmt: skip


_ReadBy = dict[tuple[UUID, UUID], tuple[Readers, tuple[str, ...]]]
# Organization and connection → its name and service.
_Connections = dict[tuple[UUID, UUID], tuple[str, str | None]]


def _connections(session: Session, ids: Collection[UUID]) -> _Connections:
    found: _Connections = {}
    columns = Connection.organization_id, Connection.id, Connection.name, Connection.service
    for some in _pieces(ids):
        query = select(*columns).where(Connection.id.in_(some))
        found |= {(row.organization_id, row.id): (row.name, row.service) for row in session.execute(query)}
    return found


def _readers(session: Session, places: Collection[tuple[UUID, UUID]]) -> "_ReadBy":
    """Who reads through these connections of their organizations, with the tags of their schedules."""
    names: dict[tuple[UUID, UUID], tuple[dict[UUID, None], dict[UUID, None], dict[str, None]]]
    names = {place: ({}, {}, {}) for place in places}
    same = (Schedule.job_id == Job.id) & (Schedule.organization_id == Job.organization_id)
    columns = Job.organization_id, Job.id, connection_of_job().label("connection_id"), Schedule.tags
    for some in _pieces({connection_id for _, connection_id in places}):
        here = Job.organization_id.in_({organization_id for organization_id, _ in places}), Job.deleted_at.is_(None)
        query = (
            select(*columns, Schedule.id.label("schedule_id"))
            .outerjoin(Schedule, same & Schedule.deleted_at.is_(None))
            .where(*here, *reads_from(some))
            .order_by(Job.id, Schedule.id)
        )
        for row in session.execute(query):
            # A definition may name the connection of another organization: that is none of its.
            schedules, jobs, tags = names.get((row.organization_id, UUID(row.connection_id)), ({}, {}, {}))
            jobs[row.id] = None
            if row.schedule_id is not None:
                schedules[row.schedule_id] = None
                tags |= dict.fromkeys(row.tags or ())
    return {place: (Readers(tuple(found[0]), tuple(found[1])), tuple(found[2])) for place, found in names.items()}


def _id_of(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _pieces(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    given = sorted(ids)
    for begin in range(0, len(given), _AT_ONCE):
        yield given[begin : begin + _AT_ONCE]
