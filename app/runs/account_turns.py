"""Runs that call the same outside account: one at a time, and none while its service wants to be left alone.

Who may start by that is asked in the queue; here it is written down.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.jobs.kinds.base import AccountRests, KindName
from app.jobs.kinds.sync.connection import connection_of
from app.runs.models import Run
from app.runs.queue_models import ConnectionLimit
from app.runs.retries import break_of

# Two that read at once would only wait for each other when they land, and spend the account's quota twice.
RUNS_AT_ONCE = 1


def key_of(kind: KindName, definition: Mapping[str, Any]) -> str | None:
    """What a run shares with all others that call the same account; None for one that calls none."""
    connection_id = connection_of(definition) if kind is KindName.SYNC else None
    return None if connection_id is None else str(connection_id)


def take_turns(session: Session, *, organization_id: UUID, key: str) -> None:
    """See to it that runs of the account go one after the other. What is written of it already stays."""
    row = {"organization_id": organization_id, "connection_key": key, "concurrency": RUNS_AT_ONCE}
    session.execute(_insert(session).values(row).on_conflict_do_nothing())


def let_rest(session: Session, *, organization_id: UUID, key: str, rests: AccountRests, now: datetime) -> None:
    """Let no other run of the account start for so long. A longer rest that was asked for before stays."""
    until = now + break_of(max(rests.lasts, timedelta()))
    row = {"organization_id": organization_id, "connection_key": key, "concurrency": RUNS_AT_ONCE}
    new = _insert(session)
    is_later = or_(ConnectionLimit.limited_until.is_(None), ConnectionLimit.limited_until < new.excluded.limited_until)
    said = {name: new.excluded[name] for name in ("limited_until", "explanation")}
    put = new.on_conflict_do_update(index_elements=["organization_id", "connection_key"], set_=said, where=is_later)
    session.execute(put, row | {"limited_until": until, "explanation": rests.words})


def end_rest_of(session: Session, *, run_id: UUID, organization_id: UUID) -> None:
    """Let runs of the account that this run calls start again: somebody does not want to wait."""
    key = select(Run.connection_key).where(Run.id == run_id, Run.organization_id == organization_id).scalar_subquery()
    mine = ConnectionLimit.organization_id == organization_id, ConnectionLimit.connection_key == key
    session.execute(
        update(ConnectionLimit)
        .where(*mine)
        .values(limited_until=None, explanation=None)
        .execution_options(synchronize_session=False)
    )


def _insert(session: Session) -> Any:
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(ConnectionLimit)
