"""Reads incidents into a book, and writes back what changed. Works as ENGINE, or as one organization."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, case, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.text import storable
from app.notifications.book import REOPENED_WITHIN, Book
from app.notifications.cases import About, Case, Thing
from app.notifications.incident_models import Incident, IncidentEntry, IncidentSubject
from app.notifications.signals import Relief, Trouble
from app.notifications.types import IncidentState, NotificationType

Item = TypeVar("Item")
_AT_ONCE = 400
MOST_READ = 20_000
_SAID = ("text", "ending", "error_class", "connection_name")
_NAMED = ("connection_id", "run_id", "schedule_id", "job_id")


def read_book(session: Session, signals: Sequence[Trouble | Relief], *, now: datetime) -> Book:
    """The incidents that these signals may concern, locked until the transaction ends."""
    subjects = _subjects(signals)
    ids = _in_trouble(session, {subject_id for _, subject_id in subjects})
    keys = {(signal.organization_id, key) for signal in signals for key in _keys(signal)}
    rows = _incidents(session, ids, keys, now)
    return Book(_cases(session, rows, {subject_id for _, subject_id in subjects}))


def read_cases(session: Session, ids: Collection[UUID]) -> list[Case]:
    """Incidents by their ids, with how many things each concerns, locked until the transaction ends."""
    rows: list[Incident] = []
    for some in _pieces(sorted(ids)):
        query = select(Incident).where(Incident.id.in_(some)).order_by(Incident.id).with_for_update()
        rows += session.scalars(query, execution_options={"populate_existing": True})
    return _cases(session, rows, set())


def read_things(session: Session, cases: Sequence[Case]) -> None:
    """Put all their things into these incidents, where only some were read. Of very many, some are left out."""
    wanted = {case.id: case for case in cases if case.more_things}
    for some in _pieces(sorted(wanted)):
        query = select(IncidentSubject).where(IncidentSubject.incident_id.in_(some))
        order = IncidentSubject.is_in_trouble.desc(), IncidentSubject.last_at.desc()
        found = query.order_by(*order).limit(MOST_READ)
        for row in session.scalars(found, execution_options={"populate_existing": True}):
            case = wanted[row.incident_id]
            if row.subject_id not in case.things:
                case.things[row.subject_id] = _thing(row)
                case.more_things -= 1
                case.more_in_trouble -= row.is_in_trouble and case.more_in_trouble > 0


def write_book(session: Session, cases: Iterable[Case]) -> None:
    """Write down what changed of these incidents, their things and their timelines."""
    changed = list(cases)
    # First those that are over: a cause has one open incident.
    known = [{"b_id": one.id, **_changed_columns(one)} for one in changed if not one.is_new]
    if known:
        session.connection().execute(_UPDATE, known)
    new = [one for one in changed if one.is_new]
    if new:
        session.execute(insert(Incident), [_columns(one) for one in new])
    _write_things(session, changed)
    lines = [line for one in changed for line in _lines(one)]
    if lines:
        session.execute(insert(IncidentEntry), lines)
    over = [one.id for one in changed if not one.is_open and not one.is_new]
    for some in _pieces(over):
        calm = update(IncidentSubject).where(IncidentSubject.incident_id.in_(some), IncidentSubject.is_in_trouble)
        values = {"is_in_trouble": False, "failures": 0}
        session.execute(calm.values(**values).execution_options(synchronize_session=False))
    for one in changed:
        one.entries_before += len(one.entries)
        one.entries, one.is_new, one.is_changed = [], False, False
        one.changed_things = set()


def _subjects(signals: Sequence[Trouble | Relief]) -> set[tuple[UUID, UUID]]:
    found = set()
    for signal in signals:
        ids = (signal.subject.id,) if isinstance(signal, Trouble) else signal.subject_ids
        found |= {(signal.organization_id, subject_id) for subject_id in ids}
    return found


def _keys(signal: Trouble | Relief) -> tuple[str, ...]:
    return (signal.cause_key,) if isinstance(signal, Trouble) else signal.cause_keys


def _in_trouble(session: Session, subject_ids: Collection[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for some in _pieces(sorted(subject_ids)):
        mine = IncidentSubject.subject_id.in_(some), IncidentSubject.is_in_trouble
        found |= set(session.scalars(select(IncidentSubject.incident_id).where(*mine)))
    return found


def _incidents(
    session: Session, ids: Collection[UUID], keys: Collection[tuple[UUID, str]], now: datetime
) -> list[Incident]:
    # Those that are over only just may come back; of each cause the newest stands.
    is_recent = or_(Incident.state != IncidentState.CLOSED.value, Incident.closed_at > now - 2 * REOPENED_WITHIN)
    rows: dict[UUID, Incident] = {}
    for piece in _pieces(sorted(keys)):
        which = tuple_(Incident.organization_id, Incident.cause_key).in_(piece)
        rows |= {row.id: row for row in _locked(session, which, is_recent)}
    for some in _pieces(sorted(set(ids) - set(rows))):
        rows |= {row.id: row for row in _locked(session, Incident.id.in_(some))}
    newest: dict[tuple[UUID, str], Incident] = {}
    for row in rows.values():
        place = row.organization_id, row.cause_key
        if place not in newest or _rank(newest[place]) < _rank(row):
            newest[place] = row
    return list(newest.values())


def _rank(row: Incident) -> tuple[bool, datetime]:
    return row.state != IncidentState.CLOSED.value, row.closed_at or row.last_at


def _locked(session: Session, *which: Any) -> list[Incident]:
    query = select(Incident).where(*which).order_by(Incident.id).with_for_update()
    return list(session.scalars(query, execution_options={"populate_existing": True}))


def _cases(session: Session, rows: Sequence[Incident], subject_ids: Collection[UUID]) -> list[Case]:
    ids = [row.id for row in rows]
    things: dict[UUID, dict[UUID, Thing]] = defaultdict(dict)
    totals: dict[UUID, tuple[int, int]] = {}
    lines: dict[UUID, int] = {}
    for some in _pieces(ids):
        of_these = IncidentSubject.incident_id.in_(some)
        in_trouble = func.sum(case((IncidentSubject.is_in_trouble, 1), else_=0))
        counted = select(IncidentSubject.incident_id, func.count(), in_trouble).where(of_these)
        for incident_id, total, troubled in session.execute(counted.group_by(IncidentSubject.incident_id)):
            totals[incident_id] = total, int(troubled or 0)
        counted_lines = select(IncidentEntry.incident_id, func.count()).where(IncidentEntry.incident_id.in_(some))
        lines |= dict(session.execute(counted_lines.group_by(IncidentEntry.incident_id)).all())
        for wanted in _pieces(sorted(subject_ids)):
            query = select(IncidentSubject).where(of_these, IncidentSubject.subject_id.in_(wanted))
            for row in session.scalars(query, execution_options={"populate_existing": True}):
                things[row.incident_id][row.subject_id] = _thing(row)
    return [_case(row, things[row.id], totals.get(row.id, (0, 0)), lines.get(row.id, 0)) for row in rows]


def _thing(row: IncidentSubject) -> Thing:
    return Thing(
        row.subject_kind, row.name, row.failures, row.last_at, row.is_in_trouble, row.happened, row.job_id, row.run_id,
        row.service, tuple(row.tags), row.title, row.words,
    )  # fmt: skip


def _case(row: Incident, things: dict[UUID, Thing], totals: tuple[int, int], lines: int) -> Case:
    facts = row.facts
    here = sum(thing.is_in_trouble for thing in things.values())
    named = {name: UUID(facts[name]) if facts.get(name) else None for name in _NAMED}
    said = {name: facts.get(name) for name in _SAID}
    return Case(
        row.id, row.organization_id, row.cause_key, NotificationType(row.type), row.title, row.opened_at, row.last_at,
        row.subject_kind, row.subject_id or row.organization_id, IncidentState(row.state), row.happened, row.reopened,
        row.closed_at, row.has_recovered, text=said["text"] or "", ending=said["ending"] or "",
        error_class=said["error_class"], connection_name=said["connection_name"],
        connection_id=named["connection_id"], run_id=named["run_id"], schedule_id=named["schedule_id"],
        job_id=named["job_id"], acknowledged_by=row.acknowledged_by,
        snoozed_until=row.snoozed_until, next_reminder_at=row.next_reminder_at, reminders=row.reminders,
        missed_slots=row.missed_slots, made_up=row.made_up,
        most_in_a_row=row.most_in_a_row, about=About(**facts.get("about", {})), things=things,
        more_types=frozenset(NotificationType(one) for one in facts.get("more_types", ())),
        more_things=totals[0] - len(things), more_in_trouble=totals[1] - here, entries_before=lines, is_new=False,
        is_changed=False,
    )  # fmt: skip


def _columns(one: Case) -> dict[str, Any]:
    said = {name: storable(value) for name in _SAID if (value := getattr(one, name))}
    named = {name: str(value) for name in _NAMED if (value := getattr(one, name))}
    joined = {"more_types": sorted(one.more_types)} if one.more_types else {}
    return {
        "id": one.id, "organization_id": one.organization_id, "cause_key": one.cause_key, "type": one.type.value,
        "title": storable(one.title), "state": one.state.value, "opened_at": one.opened_at, "last_at": one.last_at,
        "closed_at": one.closed_at, "has_recovered": one.has_recovered, "happened": one.happened,
        "reopened": one.reopened, "subject_kind": one.subject_kind, "subject_id": one.subject_id,
        "things": one.thing_count, "most_in_a_row": one.most_in_a_row,
        "facts": {**said, **named, **joined, "about": asdict(one.about)}, "acknowledged_by": one.acknowledged_by,
        "snoozed_until": one.snoozed_until, "next_reminder_at": one.next_reminder_at, "reminders": one.reminders,
        "missed_slots": one.missed_slots, "made_up": one.made_up,
    }  # fmt: skip


# What only a person sets is left alone, and what never changes.
_CHANGED = (
    "title", "state", "last_at", "closed_at", "has_recovered", "happened", "reopened", "things", "most_in_a_row",
    "facts", "acknowledged_by", "snoozed_until", "next_reminder_at", "reminders",
    "missed_slots", "made_up",
)  # fmt: skip
_UPDATE = (
    update(Incident)
    .where(Incident.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in _CHANGED})
    .execution_options(synchronize_session=False)
)


def _changed_columns(one: Case) -> dict[str, Any]:
    columns = _columns(one)
    return {name: columns[name] for name in _CHANGED}


_CHANGED_THING = (
    "name", "failures", "last_at", "is_in_trouble", "happened", "job_id", "run_id", "service", "tags", "title", "words",
)  # fmt: skip


def _write_things(session: Session, cases: Sequence[Case]) -> None:
    rows = [
        {
            "incident_id": one.id, "subject_id": subject_id, "organization_id": one.organization_id,
            "subject_kind": thing.kind, "name": storable(thing.name), "failures": thing.failures,
            "last_at": thing.last_at, "is_in_trouble": thing.is_in_trouble, "happened": thing.happened,
            "job_id": thing.job_id, "run_id": thing.run_id, "service": thing.service, "tags": list(thing.tags),
            "title": storable(thing.title), "words": storable(thing.words),
        }
        for one in cases
        for subject_id in one.changed_things
        if (thing := one.things[subject_id])
    ]  # fmt: skip
    if not rows:
        return
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    given = make(IncidentSubject)
    changed = {name: given.excluded[name] for name in _CHANGED_THING}
    session.execute(given.on_conflict_do_update(index_elements=["incident_id", "subject_id"], set_=changed), rows)


def _lines(one: Case) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(), "organization_id": one.organization_id, "incident_id": one.id, "at": entry.at,
            "kind": entry.kind.value, "words": storable(entry.words)[:500], "by": entry.by, "run_id": entry.run_id,
            "schedule_id": entry.schedule_id,
        }
        for entry in one.entries
    ]  # fmt: skip


def _pieces(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[begin : begin + _AT_ONCE] for begin in range(0, len(items), _AT_ONCE)]
