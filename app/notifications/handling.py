"""What people do about an incident: acknowledge it, snooze it, give it to somebody, close it. Audited."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.text import storable
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.cases import Case, Entry, close, next_reminder
from app.notifications.incident_models import Incident
from app.notifications.models import Telling
from app.notifications.shelf import read_cases, write_book
from app.notifications.types import IncidentEntryKind, IncidentState
from app.tenants.access import Actor, Permission, require
from app.tenants.roster import hold_member

LONGEST_SNOOZE = timedelta(days=30)
LONGEST_NOTE = 300


class IncidentNotFound(NotFound):
    """There is no such incident here. It may have been deleted with what is old."""


class IncidentOver(Conflict):
    """It is closed, so nothing can be done about it any more."""


class SnoozeInvalid(Invalid):
    """It cannot be snoozed until then."""


class NoteInvalid(Invalid):
    """The note is empty or too long."""


def acknowledge(session: Session, *, actor: Actor, incident_id: UUID, now: datetime) -> bool:
    """Say that somebody sees to it: nobody is reminded any more. False when somebody said so before.

    Raises IncidentNotFound or IncidentOver.
    """
    case = _open(session, actor, incident_id)
    if case.state is IncidentState.ACKNOWLEDGED:
        return False
    case.state, case.acknowledged_by, case.next_reminder_at = IncidentState.ACKNOWLEDGED, actor.label, None
    _write(session, actor, case, IncidentEntryKind.ACKNOWLEDGED, "acknowledged", "Acknowledged", now)
    session.execute(update(Incident).where(Incident.id == case.id).values(acknowledged_at=now))
    return True


def unacknowledge(session: Session, *, actor: Actor, incident_id: UUID, now: datetime) -> bool:
    """Take that back: people are reminded again. False when nobody had said so. Raises as `acknowledge`."""
    case = _open(session, actor, incident_id)
    if case.state is not IncidentState.ACKNOWLEDGED:
        return False
    case.state, case.acknowledged_by = IncidentState.OPEN, None
    case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=now + timedelta(hours=1))
    _write(session, actor, case, IncidentEntryKind.NOTED, "unacknowledged", "No longer acknowledged", now)
    session.execute(update(Incident).where(Incident.id == case.id).values(acknowledged_at=None))
    return True


def snooze(session: Session, *, actor: Actor, incident_id: UUID, until: datetime | None, now: datetime) -> None:
    """Tell nothing more of it before then, but for its end; None ends a snooze.

    Raises IncidentNotFound, IncidentOver, or SnoozeInvalid for a time that is past or more than 30 days away.
    """
    case = _open(session, actor, incident_id)
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise SnoozeInvalid("Snooze it until some time within the next 30 days.", field="until")
    case.snoozed_until = until
    if case.state is IncidentState.OPEN:
        case.next_reminder_at = until or next_reminder(case.opened_at, reminders=case.reminders, now=now)
    words = "Snoozed no longer" if until is None else f"Snoozed until {until:%Y-%m-%d %H:%M} UTC"
    _write(session, actor, case, IncidentEntryKind.SNOOZED, "snoozed", words, now)


def assign(session: Session, *, actor: Actor, incident_id: UUID, user_id: UUID | None, now: datetime) -> None:
    """Give it to a member, or to nobody. Raises IncidentNotFound, IncidentOver or MemberNotFound."""
    case = _open(session, actor, incident_id)
    here = actor.organization_id
    member = None if user_id is None else hold_member(session, organization_id=here, user_id=user_id)
    session.execute(update(Incident).where(Incident.id == case.id).values(assigned_to=user_id))
    words = "Given to nobody" if member is None else f"Given to {member.email}"
    _write(session, actor, case, IncidentEntryKind.ASSIGNED, "assigned", words, now)


def close_by_hand(session: Session, *, actor: Actor, incident_id: UUID, now: datetime) -> None:
    """Close what nobody waits for any more. If it happens again, it is another incident.

    Raises IncidentNotFound or IncidentOver.
    """
    case = _open(session, actor, incident_id)
    close(case, at=now, has_recovered=False, words=f"Closed by {actor.label}", by=actor.label)
    write_book(session, [case])
    _look_again(session, case, now)
    _record(session, actor, case, "closed", "Closed", now)


def add_note(session: Session, *, actor: Actor, incident_id: UUID, text: str, now: datetime) -> None:
    """Write a line into its timeline, also when it is over. Raises IncidentNotFound or NoteInvalid."""
    case = _mine(session, actor, incident_id)
    said = " ".join(storable(text).split())
    if not said or len(said) > LONGEST_NOTE:
        raise NoteInvalid(f"Write a note of at most {LONGEST_NOTE} characters.", field="text")
    case.note(Entry(now, IncidentEntryKind.NOTED, said, by=actor.label))
    write_book(session, [case])
    _record(session, actor, case, "noted", f"Noted “{said[:80]}” on", now)


def note_retried(session: Session, *, actor: Actor, incident_id: UUID, runs: int, now: datetime) -> None:
    """Write into its timeline that its runs are retried. For whoever retries them, with an audit of its own."""
    case = _mine(session, actor, incident_id)
    words = f"Retrying {runs:,} run{'' if runs == 1 else 's'}"
    case.note(Entry(now, IncidentEntryKind.RETRIED, words, by=actor.label))
    write_book(session, [case])


def _open(session: Session, actor: Actor, incident_id: UUID) -> Case:
    case = _mine(session, actor, incident_id)
    if not case.is_open:
        raise IncidentOver(f"“{case.title}” is over.")
    return case


def _mine(session: Session, actor: Actor, incident_id: UUID) -> Case:
    require(actor, Permission.RUN)
    mine = Incident.id == incident_id, Incident.organization_id == actor.organization_id
    if session.scalar(select(Incident.id).where(*mine)) is None:
        raise IncidentNotFound("There is no such incident. It may have been deleted with what is old.")
    return read_cases(session, [incident_id])[0]


def _write(
    session: Session, actor: Actor, case: Case, kind: IncidentEntryKind, verb: str, words: str, now: datetime
) -> None:  # fmt: skip
    case.is_changed = True
    case.note(Entry(now, kind, words, by=actor.label))
    write_book(session, [case])
    _look_again(session, case, now)
    _record(session, actor, case, verb, words, now)


def _look_again(session: Session, case: Case, now: datetime) -> None:
    """Messages that were sent are brought up to date, and what is held is thought over, by the teller."""
    mine = Telling.organization_id == case.organization_id, Telling.incident_id == case.id
    query = update(Telling).where(*mine, Telling.is_told | Telling.due_at.is_not(None)).values(due_at=now)
    session.execute(query.execution_options(synchronize_session=False))


def _record(session: Session, actor: Actor, case: Case, verb: str, words: str, now: datetime) -> None:
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action=f"incident.{verb}", subject_id=case.id,
        summary=f"{words}: incident “{case.title}”", now=now,
    )  # fmt: skip
