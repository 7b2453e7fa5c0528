"""Which role of the database may do what with which table, and whose rows it sees. Applied after every migration.

A table that is missing here can be used by nobody, so a forgotten entry fails closed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.core.ids import digest
from app.core.scopes import ORGANIZATION_SETTING, USER_SETTING, DatabaseRole, role_name
from app.tenants.models import SYSTEM_ORGANIZATION_ID

TENANT, ENGINE, IDENTITY, PLATFORM = DatabaseRole
# Unset settings read as '' once a transaction has used them; that must mean nobody, not an error.
ORGANIZATION = f"NULLIF(current_setting('{ORGANIZATION_SETTING}', true), '')::uuid"
PERSON = f"NULLIF(current_setting('{USER_SETTING}', true), '')::uuid"
EVERYTHING = "true"
OWN_ROWS = f"organization_id = {ORGANIZATION}"
SYSTEM_ROWS = f"organization_id = '{SYSTEM_ORGANIZATION_ID}'"


@dataclass(frozen=True)
class Access:
    """What one role may do with one table. Rights are SQL's, with columns in brackets; `rows` is a condition."""

    role: DatabaseRole
    rights: tuple[str, ...]
    rows: str = EVERYTHING


ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
_USER = "id, email, name, is_platform_admin, timezone, disabled_at, created_at"
_COLLEAGUES = f"id = {PERSON} OR id IN (SELECT user_id FROM memberships WHERE {OWN_ROWS})"  # noqa: S608 - constants
_ATTEMPT = "run_id, token, organization_id, number, state, worker, started_at, finished_at"
_RUN = (
    "id, organization_id, job_id, schedule_id, slot_at, due_at, trigger, requested_by, request_key, retry_of_run_id, "
    "kind, job_name, tries, retry_delay_seconds, retry_backoff, time_limit_seconds, state, reason, error, attempt, "
    "token, worker, lease_until, ready_at, hinted_at, created_at, started_at, finished_at, dismissed_at"
)
_JOB = "id, organization_id, name, kind, service, deleted_at"
_SCHEDULE = (
    "id, organization_id, job_id, name, cron, timezone, spread_key, clock_change, overlap, missed, "
    "missed_max_age_seconds, enabled, problem, next_run_at, default_for, version, created_at, updated_at, deleted_at"
)


def _own(*rights: str) -> Access:
    return Access(TENANT, rights, OWN_ROWS)


TABLES: dict[str, tuple[Access, ...]] = {
    "organizations": (
        Access(TENANT, ("SELECT", "UPDATE (name, timezone)"), f"id = {ORGANIZATION}"),
        Access(IDENTITY, ("SELECT", "INSERT")),
        Access(PLATFORM, ("SELECT",)),
    ),
    "users": (
        Access(TENANT, (f"SELECT ({_USER})",), _COLLEAGUES),
        Access(IDENTITY, ("SELECT", "INSERT", "UPDATE")),
    ),
    "memberships": (
        _own(*ALL),
        Access(IDENTITY, ("SELECT", "INSERT", "DELETE")),
    ),
    "login_sessions": (_own("SELECT", "DELETE"), Access(IDENTITY, ALL)),
    "setup_links": (Access(IDENTITY, ALL),),
    "sign_in_failures": (Access(IDENTITY, ALL),),
    "invitations": (_own(*ALL), Access(IDENTITY, ("SELECT", "UPDATE"))),
    "api_tokens": (_own(*ALL), Access(IDENTITY, ("SELECT", "UPDATE (last_used_at)"))),
    "idempotency_keys": (_own(*ALL),),
    # Nobody changes what the audit says, and nobody takes anything out.
    "audit_entries": (
        _own("SELECT", "INSERT"),
        Access(IDENTITY, ("INSERT",)),
        Access(PLATFORM, ("INSERT",), SYSTEM_ROWS),
    ),
    "events": (_own("SELECT", "INSERT"), Access(ENGINE, ("SELECT", "INSERT"))),
    "secrets": (_own(*ALL),),
    "jobs": (_own(*ALL), Access(ENGINE, ("SELECT",)), Access(PLATFORM, (f"SELECT ({_JOB})",))),
    "schedules": (_own(*ALL), Access(ENGINE, ("SELECT", "UPDATE")), Access(PLATFORM, (f"SELECT ({_SCHEDULE})",))),
    "gaps": (_own(*ALL), Access(ENGINE, ("SELECT", "INSERT"))),
    "runs": (
        _own(*ALL),
        Access(ENGINE, ("SELECT", "INSERT", "UPDATE")),
        Access(PLATFORM, (f"SELECT ({_RUN})",)),
    ),
    "attempts": (
        _own(*ALL),
        # What an attempt reported is written by its organization alone; the engine only says how it stands.
        Access(ENGINE, (f"SELECT ({_ATTEMPT})", "INSERT", "UPDATE (state, error, detail, result, finished_at)")),
        Access(PLATFORM, (f"SELECT ({_ATTEMPT})",)),
    ),
    "log_lines": (_own(*ALL),),
    "heartbeats": (Access(ENGINE, ALL), Access(TENANT, ("SELECT",)), Access(PLATFORM, ("SELECT",))),
    "scheduling_stops": (
        Access(ENGINE, ("SELECT",)),
        Access(TENANT, ("SELECT",)),
        Access(PLATFORM, ("SELECT", "INSERT", "UPDATE")),
    ),
    "queue_switches": (Access(ENGINE, ("SELECT",)), Access(TENANT, ("SELECT",)), Access(PLATFORM, ALL)),
}


def apply_row_security(connection: Connection, *, login: str, is_forced: bool = False) -> None:
    """Bring rights and policies of every table to what stands here.

    Changing a policy keeps everybody from its table for a moment, so nothing is done where nothing changed.
    """
    statements = list(_statements(login, connection.dialect.identifier_preparer.quote))
    version = digest("\n".join(statements))
    if is_forced or connection.scalar(_READ_VERSION) != version:
        for statement in [*statements, f"COMMENT ON TABLE alembic_version IS '{version}'"]:
            connection.exec_driver_sql(statement)


_READ_VERSION = text("SELECT obj_description('alembic_version'::regclass)")


def _statements(login: str, quote: Callable[[str], str]) -> Iterator[str]:
    names = {role: quote(role_name(login, role)) for role in DatabaseRole}
    roles = ", ".join(names.values())
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}, PUBLIC"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {roles}, {quote(login)}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {roles}"
    # To see whether the tables are the ones this code was written for.
    yield f"GRANT SELECT ON alembic_version TO {quote(login)}"
    for table, accesses in TABLES.items():
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
        for access in accesses:
            yield from _access_statements(table, access, names[access.role])


def _access_statements(table: str, access: Access, role: str) -> Iterator[str]:
    policy = f"{table}_{access.role.value}"
    yield f"GRANT {', '.join(access.rights)} ON {table} TO {role}"
    yield f"DROP POLICY IF EXISTS {policy} ON {table}"
    yield f"CREATE POLICY {policy} ON {table} TO {role} USING ({access.rows}) WITH CHECK ({access.rows})"
