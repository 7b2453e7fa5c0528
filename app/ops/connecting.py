"""What people do with connections, with all that follows: the job that reads one, and the schedules that depend on it.

Trying a login takes seconds and is done before, outside of any transaction: login_desk.py.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.sealing import Sealer
from app.jobs.kinds.base import LoginRefused
from app.jobs.services import is_destination
from app.jobs.sync_jobs import bind_sync_job
from app.ops.login_desk import StoredTried
from app.runs.pausing import note_login_refused, pause_schedules_of
from app.syncs.calls.troubles import HANDLING, Action
from app.syncs.connection_changes import (
    ConnectionDraft,
    Noted,
    end_connection,
    make_connection,
    note_test,
)
from app.syncs.standing import Tried
from app.tenants.access import Actor


@dataclass(frozen=True)
class Ended:
    """A connection that was just ended, and how many schedules were switched off with it."""

    name: str
    paused: int


def connect(
    session: Session, *, actor: Actor, sealer: Sealer, draft: ConnectionDraft, tried: Tried, now: datetime
) -> UUID:
    """Make a connection whose login was tried and is good, and give it a job that reads it. Nothing is switched on.

    What is pushed to a spreadsheet, a person says in a job of their own.
    """
    connection_id = make_connection(session, actor=actor, sealer=sealer, draft=draft, tried=tried, now=now)
    if not is_destination(draft.service):
        bind_sync_job(session, actor=actor, connection_id=connection_id, service=draft.service, now=now)
    return connection_id


def keep_test(session: Session, *, actor: Actor, connection_id: UUID, stored: StoredTried, now: datetime) -> Noted:
    """Keep what a test found. Where the service no longer takes the login, what depends on it is switched off."""
    noted = note_test(session, actor=actor, connection_id=connection_id, tried=stored.tried, now=now)
    trouble = noted.tried.trouble
    if trouble is not None and HANDLING[trouble].action is Action.PAUSE_CONNECTION:
        refused = LoginRefused(connection_id, trouble, noted.tried.words, stored.set_at)
        note_login_refused(session, refused, organization_id=actor.organization_id, now=now)
    return noted


def disconnect(session: Session, *, actor: Actor, connection_id: UUID, now: datetime) -> Ended:
    """End a connection: its login is deleted, and the schedules that read from it are switched off."""
    name = end_connection(session, actor=actor, connection_id=connection_id, now=now)
    reason = f"“{name}” was disconnected by {actor.label}"
    paused = pause_schedules_of(
        session, organization_id=actor.organization_id, connection_id=connection_id, reason=reason, now=now
    )
    return Ended(name, paused)
