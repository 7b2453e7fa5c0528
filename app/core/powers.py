"""What a login of PostgreSQL may do besides its work: row-level security holds back none of these."""

from typing import Any

from sqlalchemy import Connection, text

from app.core.scopes import DatabaseRole, role_name

# Also what it could take on: SET ROLE is one statement. A superuser is a member of everything.
_IS_POWERFUL = """(
    EXISTS (
        SELECT FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolname = 'pg_write_all_data' OR rolname = 'pg_read_all_data')
    ) OR EXISTS (
        SELECT FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND pg_has_role(session_user, relowner, 'MEMBER')
    ) OR EXISTS (
        SELECT FROM pg_namespace WHERE nspname = 'public' AND pg_has_role(session_user, nspowner, 'MEMBER')
    ) OR EXISTS (
        SELECT FROM pg_database WHERE datname = current_database() AND pg_has_role(session_user, datdba, 'MEMBER')
    ) OR has_schema_privilege(session_user, 'public', 'CREATE')
)"""
# One that inherits has the rights of all four roles at once, without taking any of them on.
_INHERITS = "EXISTS (SELECT FROM pg_roles WHERE rolname = ANY(:names) AND pg_has_role(oid, 'USAGE'))"
_HAS_ROLES = """(
    (
        SELECT count(*) FROM pg_roles WHERE rolname = ANY(:names) AND pg_has_role(session_user, oid, 'MEMBER')
    ) = :roles AND EXISTS (
        SELECT FROM pg_policies WHERE schemaname = 'public' AND :tenant = ANY(roles)
    )
)"""
_HAS_VERSION = "(SELECT array_agg(CAST(version_num AS text)) FROM alembic_version) = ARRAY[CAST(:version AS text)]"


def is_too_powerful(connection: Connection, login: str) -> bool:
    """Whether nothing would keep the login of this connection from another organization's rows."""
    if connection.scalar(text(f"SELECT {_IS_POWERFUL}")):
        return True
    return bool(connection.scalar(text(f"SELECT {_INHERITS}"), {"names": role_names(login)}))


def has_its_roles(connection: Connection, login: str) -> bool:
    """Whether the database is set up for this login: it may take its four roles on, and policies name them."""
    return bool(connection.scalar(text(f"SELECT {_HAS_ROLES}"), _names(login)))


def is_all_well(connection: Connection, login: str, *, version: str, is_strict: bool) -> bool:
    """All of it at once: the tables are of this version, the login has its roles and, if strict, not too much power.

    One statement, for whoever asks again and again. Fails where there are no tables, or none that may be read.
    """
    wanted = f"{_HAS_VERSION} AND {_HAS_ROLES}" + (f" AND NOT {_IS_POWERFUL} AND NOT {_INHERITS}" if is_strict else "")
    return bool(connection.scalar(text(f"SELECT {wanted}"), _names(login) | {"version": version}))


def _names(login: str) -> dict[str, Any]:
    names = role_names(login)
    return {"names": names, "roles": len(names), "tenant": role_name(login, DatabaseRole.TENANT)}


def role_names(login: str) -> list[str]:
    """The roles of an installation with this login."""
    return [role_name(login, role) for role in DatabaseRole]
