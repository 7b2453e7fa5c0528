"""Answers that were given under an idempotency key, so that a request sent again changes nothing more.

Kept in the transaction of the command itself: an answer is stored when, and only when, its effect is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
from app.tenants.access import Actor
from app.tenants.models import IdempotencyKey

KEPT = timedelta(hours=24)


class KeyUsedOtherwise(Invalid):
    """The key came before, with another request."""


class StillAtWork(Conflict):
    """The first request with this key is not answered yet."""


@dataclass(frozen=True)
class Replay:
    """An answer as it was given the first time."""

    status: int
    body: str


def begin_or_replay(session: Session, *, actor: Actor, key: str, fingerprint: str, now: datetime) -> Replay | None:
    """The answer this key was given before, or None: then the command goes on, and nobody else's with this key does.

    A second request at the same moment waits here for the first one's end. Raises KeyUsedOtherwise or StillAtWork.
    """
    forgotten = _mine(actor), IdempotencyKey.created_at <= now - KEPT
    session.execute(delete(IdempotencyKey).where(*forgotten))
    row = {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "key": key,
        "fingerprint": fingerprint,
        "created_at": now,
    }
    try:
        with session.begin_nested():
            session.execute(insert(IdempotencyKey).values(**row))
    except IntegrityError:
        return _answered(session, actor, key, fingerprint)
    return None


def read_answer(session: Session, *, actor: Actor, key: str, fingerprint: str, now: datetime) -> Replay | None:
    """The answer this key was given before, or None: then `begin_or_replay` decides. Nothing is waited for.

    For what asks somebody else before its transaction: a repeated request has no need to. Raises KeyUsedOtherwise.
    """
    known = select(IdempotencyKey.status).where(
        _mine(actor), IdempotencyKey.key == key, IdempotencyKey.created_at > now - KEPT
    )
    return None if session.scalar(known) is None else _answered(session, actor, key, fingerprint)


def forget_answers(session: Session, *, organization_id: UUID, now: datetime, limit: int) -> int:
    """Delete at most so many answers of an organization that nobody will ask for again, and say how many."""
    key = IdempotencyKey.organization_id, IdempotencyKey.user_id, IdempotencyKey.key
    too_old = IdempotencyKey.organization_id == organization_id, IdempotencyKey.created_at <= now - KEPT
    old = select(*key).where(*too_old).limit(limit)
    query = delete(IdempotencyKey).where(tuple_(*key).in_(old))
    return count_changed(session, query.execution_options(synchronize_session=False))


def keep_answer(session: Session, *, actor: Actor, key: str, replay: Replay) -> None:
    """Store the answer of the command that went on."""
    query = update(IdempotencyKey).where(_mine(actor), IdempotencyKey.key == key)
    session.execute(query.values(status=replay.status, body=replay.body))


def _answered(session: Session, actor: Actor, key: str, fingerprint: str) -> Replay:
    columns = IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.body
    found = session.execute(select(*columns).where(_mine(actor), IdempotencyKey.key == key)).one_or_none()
    if found is not None and found.fingerprint != fingerprint:
        raise KeyUsedOtherwise("This Idempotency-Key came with another request before. Use a new one.")
    if found is None or found.status is None or found.body is None:
        raise StillAtWork("The first request with this Idempotency-Key is not answered yet. Try again in a moment.")
    return Replay(found.status, found.body)


def _mine(actor: Actor) -> ColumnElement[bool]:
    return (IdempotencyKey.organization_id == actor.organization_id) & (IdempotencyKey.user_id == actor.user_id)
