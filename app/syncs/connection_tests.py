"""The tests of connections, as they are kept: the newest of each."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.syncs.models import Connection, ConnectionTest
from app.syncs.standing import Tried
from app.tenants.access import Actor

KEPT_TESTS = 50


@dataclass(frozen=True)
class KeptTest:
    """One test: when, by whom, and what it found."""

    id: UUID
    at: datetime
    by: str
    is_good: bool
    words: str
    trouble: str | None
    milliseconds: int


def list_tests(session: Session, *, organization_id: UUID, connection_id: UUID, limit: int) -> list[KeptTest]:
    """The newest first."""
    here = ConnectionTest.organization_id == organization_id, ConnectionTest.connection_id == connection_id
    query = select(ConnectionTest).where(*here).order_by(ConnectionTest.at.desc(), ConnectionTest.id.desc())
    return [
        KeptTest(one.id, one.at, one.by, one.is_good, one.words, one.trouble, one.milliseconds)
        for one in session.scalars(query.limit(limit))
    ]


def keep_test(session: Session, actor: Actor, connection_id: UUID, tried: Tried, now: datetime) -> None:
    """Keep a test, as the newest one of its connection."""
    here = {"organization_id": actor.organization_id, "connection_id": connection_id}
    session.add(
        ConnectionTest(
            at=now,
            by=actor.label,
            is_good=tried.is_good,
            words=tried.words,
            trouble=None if tried.trouble is None else tried.trouble.value,
            milliseconds=round(tried.seconds * 1_000),
            **here,
        )
    )
    session.flush()
    mine = Connection.organization_id == actor.organization_id, Connection.id == connection_id
    newest = {
        "last_tested_at": now,
        "last_tested_by": actor.label,
        "last_test_good": tried.is_good,
        "last_test_words": tried.words,
    }
    session.execute(update(Connection).where(*mine).values(**newest))
    _forget_old_tests(session, actor.organization_id, connection_id)


def _forget_old_tests(session: Session, organization_id: UUID, connection_id: UUID) -> None:
    here = ConnectionTest.organization_id == organization_id, ConnectionTest.connection_id == connection_id
    newest_first = ConnectionTest.at.desc(), ConnectionTest.id.desc()
    old = list(session.scalars(select(ConnectionTest.id).where(*here).order_by(*newest_first).offset(KEPT_TESTS)))
    if old:
        query = delete(ConnectionTest).where(ConnectionTest.organization_id == organization_id)
        session.execute(query.where(ConnectionTest.id.in_(old)).execution_options(synchronize_session=False))
