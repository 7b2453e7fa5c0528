"""The only writer and reader of sealed secrets: each belongs to one field of one thing of one organization."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.sealing import KeyUnknown, SealBroken, SealContext, Sealer
from app.vault.models import Secret


class OwnerKind(StrEnum):
    """What can have secrets."""

    JOB = "job"
    CONNECTION = "connection"
    CHANNEL = "channel"


class SecretNotFound(NotFound):
    """No such secret of this owner. It may have been deleted some time after it was retired."""


@dataclass(frozen=True)
class SecretOwner:
    """The thing whose secret it is."""

    organization_id: UUID
    kind: OwnerKind
    id: UUID

    @classmethod
    def job(cls, organization_id: UUID, job_id: UUID) -> "SecretOwner":
        return cls(organization_id, OwnerKind.JOB, job_id)

    @classmethod
    def connection(cls, organization_id: UUID, connection_id: UUID) -> "SecretOwner":
        return cls(organization_id, OwnerKind.CONNECTION, connection_id)

    @classmethod
    def channel(cls, organization_id: UUID, channel_id: UUID) -> "SecretOwner":
        return cls(organization_id, OwnerKind.CHANNEL, channel_id)

    def context(self, secret_id: UUID, field: str) -> SealContext:
        """The place a secret is sealed for."""
        return SealContext(self.organization_id, secret_id, self.kind.value, self.id, field)


@dataclass(frozen=True)
class Rotated:
    """What one batch of a rotation did, and where the next one begins; without `last_id` there is no next one.

    `overtaken` were replaced by their owners meanwhile, `locked` lack their key, `broken` open with none.
    """

    resealed: int = 0
    overtaken: int = 0
    locked: int = 0
    broken: int = 0
    last_id: UUID | None = None


def seal(session: Session, *, sealer: Sealer, owner: SecretOwner, field: str, value: str, now: datetime) -> UUID:
    """Put a value away, and return the id it is opened by."""
    secret_id = new_id()
    sealed = sealer.seal(value, owner.context(secret_id, field))
    session.add(
        Secret(
            id=secret_id,
            organization_id=owner.organization_id,
            owner_kind=owner.kind.value,
            owner_id=owner.id,
            field=field,
            sealed=sealed.text,
            key_id=sealed.key_id,
            created_at=now,
        )
    )
    session.flush()
    return secret_id


def open_secret(session: Session, *, sealer: Sealer, owner: SecretOwner, secret_id: UUID, field: str) -> str:
    """The value, for a running attempt alone. Raises SecretNotFound, KeyUnknown or SealBroken.

    A retired one still opens: runs that were made before hold its id.
    """
    query = select(Secret.sealed).where(Secret.id == secret_id, *_of(owner))
    sealed = session.scalar(query)
    if sealed is None:
        raise SecretNotFound("A sealed value is gone. Enter it again.")
    # What the caller expects is checked, not what the row says of itself: whoever moved it could rewrite that.
    return sealer.open(sealed, owner.context(secret_id, field))


def replace(session: Session, *, sealer: Sealer, owner: SecretOwner, secret_id: UUID, field: str, value: str) -> bool:
    """Give a secret another value, for runs that wait as well. False when there is no such secret in use."""
    sealed = sealer.seal(value, owner.context(secret_id, field))
    # Without a look at what was there before: the newest word wins, whatever a rotation is about to write.
    query = (
        update(Secret)
        .where(Secret.id == secret_id, Secret.field == field, Secret.retired_at.is_(None), *_of(owner))
        .values(sealed=sealed.text, key_id=sealed.key_id)
    )
    return count_changed(session, query) == 1


def retire(session: Session, *, owner: SecretOwner, keep: Collection[UUID] = (), now: datetime) -> int:
    """Mark the owner's secrets as no longer used, except those to keep. Returns how many were."""
    query = (
        update(Secret)
        .where(*_of(owner), Secret.retired_at.is_(None), Secret.id.not_in(keep))
        .values(retired_at=now)
        .execution_options(synchronize_session=False)
    )
    return count_changed(session, query)


def erase(session: Session, *, owner: SecretOwner) -> int:
    """Delete all secrets of an owner at once: nothing opens them any more. Returns how many there were."""
    return count_changed(session, delete(Secret).where(*_of(owner)).execution_options(synchronize_session=False))


def erase_retired(session: Session, *, organization_id: UUID, before: datetime) -> int:
    """Delete what was retired before an instant, and say how many."""
    query = delete(Secret).where(Secret.organization_id == organization_id, Secret.retired_at < before)
    return count_changed(session, query.execution_options(synchronize_session=False))


def count_by_key(session: Session, *, organization_id: UUID) -> dict[str, int]:
    """How many secrets of an organization are sealed with each key."""
    query = select(Secret.key_id, func.count()).where(Secret.organization_id == organization_id).group_by(Secret.key_id)
    return dict(session.execute(query).all())


def rotate_batch(
    session: Session, *, sealer: Sealer, organization_id: UUID, limit: int, after: UUID | None = None
) -> Rotated:
    """Seal some of an organization's secrets with the newest key, in the order of their ids. Safe to repeat."""
    query = (
        select(Secret.id, Secret.owner_kind, Secret.owner_id, Secret.field, Secret.sealed)
        .where(Secret.organization_id == organization_id, Secret.key_id != sealer.newest_key_id)
        .order_by(Secret.id)
        .limit(limit)
    )
    rows = session.execute(query if after is None else query.where(Secret.id > after)).all()
    counts = {"resealed": 0, "overtaken": 0, "locked": 0, "broken": 0}
    for row in rows:
        context = SealContext(organization_id, row.id, row.owner_kind, row.owner_id, row.field)
        counts[_reseal(session, sealer, context, row.sealed)] += 1
    return Rotated(**counts, last_id=rows[-1].id if len(rows) == limit else None)


def _reseal(session: Session, sealer: Sealer, context: SealContext, before: str) -> str:
    try:
        sealed = sealer.seal(sealer.open(before, context), context)
    except KeyUnknown:
        return "locked"
    except SealBroken:
        return "broken"
    # Only over what was opened: a value that its owner replaced meanwhile is newer, and stays.
    query = (
        update(Secret)
        .where(Secret.id == context.secret_id, Secret.organization_id == context.organization_id)
        .where(Secret.sealed == before)
        .values(sealed=sealed.text, key_id=sealed.key_id)
    )
    return "resealed" if count_changed(session, query) == 1 else "overtaken"


def _of(owner: SecretOwner) -> tuple[ColumnElement[bool], ...]:
    return (
        Secret.organization_id == owner.organization_id,
        Secret.owner_kind == owner.kind.value,
        Secret.owner_id == owner.id,
    )
