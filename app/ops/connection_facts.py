"""What lists and pages say of connections: how each stands, in words, and which schedules read from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.jobs.sync_jobs import reads_from
from app.schedules.of_connections import ConnectionSchedule, schedules_of_connections
from app.syncs.connection_rows import ConnectionRow, get_connection, list_connections
from app.syncs.runway import days_left
from app.syncs.standing import Standing

_WORDS = {
    Standing.REFUSED: "Refused",
    Standing.EXPIRED: "Expired",
    Standing.FAILING: "Test failed",
    Standing.UNTESTED: "Never tested",
    Standing.CONNECTED: "Connected",
    Standing.DISCONNECTED: "Disconnected",
}


@dataclass(frozen=True)
class ConnectionFacts:
    """A connection with how it stands at a moment, and the schedules that read from it, by name."""

    row: ConnectionRow
    standing: Standing
    words: str
    schedules: Sequence[ConnectionSchedule]

    @property
    def paused(self) -> list[ConnectionSchedule]:
        """Those that were switched off with it, and that nobody has switched since."""
        return [schedule for schedule in self.schedules if schedule.is_paused_for_it]

    @property
    def enabled(self) -> list[ConnectionSchedule]:
        return [schedule for schedule in self.schedules if schedule.enabled]


def list_facts(session: Session, *, organization_id: UUID, now: datetime) -> list[ConnectionFacts]:
    """All that are in use, what needs somebody first. Two statements."""
    rows = list_connections(session, organization_id=organization_id, now=now)
    return facts_of(session, rows, organization_id=organization_id, now=now)


def get_facts(session: Session, *, organization_id: UUID, connection_id: UUID, now: datetime) -> ConnectionFacts:
    """One of them, also an ended one. Raises ConnectionNotFound."""
    row = get_connection(session, organization_id=organization_id, connection_id=connection_id)
    return facts_of(session, [row], organization_id=organization_id, now=now)[0]


def facts_of(
    session: Session, rows: Collection[ConnectionRow], *, organization_id: UUID, now: datetime
) -> list[ConnectionFacts]:
    """The same of rows that were read already, in their order."""
    found = schedules_of_connections(session, organization_id=organization_id, connection_ids=[row.id for row in rows])
    return [_facts(row, found.get(row.id, []), now) for row in rows]


def job_of_connection(session: Session, *, organization_id: UUID, connection_id: UUID) -> UUID | None:
    """The job that reads from a connection, the oldest where there are several."""
    here = Job.organization_id == organization_id, Job.deleted_at.is_(None)
    query = select(Job.id).where(*here, *reads_from([connection_id]))
    return session.scalar(query.order_by(Job.created_at, Job.id).limit(1))


def _facts(row: ConnectionRow, schedules: Sequence[ConnectionSchedule], now: datetime) -> ConnectionFacts:
    standing = row.standing(now)
    facts = ConnectionFacts(row, standing, "", schedules)
    return ConnectionFacts(row, standing, state_words(facts, now), schedules)


def state_words(facts: ConnectionFacts, now: datetime) -> str:
    """“Expires in 6 days”, or “Refused, 4 schedules paused”."""
    return standing_words(facts.standing, ends_at=facts.row.ends_at, paused=len(facts.paused), now=now)


def standing_words(standing: Standing, *, ends_at: datetime | None, paused: int, now: datetime) -> str:
    """The same where so many schedules are paused with it."""
    if standing is Standing.EXPIRES_SOON and ends_at is not None:
        left = days_left(ends_at, now=now)
        return "Expires within a day" if left < 1 else f"Expires in {left} day{'s' if left > 1 else ''}"
    words = _WORDS[standing]
    if not standing.is_broken or not paused:
        return words
    return f"{words}, {paused:,} schedule{'s' if paused > 1 else ''} paused"


def expiry_words(row: ConnectionRow) -> str:
    """What is known of the end of its login, where there is no date to show."""
    if row.ends_at is not None:
        return ""
    if row.expiry_known_at is not None:
        return "Never"
    return "Not known: the service tells it to the app alone that the login was given to"
