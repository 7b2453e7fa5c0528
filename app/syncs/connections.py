"""Connections: the outside accounts of an organization. How they sign in lies in the vault.

What days and money mean in an account never changes in place: figures before and after could not be compared.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.syncs.models import Connection
from app.syncs.standing import ConnectionState

__all__ = [
    "Account", "AccountChanged", "ConnectionEnded", "ConnectionNotFound", "ConnectionRefused", "ConnectionState",
    "hold_connection", "load_connection", "lock_for_landing", "refuse_other_account",
]  # fmt: skip


class ConnectionNotFound(NotFound):
    """No such connection of this organization."""


class ConnectionEnded(Conflict):
    """Somebody disconnected it."""


class ConnectionRefused(Conflict):
    """The service no longer takes its login, and nobody has reconnected it yet."""


class AccountChanged(Conflict):
    """The account has another time zone or currency than what was landed from it."""


@dataclass(frozen=True)
class Account:
    """What days and money mean in an account."""

    zone: str | None
    currency: str | None


class KnownAccount(Protocol):
    """What is known of an account: nothing of its zone and currency before it was asked for the first time."""

    @property
    def name(self) -> str: ...
    @property
    def zone(self) -> str | None: ...
    @property
    def currency(self) -> str | None: ...


def load_connection(session: Session, *, organization_id: UUID, connection_id: UUID) -> Connection:
    """Its row as it is stored now. Raises ConnectionNotFound or ConnectionEnded."""
    query = (
        select(Connection)
        .where(Connection.organization_id == organization_id, Connection.id == connection_id)
        .execution_options(populate_existing=True)
    )
    connection = session.scalar(query)
    if connection is None:
        raise ConnectionNotFound("This connection is gone.")
    if connection.state == ConnectionState.DISCONNECTED.value:
        raise ConnectionEnded(f"“{connection.name}” was disconnected.")
    return connection


def hold_connection(session: Session, *, organization_id: UUID, connection_id: UUID) -> None:
    """Wait until nobody else holds this connection, and keep it so to the end of the transaction."""
    # Rows may point at it meanwhile.
    session.execute(
        select(Connection.id)
        .where(Connection.organization_id == organization_id, Connection.id == connection_id)
        .with_for_update(key_share=True)
    )


def lock_for_landing(session: Session, *, organization_id: UUID, connection_id: UUID, account: Account) -> None:
    """Wait until nobody else lands anything of this connection, and keep it so to the end of the transaction.

    The first landing tells the zone and currency. Raises ConnectionNotFound, ConnectionEnded or AccountChanged.
    """
    # Rows may point at it meanwhile: pages and runs do not wait for a landing. SQLite has one writer anyway.
    query = (
        select(Connection)
        .where(Connection.organization_id == organization_id, Connection.id == connection_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    connection = session.scalar(query)
    if connection is None:
        raise ConnectionNotFound("This connection is gone.")
    if connection.state == ConnectionState.DISCONNECTED.value:
        raise ConnectionEnded(f"“{connection.name}” was disconnected.")
    connection.zone = connection.zone or account.zone
    connection.currency = connection.currency or account.currency
    refuse_other_account(connection, account)


def refuse_other_account(connection: KnownAccount, account: Account) -> None:
    """Raises AccountChanged where days or money would mean something else than before."""
    was = connection.zone or account.zone, connection.currency or account.currency
    if was == (account.zone, account.currency):
        return
    before, after = ", ".join(map(str, was)), f"{account.zone}, {account.currency}"
    raise AccountChanged(
        f"The account of “{connection.name}” has another time zone or currency now ({after}) than its figures here "
        f"({before}). Nothing was landed, for the two must not be mixed. Connect the account anew."
    )
