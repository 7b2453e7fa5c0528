"""Commands on connections: make, rename, give another login, note a test, disconnect. Reads are in connection_rows."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.core.names import clean_name
from app.core.sealing import Sealer
from app.events.changes import record_change
from app.events.service import Topic
from app.syncs.calls.troubles import TroubleClass
from app.syncs.connection_tests import keep_test
from app.syncs.connections import Account, AccountChanged, ConnectionEnded, load_connection, refuse_other_account
from app.syncs.logins import TOKEN
from app.syncs.models import Connection
from app.syncs.signs.registry import sign_of
from app.syncs.standing import ConnectionState, LoginFacts, Seen, Tried
from app.tenants.access import Actor, Permission, require
from app.vault import service as vault
from app.vault.service import SecretOwner

LONGEST_NAME = 120
# More accounts than anybody has; pages and passes go through all of them.
MOST_CONNECTIONS = 200
_IN_USE = Connection.state != ConnectionState.DISCONNECTED.value


class ConnectionNameTaken(Conflict):
    """Another connection of the organization is called so."""


class AccountTaken(Conflict):
    """The organization has connected this account already."""


class TooManyConnections(Conflict):
    """The organization has as many as any may have."""


class OtherAccount(Invalid):
    """The login reads another account than the connection's."""


@dataclass(frozen=True)
class ConnectionDraft:
    """What somebody says of a new connection. Its account is the one that was seen when the login was tried."""

    service: str
    name: str
    secret: str = field(repr=False)


def make_connection(
    session: Session, *, actor: Actor, sealer: Sealer, draft: ConnectionDraft, tried: Tried, now: datetime
) -> UUID:
    """Connect an account whose login was tried and is good. Nothing is switched on.

    Where trying it made it another one, that is kept.
    Raises NameInvalid, SecretInvalid, ConnectionNameTaken, AccountTaken or TooManyConnections.
    """
    require(actor, Permission.MANAGE_CONNECTIONS)
    seen = _good(tried)
    name = clean_name(draft.name, noun="connection", longest=LONGEST_NAME)
    secret = sign_of(draft.service).clean_secret(tried.secret or draft.secret)
    _refuse_too_many(session, actor)
    connection = Connection(
        id=new_id(),
        organization_id=actor.organization_id,
        name=name,
        service=draft.service,
        account_id=seen.account_id,
        zone=seen.zone,
        currency=seen.currency,
        state=ConnectionState.CONNECTED.value,
        made_by=actor.label,
        created_at=now,
        updated_at=now,
        **_facts(seen.login),
    )
    _add(session, actor, connection)
    owner = SecretOwner.connection(actor.organization_id, connection.id)
    secret_id = vault.seal(session, sealer=sealer, owner=owner, field=TOKEN, value=secret, now=now)
    _set_login(session, connection, secret_id, secret, now)
    _note(session, actor, connection.id, "created", f"Connected “{name}”, account {seen.account_id}", now)
    keep_test(session, actor, connection.id, tried, now)
    return connection.id


def rename_connection(session: Session, *, actor: Actor, connection_id: UUID, name: str, now: datetime) -> None:
    """Call it otherwise. Raises NameInvalid, ConnectionNameTaken, ConnectionNotFound or ConnectionEnded."""
    require(actor, Permission.MANAGE_CONNECTIONS)
    wanted = clean_name(name, noun="connection", longest=LONGEST_NAME)
    before = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    was = before.name
    if was == wanted:
        return
    try:
        with session.begin_nested():
            _change(session, before, name=wanted, updated_at=now)
    except IntegrityError as error:
        raise _name_taken(wanted) from error
    summary = f"Renamed the connection “{was}” to “{wanted}”"
    _note(session, actor, connection_id, "renamed", summary, now, {"name": [was, wanted]})


def replace_login(
    session: Session, *, actor: Actor, sealer: Sealer, connection_id: UUID, secret: str, tried: Tried, now: datetime
) -> bool:
    """Give it another login, which was tried and reads its account. Runs that wait use the new one, too.

    Returns whether it had been refused before. Raises SecretInvalid, OtherAccount, AccountChanged, ConnectionNotFound
    or ConnectionEnded.
    """
    require(actor, Permission.MANAGE_CONNECTIONS)
    seen = _good(tried)
    connection = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    value = sign_of(connection.service).clean_secret(tried.secret or secret)
    if seen.account_id != connection.account_id:
        raise OtherAccount(f"This login reads another account than {connection.account_id}.", field="token")
    refuse_other_account(connection, Account(seen.zone, seen.currency))
    was_refused = connection.state == ConnectionState.REFUSED.value
    # The row first: whoever disconnects it at this moment waits, or has been faster, and then nothing is sealed.
    _change(session, connection, expiry_told=None, updated_at=now, **_facts(seen.login), **_CLEARED)
    owner = SecretOwner.connection(actor.organization_id, connection_id)
    secret_id = connection.secret_id
    if secret_id is None or not vault.replace(
        session, sealer=sealer, owner=owner, secret_id=secret_id, field=TOKEN, value=value
    ):
        secret_id = vault.seal(session, sealer=sealer, owner=owner, field=TOKEN, value=value, now=now)
    _set_login(session, connection, secret_id, value, now)
    verb = "reconnected" if was_refused else "rotated"
    words = "Reconnected" if was_refused else "Replaced the login of"
    _note(session, actor, connection_id, verb, f"{words} “{connection.name}”", now)
    keep_test(session, actor, connection_id, tried, now)
    return was_refused


@dataclass(frozen=True)
class Noted:
    """A test as it was kept. `has_healed` says that it ended a refusal."""

    tried: Tried
    has_healed: bool


def note_test(session: Session, *, actor: Actor, connection_id: UUID, tried: Tried, now: datetime) -> Noted:
    """Keep what a test found. A good one ends a refusal, unless the account means other days or money than before.

    Raises ConnectionNotFound or ConnectionEnded.
    """
    require(actor, Permission.RUN)
    connection = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    tried = _compared(connection, tried)
    healed = tried.is_good and connection.state == ConnectionState.REFUSED.value
    if tried.seen is not None:
        told = connection.expiry_told if _ends_alike(connection, tried.seen.login) else None
        facts = _facts(tried.seen.login) if tried.seen.login.known_at is not None else {}
        _change(session, connection, expiry_told=told, updated_at=now, **facts, **(_CLEARED if healed else {}))
    keep_test(session, actor, connection_id, tried, now)
    outcome = "ok" if tried.is_good else "failed"
    _note(session, actor, connection_id, "tested", f"Tested “{connection.name}”, {outcome}: {tried.words}", now)
    return Noted(tried, healed)


def end_connection(session: Session, *, actor: Actor, connection_id: UUID, now: datetime) -> str:
    """Disconnect: its login is deleted at once, its figures stay. Returns its name.

    Whoever calls it pauses what depends on it, in the same transaction. Raises ConnectionNotFound or ConnectionEnded.
    """
    require(actor, Permission.MANAGE_CONNECTIONS)
    connection = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    _change(
        session, connection, state=ConnectionState.DISCONNECTED.value, ended_at=now, ended_by=actor.label,
        updated_at=now, secret_id=None, secret_hint=None, secret_set_at=None,
    )  # fmt: skip
    vault.erase(session, owner=SecretOwner.connection(actor.organization_id, connection_id))
    _note(session, actor, connection_id, "disconnected", f"Disconnected “{connection.name}”", now)
    return connection.name


_CLEARED: dict[str, Any] = {
    "state": ConnectionState.CONNECTED.value,
    "refused_at": None,
    "refused_reason": None,
    "refused_class": None,
}


def _compared(connection: Connection, tried: Tried) -> Tried:
    if tried.seen is None:
        return tried
    try:
        refuse_other_account(connection, Account(tried.seen.zone, tried.seen.currency))
    except AccountChanged as error:
        return Tried(error.message, tried.seconds, trouble=TroubleClass.DATA_QUALITY)
    return tried


def _good(tried: Tried) -> Seen:
    if tried.seen is None:
        raise RuntimeError("a login that was not tried, or is not good, makes no connection")
    return tried.seen


def _facts(login: LoginFacts) -> dict[str, Any]:
    return {
        "app_id": login.app_id,
        "expires_at": login.expires_at,
        "data_expires_at": login.data_expires_at,
        "expiry_known_at": login.known_at,
    }


def _ends_alike(connection: Connection, login: LoginFacts) -> bool:
    return login.known_at is None or (connection.expires_at, connection.data_expires_at) == (
        login.expires_at,
        login.data_expires_at,
    )


def _add(session: Session, actor: Actor, connection: Connection) -> None:
    try:
        # The unique indexes decide; a look before the insert could be overtaken.
        with session.begin_nested():
            session.add(connection)
    except IntegrityError as error:
        here = Connection.organization_id == actor.organization_id, _IN_USE
        same = Connection.service == connection.service, Connection.account_id == connection.account_id
        other = session.scalar(select(Connection.name).where(*here, *same))
        if other is None:
            raise _name_taken(connection.name) from error
        raise AccountTaken(
            f"This account is connected already, as “{other}”. Replace the login there.", field="account_id"
        ) from error


def _name_taken(name: str) -> ConnectionNameTaken:
    return ConnectionNameTaken(f"Another connection is called “{name}”. Choose another name.", field="name")


def _refuse_too_many(session: Session, actor: Actor) -> None:
    count = select(func.count()).select_from(Connection)
    if (session.scalar(count.where(Connection.organization_id == actor.organization_id, _IN_USE)) or 0) >= (
        MOST_CONNECTIONS
    ):
        raise TooManyConnections(f"An organization has at most {MOST_CONNECTIONS} connections. Disconnect some first.")


def _set_login(session: Session, connection: Connection, secret_id: UUID, secret: str, now: datetime) -> None:
    hint = sign_of(connection.service).hint_of(secret)
    _change(session, connection, secret_id=secret_id, secret_hint=hint, secret_set_at=now)


def _change(session: Session, connection: Connection, **values: Any) -> None:
    """Write it, unless somebody disconnected it meanwhile. Raises ConnectionEnded."""
    mine = Connection.organization_id == connection.organization_id, Connection.id == connection.id
    if count_changed(session, update(Connection).where(*mine, _IN_USE).values(**values)) != 1:
        raise ConnectionEnded(f"“{connection.name}” was disconnected.")


def _note(
    session: Session, actor: Actor, connection_id: UUID, verb: str, summary: str, now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    record_change(
        session, actor=actor, topic=Topic.CONNECTIONS, action=f"connection.{verb}", subject_id=connection_id,
        summary=summary, now=now, changes=changes,
    )  # fmt: skip
