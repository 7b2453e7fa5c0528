"""As whom a database session works. On PostgreSQL each role sees its own part, and a tenant's only its own rows.

The application scopes every query itself. What it forgets is stopped here; SQLite has the first lock alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, SessionTransaction

SCOPE = "scope"
# What the policies read. Settings of one transaction, never of a session: a pooled connection would keep those.
ORGANIZATION_SETTING = "belfry.organization_id"
USER_SETTING = "belfry.user_id"

_TAKE_ON = text(
    "SELECT set_config('role', :role, true), "
    f"set_config('{ORGANIZATION_SETTING}', :organization_id, true), set_config('{USER_SETTING}', :user_id, true)"
)


class ScopeMissing(RuntimeError):
    """A session was used before it said as whom it works: a mistake in the code."""


class DatabaseRole(StrEnum):
    """The roles of an installation's database. Each is named after the login that may take it on."""

    TENANT = "tenant"  # one organization's rows, under row-level security
    ENGINE = "engine"  # schedules and runs of all tenants, for planning and dispatch; no outputs, no secrets, no people
    IDENTITY = "identity"  # people, memberships and what they sign in with
    PLATFORM = "platform"  # runs, queues and workers of all tenants, for platform admins; no outputs, no secrets


@dataclass(frozen=True)
class Scope:
    """A role, and for a tenant's the organization and the person."""

    role: DatabaseRole | None
    organization_id: UUID | None = None
    user_id: UUID | None = None

    @classmethod
    def tenant(cls, organization_id: UUID, user_id: UUID | None = None) -> "Scope":
        """One organization, on behalf of a person if there is one."""
        return cls(DatabaseRole.TENANT, organization_id, user_id)


ENGINE = Scope(DatabaseRole.ENGINE)
IDENTITY = Scope(DatabaseRole.IDENTITY)
PLATFORM = Scope(DatabaseRole.PLATFORM)
# The login itself, which may read no table of ours: enough to ask for the time.
NOBODY = Scope(None)


def role_name(login: str, role: DatabaseRole) -> str:
    """The role's name in the cluster, where several installations may live side by side."""
    return f"{login}_{role.value}"


def rescope(session: Session, scope: Scope) -> None:
    """Go on as somebody else, in the same transaction."""
    session.info[SCOPE] = scope
    if session.in_transaction():
        _take_on(scope, session.connection())


@contextmanager
def rescoped(session: Session, scope: Scope) -> Iterator[None]:
    """Go on as somebody else for as long as the block lasts, in the same transaction."""
    before = scope_of(session)
    try:
        rescope(session, scope)
        yield
    except BaseException:
        # Whoever catches this goes on as before. A transaction that refuses the way back is lost, and opens nothing.
        with suppress(SQLAlchemyError):
            rescope(session, before)
        raise
    rescope(session, before)


def scope_of(session: Session) -> Scope:
    """As whom a session works. Raises ScopeMissing."""
    given: Scope | Callable[[], Scope] | None = session.info.get(SCOPE)
    if given is None:
        raise ScopeMissing("say as whom this session works: Database.transaction(scope) or Database.reading(scope)")
    return given() if callable(given) else given


def _on_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    scope = scope_of(session)
    # A savepoint is still the transaction that took the role on.
    if not transaction.nested:
        _take_on(scope, connection)


def _take_on(scope: Scope, connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    connection.execute(_TAKE_ON, role_settings(connection.engine, scope))


def role_settings(engine: Engine, scope: Scope) -> dict[str, str]:
    """What a transaction of this login sets to take a scope on."""
    return {
        "role": "none" if scope.role is None else role_name(engine.url.username or "", scope.role),
        "organization_id": str(scope.organization_id or ""),
        "user_id": str(scope.user_id or ""),
    }


event.listen(Session, "after_begin", _on_begin)
