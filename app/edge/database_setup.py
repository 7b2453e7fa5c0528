"""Sets a database up and keeps it up to date: roles, migrations, rights. Needs a login that may make them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ProgrammingError

from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.engines import wait_without_end
from app.core.errors import Unavailable
from app.core.schema import SETUP_COMMAND
from app.core.scopes import DatabaseRole, role_name
from app.edge.migrations import upgrade_database
from app.edge.row_security import apply_row_security

log = logging.getLogger(__name__)

# Any number, the same for every process: who upgrades holds it, and a second one waits.
_UPGRADE_LOCK = 0x62656C667279


class SetUpForAnother(Unavailable):
    """The database belongs to an installation with another login."""


class SchemaOpen(Unavailable):
    """Everybody may make tables here, and this login may not change that."""


class RolesMissing(Unavailable):
    """The database has no roles for this installation, and the login may not make them."""


def administering(settings: Settings) -> Settings:
    """The settings with the login that owns the tables: the admin URL's, where there is one."""
    return replace(settings, database_url=settings.database_admin_url or settings.database_url)


def bring_up_to_date(app: Flask, settings: Settings, *, is_forced: bool = False, takes_over: bool = False) -> None:
    """Make what is missing: folders and tables, on PostgreSQL also roles and rights. One process at a time.

    `app` has to be made with `administering(settings)`. With `takes_over` a database that was set up for another login
    becomes this one's. Raises RolesMissing, SetUpForAnother or SchemaOpen.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock_file = settings.data_dir / "migrate.lock"
    if settings.database_url.startswith("sqlite"):
        Path(make_url(settings.database_url).database or "").parent.mkdir(parents=True, exist_ok=True)
        upgrade_database(app, lock_file=lock_file)
        return
    database = open_database(administering(settings).database_url, connections=2)
    login = make_url(settings.database_url)
    try:
        with _upgrading_alone(database):
            with database.write.begin() as connection:
                if not takes_over:
                    _refuse_another(connection, _name(login))
                _make_roles(connection, login)
            upgrade_database(app, lock_file=lock_file)
            with database.write.begin() as connection:
                apply_row_security(connection, login=_name(login), is_forced=is_forced)
                _refuse_open_schema(connection, _name(login))
    finally:
        database.dispose()


@contextmanager
def _upgrading_alone(database: Database) -> Iterator[None]:
    with database.write.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Another one's migration may take longer than any statement of ours.
        wait_without_end(connection)
        connection.exec_driver_sql("SET lock_timeout = 0")
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _UPGRADE_LOCK})


def _refuse_another(connection: Connection, login: str) -> None:
    """Setting up for one login takes the policies away from the other, whose installation then sees nothing."""
    others = connection.scalars(_OTHER_TENANTS, {"mine": role_name(login, DatabaseRole.TENANT)}).all()
    if others:
        other = str(others[0]).removesuffix(f"_{DatabaseRole.TENANT.value}")
        raise SetUpForAnother(
            f"This database is set up for the login {other}, and BELFRY_DATABASE_URL names {login}. Name {other} "
            f"there, or hand the database over, which ends the other's access: {SETUP_COMMAND} --take-over"
        )


_OTHER_TENANTS = text(
    "SELECT DISTINCT role FROM pg_policies, unnest(roles) AS role "
    "WHERE schemaname = 'public' AND policyname = 'runs_tenant' AND role <> :mine"
)


def _refuse_open_schema(connection: Connection, login: str) -> None:
    may_create = text("SELECT has_schema_privilege(:login, 'public', 'CREATE') AND :login <> current_user")
    if connection.scalar(may_create, {"login": login}):
        raise SchemaOpen(
            "The login of BELFRY_DATABASE_URL may make tables of its own in the schema public. As the owner of that "
            "schema or a superuser run: REVOKE CREATE ON SCHEMA public FROM PUBLIC; then repeat this command."
        )


def _make_roles(connection: Connection, login: URL) -> None:
    try:
        _make_login(connection, login)
        for role in DatabaseRole:
            _make_role(connection, role, _name(login))
    except ProgrammingError as error:
        raise RolesMissing(
            f"The login of the database may not make roles. Set BELFRY_DATABASE_ADMIN_URL to one that may, and run: "
            f"{SETUP_COMMAND}"
        ) from error


def _make_login(connection: Connection, login: URL) -> None:
    name = connection.dialect.identifier_preparer.quote(_name(login))
    if not _exists(connection, _name(login)):
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN NOINHERIT")
        if login.password:
            # The statement takes no parameters, so the server quotes the password for us.
            quoted = connection.scalar(text("SELECT quote_literal(:password)"), {"password": str(login.password)})
            connection.exec_driver_sql(f"ALTER ROLE {name} PASSWORD {str(quoted).replace('%', '%%')}")
        log.info("login made", extra={"login": _name(login)})
    elif connection.scalar(_INHERITS_BUT_IS_NOT_US, {"login": _name(login)}):
        # It takes its roles on one at a time; with all of them at once nothing would hold it back.
        connection.exec_driver_sql(f"ALTER ROLE {name} NOINHERIT")
    database = connection.dialect.identifier_preparer.quote(str(login.database))
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {name}")


_INHERITS_BUT_IS_NOT_US = text("SELECT rolinherit FROM pg_roles WHERE rolname = :login AND rolname <> current_user")


def _make_role(connection: Connection, role: DatabaseRole, login: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    name = role_name(login, role)
    if not _exists(connection, name):
        connection.exec_driver_sql(f"CREATE ROLE {quote(name)} NOLOGIN NOBYPASSRLS")
    for power in connection.scalars(_POWERS_OF_ROLE, {"role": name}).all():
        connection.exec_driver_sql(f"ALTER ROLE {quote(name)} NO{power}")
    is_member = text("SELECT pg_has_role(:login, :role, 'MEMBER')")
    if not connection.scalar(is_member, {"login": login, "role": name}):
        connection.exec_driver_sql(f"GRANT {quote(name)} TO {quote(login)}")


_POWERS_OF_ROLE = text("""
    SELECT power FROM pg_roles, LATERAL (VALUES
        ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole), ('LOGIN', rolcanlogin)
    ) AS powers (power, is_held)
    WHERE rolname = :role AND is_held
""")


def _exists(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :name"), {"name": name}))


def _name(login: URL) -> str:
    return str(login.username)
