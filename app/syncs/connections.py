"""Connections: the outside accounts of an organization. How they sign in lies in the vault.

What days and money mean in an account never changes in place: figures before and after could not be compared.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.syncs.models import Connection


class ConnectionState(StrEnum):
    """How a connection stands."""

    CONNECTED = "connected"
    REFUSED = "refused"  # the service no longer takes its login
    DISCONNECTED = "disconnected"  # somebody ended it; what it brought stays


class ConnectionNotFound(NotFound):
    """No such connection of this organization."""


class ConnectionEnded(Conflict):
    """Somebody disconnected it."""


class AccountChanged(Conflict):
    """The account has another time zone or currency than what was landed from it."""


@dataclass(frozen=True)
class Account:
    """What days and money mean in an account."""

    zone: str
    currency: str | None


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
    if (connection.zone, connection.currency) != (account.zone, account.currency):
        raise AccountChanged(_other_account(connection, account))


def _other_account(connection: Connection, account: Account) -> str:
    was, now = f"{connection.zone}, {connection.currency}", f"{account.zone}, {account.currency}"
    return (
        f"The account of “{connection.name}” has another time zone or currency now ({now}) than its figures here "
        f"({was}). Nothing was landed, for the two must not be mixed. Connect the account anew."
    )
