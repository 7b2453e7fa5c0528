"""What runs do with the login of a connection: open it, and say that it was good or that it was refused.

Every opening writes an audit row that names the run. Nothing else opens one, but for a test that somebody asks for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.sealing import Sealer
from app.events.service import Topic, append_event
from app.syncs.calls.troubles import TroubleClass
from app.syncs.connections import ConnectionRefused, ConnectionState, load_connection
from app.syncs.models import Connection
from app.syncs.standing import LoginFacts, first_end
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.roles import Role
from app.vault.service import SecretNotFound, SecretOwner, open_secret

# What signs in is called so in the vault, whatever it is; it is sealed for this name too.
TOKEN = "token"  # noqa: S105 - the name of a field
BELFRY = "Belfry"


@dataclass(frozen=True)
class Renewed:
    """What signs in from now on, and when that ends by itself, where it does."""

    ends_at: datetime | None
    secret: str = field(repr=False)


class Renewals(Protocol):
    """How a login is renewed that is another one after each use, so that nobody uses the same one twice."""

    def renew(self, seen: str, ask: Callable[[str, bool], Renewed]) -> str:
        """What signs in now, other than what was seen: what somebody else renewed meanwhile, or what `ask` gets.

        `ask` is handed the login and whether the answer of a renewal before may have been lost. One at a time asks,
        outside of any transaction, and what it got is stored before it is returned. Raises what `ask` raises,
        SyncFailed where somebody else takes too long, ConnectionNotFound and ConnectionEnded.
        """


class ErrorMemory(Protocol):
    """When a service had errors of its own with an account, in whichever process it was asked."""

    def recent(self, now: datetime) -> list[datetime]:
        """Those of the last hour, the oldest first."""

    def note(self, now: datetime) -> None:
        """There was one now. For whoever holds no transaction."""


@dataclass(frozen=True)
class Login:
    """An account and what signs in to it. `set_at` is since when it has been this one, for `note_refused`.

    `secret` is what the service's own door made of what somebody gave: a token, or a key with all that belongs to it.
    """

    connection_id: UUID
    service: str
    account_id: str
    name: str
    zone: str | None
    currency: str | None
    app_id: str | None
    set_at: datetime | None
    secret: str = field(repr=False)
    # When the service said last when it ends; None where it never did.
    end_known_at: datetime | None = None
    # Where the service changes the login with its use.
    renewals: Renewals | None = field(default=None, repr=False, compare=False)
    # Where the service locks accounts after too many errors.
    errors: ErrorMemory | None = field(default=None, repr=False, compare=False)


def open_login(
    session: Session, *, sealer: Sealer, organization_id: UUID, connection_id: UUID, run_id: UUID, now: datetime
) -> Login:
    """The login of a connection, for a run. To be asked for once in each attempt: every call is an audit row.

    Raises ConnectionNotFound, ConnectionEnded, ConnectionRefused, SecretNotFound, KeyUnknown or SealBroken.
    """
    connection = load_connection(session, organization_id=organization_id, connection_id=connection_id)
    if connection.state == ConnectionState.REFUSED.value:
        raise ConnectionRefused(_refused_words(connection))
    login = _opened(session, sealer, connection)
    note_opened(session, connection, by_belfry(organization_id), f"for run {run_id}", now)
    return login


def open_for_test(
    session: Session, *, sealer: Sealer, actor: Actor, connection_id: UUID, now: datetime
) -> Login:  # fmt: skip
    """The login of a connection, for a test that somebody asked for, whether it is refused or not. Audited as well.

    Raises what `open_login` raises, but for ConnectionRefused.
    """
    connection = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    login = _opened(session, sealer, connection)
    note_opened(session, connection, actor, "for a test", now)
    return login


def note_used(session: Session, *, organization_id: UUID, connection_id: UUID, now: datetime) -> None:
    """Remember that a read through it went well."""
    mine = Connection.organization_id == organization_id, Connection.id == connection_id
    session.execute(update(Connection).where(*mine).values(last_used_at=now))


def note_login_facts(session: Session, login: Login, facts: LoginFacts, *, organization_id: UUID) -> None:
    """Remember what the service says of a login now; nothing where it says nothing, or the login was replaced since.

    An end that is another one is warned of anew.
    """
    if facts.known_at is None:
        return
    connection = load_connection(session, organization_id=organization_id, connection_id=login.connection_id)
    mine = Connection.organization_id == organization_id, Connection.id == login.connection_id
    values = {"expires_at": facts.expires_at, "data_expires_at": facts.data_expires_at}
    values |= {"expiry_known_at": facts.known_at}
    if first_end(connection.expires_at, connection.data_expires_at) != facts.ends_at:
        values["expiry_told"] = None
    app_id = facts.app_id or connection.app_id
    session.execute(
        update(Connection).where(*mine, Connection.secret_set_at == login.set_at).values(**values, app_id=app_id)
    )


def note_refused(
    session: Session,
    *,
    organization_id: UUID,
    connection_id: UUID,
    reason: str,
    trouble: TroubleClass,
    now: datetime,
    set_at: datetime | None = None,
) -> bool:
    """Say that the service no longer takes the login: one event and one audit row, for the first who says so.

    False where it was known, or where the login of `set_at` was replaced meanwhile: its refusal says nothing of the
    new one. Whoever gets True pauses what depends on it, in the same transaction. `reason` holds no secret.
    """
    where = [
        Connection.organization_id == organization_id,
        Connection.id == connection_id,
        Connection.state == ConnectionState.CONNECTED.value,
    ]
    if set_at is not None:
        where.append(Connection.secret_set_at == set_at)
    values = {"state": ConnectionState.REFUSED.value, "refused_at": now, "refused_reason": reason, "updated_at": now}
    if count_changed(session, update(Connection).where(*where).values(refused_class=trouble.value, **values)) != 1:
        return False
    connection = load_connection(session, organization_id=organization_id, connection_id=connection_id)
    summary = f"The login of “{connection.name}” is refused: {reason}"
    actor = by_belfry(organization_id)
    record(
        session, actor=actor, action="connection.refused", subject_kind="connection", subject_id=connection_id,
        summary=summary, now=now,
    )  # fmt: skip
    append_event(
        session, organization_id=organization_id, topic=Topic.CONNECTIONS, kind="connection.refused",
        subject_id=connection_id, now=now, data={"reason": reason, "class": trouble.value},
    )  # fmt: skip
    return True


def by_belfry(organization_id: UUID) -> Actor:
    """Belfry itself, as the audit names it."""
    return Actor(organization_id, Role.OWNER, BELFRY)


def secret_of(session: Session, sealer: Sealer, connection: Connection) -> str:
    """What signs in. Whoever asks says in the audit what for. Raises SecretNotFound, KeyUnknown or SealBroken."""
    if connection.secret_id is None:
        raise SecretNotFound(f"“{connection.name}” has no login. Reconnect it.")
    owner = SecretOwner.connection(connection.organization_id, connection.id)
    return open_secret(session, sealer=sealer, owner=owner, secret_id=connection.secret_id, field=TOKEN)


def _opened(session: Session, sealer: Sealer, connection: Connection) -> Login:
    return Login(
        connection_id=connection.id,
        service=connection.service,
        account_id=connection.account_id,
        name=connection.name,
        zone=connection.zone,
        currency=connection.currency,
        app_id=connection.app_id,
        set_at=connection.secret_set_at,
        end_known_at=connection.expiry_known_at,
        secret=secret_of(session, sealer, connection),
    )


def note_opened(session: Session, connection: Connection, actor: Actor, what_for: str, now: datetime) -> None:
    """Write into the audit that a login was opened, and what for."""
    record(
        session, actor=actor, action="connection.opened", subject_kind="connection", subject_id=connection.id,
        summary=f"Opened the login of “{connection.name}” {what_for}", now=now,
    )  # fmt: skip


def _refused_words(connection: Connection) -> str:
    said = f" {connection.refused_reason}" if connection.refused_reason else ""
    return f"The login of “{connection.name}” is refused.{said} Reconnect it on the page of connections."
