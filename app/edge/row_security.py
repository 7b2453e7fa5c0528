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
# The same for tables with rows that are found by their ids. No index can answer it, so none is taken for it that holds
# all rows of a tenant; queries that want those say so themselves.
OWN_ROWS_BY_ID = f"({OWN_ROWS}) IS TRUE"
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
_ATTEMPT = (
    "run_id, token, organization_id, number, state, worker, progress_done, progress_total, progress_text, "
    "error_class, come_back_at, started_at, finished_at"
)
_END = "state, error, detail, result, error_class, come_back_at, finished_at"
_RUN = (
    "id, organization_id, job_id, schedule_id, slot_at, due_at, trigger, requested_by, request_key, retry_of_run_id, "
    "parent_run_id, cause_run_id, again_of_run_id, requested_via, kind, job_name, tries, retry_delay_seconds, "
    "retry_backoff, retry_longest_delay_seconds, retry_has_jitter, retry_not_on, when_lost, soft_limit_seconds, "
    "time_limit_seconds, queue, priority, connection_key, aside_at, slow_at, cancel_requested_at, cancel_reason, "
    "cancel_words, state, reason, error, attempt, token, worker, lease_until, ready_at, hinted_at, created_at, "
    "started_at, finished_at, dismissed_at, removed_at, cause"
)
_JOB = (
    "id, organization_id, name, kind, service, queue, priority, concurrency, code_name, code_group, code_source, "
    "left_code_at, deleted_at"
)
_SCHEDULE = (
    "id, organization_id, job_id, name, cron, has_seconds, starts_at, ends_at, timezone, spread_key, clock_change, "
    "overlap, missed, tags, minutes, "
    "missed_max_age_seconds, missed_limit, switched_at, switched_by, made_by, owner_id, owner, notes, "
    "code_id, code_source, code_says, "
    "code_overrides, left_code_at, enabled, problem, next_run_at, default_for, version, created_at, updated_at, "
    "deleted_at, deleted_by, was_enabled"
)
# Its name and service are told when its runs fail.
_CONNECTION = "id, organization_id, name, service, state, expires_at, data_expires_at, expiry_told"
_BULK_ACTION = "id, organization_id, kind, state, next_at, actor_user_id"


def _own(*rights: str) -> Access:
    return Access(TENANT, rights, OWN_ROWS)


TABLES: dict[str, tuple[Access, ...]] = {
    "organizations": (
        Access(TENANT, ("SELECT", "UPDATE (name, timezone, runs_deleted_until)"), f"id = {ORGANIZATION}"),
        Access(IDENTITY, ("SELECT", "INSERT")),
        Access(ENGINE, ("SELECT (id, name, timezone, concurrency)",)),
        Access(PLATFORM, ("SELECT", "UPDATE (concurrency)")),
    ),
    "users": (
        Access(TENANT, (f"SELECT ({_USER})",), _COLLEAGUES),
        Access(IDENTITY, ("SELECT", "INSERT", "UPDATE")),
    ),
    "memberships": (
        # Who joins is decided where people are known: a tenant who could add anybody could then read who they are.
        _own("SELECT", "UPDATE", "DELETE"),
        Access(IDENTITY, ("SELECT", "INSERT", "DELETE")),
    ),
    "login_sessions": (_own("SELECT", "DELETE"), Access(IDENTITY, ALL)),
    "setup_links": (Access(IDENTITY, ALL),),
    "sign_in_failures": (Access(IDENTITY, ALL),),
    "invitations": (_own(*ALL), Access(IDENTITY, ("SELECT", "UPDATE"))),
    "api_tokens": (_own(*ALL), Access(IDENTITY, ("SELECT", "UPDATE (last_used_at)"))),
    "idempotency_keys": (_own(*ALL),),
    "saved_views": (_own(*ALL),),
    # Nobody changes what the audit says, and nobody takes anything out.
    "audit_entries": (
        _own("SELECT", "INSERT"),
        Access(IDENTITY, ("INSERT",)),
        Access(PLATFORM, ("INSERT",), SYSTEM_ROWS),
    ),
    # Nobody changes a fact; the engine deletes old ones.
    "events": (_own("SELECT", "INSERT"), Access(ENGINE, ("SELECT", "INSERT", "DELETE"))),
    "secrets": (_own(*ALL),),
    "jobs": (_own(*ALL), Access(ENGINE, ("SELECT",)), Access(PLATFORM, (f"SELECT ({_JOB})",))),
    # The engine removes those for good that were deleted long ago.
    "schedules": (
        _own(*ALL),
        Access(ENGINE, ("SELECT", "UPDATE", "DELETE")),
        Access(PLATFORM, (f"SELECT ({_SCHEDULE})",)),
    ),
    # Nobody changes what a schedule once said.
    "schedule_versions": (
        _own("SELECT", "INSERT"),
        Access(ENGINE, ("SELECT (organization_id, schedule_id, version)", "DELETE")),
    ),
    "gaps": (_own(*ALL), Access(ENGINE, ("SELECT", "INSERT", "DELETE"))),
    "runs": (
        Access(TENANT, ALL, OWN_ROWS_BY_ID),
        Access(ENGINE, ("SELECT", "INSERT", "UPDATE")),
        Access(PLATFORM, (f"SELECT ({_RUN})",)),
    ),
    "attempts": (
        _own(*ALL),
        # What an attempt reported is written by its organization alone; the engine only says how it stands.
        Access(ENGINE, (f"SELECT ({_ATTEMPT})", "INSERT", f"UPDATE ({_END})")),
        Access(PLATFORM, (f"SELECT ({_ATTEMPT})",)),
    ),
    "log_lines": (_own(*ALL),),
    # The engine counts, for each organization by itself.
    "run_hours": (_own("SELECT"), Access(ENGINE, ALL)),
    "run_hour_marks": (_own("SELECT"), Access(ENGINE, ("SELECT", "INSERT", "UPDATE"))),
    "queue_minutes": (
        _own("SELECT"),
        Access(ENGINE, ("SELECT", "INSERT", "DELETE")),
        Access(PLATFORM, ("SELECT",)),
    ),
    "heartbeats": (Access(ENGINE, ALL), Access(TENANT, ("SELECT",)), Access(PLATFORM, ("SELECT",))),
    "scheduling_stops": (
        Access(ENGINE, ("SELECT",)),
        Access(TENANT, ("SELECT",)),
        Access(PLATFORM, ("SELECT", "INSERT", "UPDATE")),
    ),
    "clock_steps": (Access(ENGINE, ALL), Access(TENANT, ("SELECT",)), Access(PLATFORM, ("SELECT",))),
    "queues": (
        Access(ENGINE, ("SELECT", "UPDATE (tokens, tokens_at)")),
        Access(TENANT, ("SELECT",)),
        Access(PLATFORM, ALL),
    ),
    "connection_limits": (_own(*ALL), Access(ENGINE, ("SELECT", "INSERT", "UPDATE")), Access(PLATFORM, ("SELECT",))),
    "code_versions": (Access(PLATFORM, ALL),),
    # The engine finds those that are to be gone on with; they are carried out as their organization.
    "bulk_actions": (_own(*ALL), Access(ENGINE, (f"SELECT ({_BULK_ACTION})",))),
    "bulk_items": (_own(*ALL),),
    "job_chains": (_own(*ALL), Access(ENGINE, ("SELECT",))),
    # Figures and who is asked for them: the engine has no business with either. It finds logins that end, and names
    # the connection in what is told.
    "connections": (_own(*ALL), Access(ENGINE, (f"SELECT ({_CONNECTION})",))),
    "connection_tests": (_own("SELECT", "INSERT", "DELETE"),),
    "kpi_figures": (_own(*ALL),),
    "kpi_entities": (_own(*ALL),),
    # Nobody changes what the log of changes says; what is old goes.
    "kpi_changes": (_own("SELECT", "INSERT", "DELETE"),),
    # The engine finds out in which organizations something is promised.
    "kpi_streams": (_own(*ALL), Access(ENGINE, ("SELECT (organization_id, promised_minute)",))),
    "kpi_landings": (_own(*ALL),),
    "shop_orders": (_own(*ALL),),
    "shop_sales": (_own(*ALL),),
    "queue_switches": (Access(ENGINE, ("SELECT",)), Access(TENANT, ("SELECT",)), Access(PLATFORM, ALL)),
    # The engine tells and sends, for all organizations; what a channel needs to send it opens as its organization.
    "notify_channels": (_own(*ALL), Access(ENGINE, ("SELECT", "UPDATE"))),
    "notify_rules": (_own(*ALL), Access(ENGINE, ("SELECT",))),
    "notify_settings": (_own(*ALL), Access(ENGINE, ("SELECT", "UPDATE (summary_told_day)"))),
    "maintenance_windows": (_own(*ALL), Access(ENGINE, ("SELECT", "DELETE"))),
    "incidents": (_own(*ALL), Access(ENGINE, ALL)),
    "incident_entries": (_own(*ALL), Access(ENGINE, ALL)),
    "incident_subjects": (_own(*ALL), Access(ENGINE, ALL)),
    "notify_tellings": (_own(*ALL), Access(ENGINE, ALL)),
    "deliveries": (_own(*ALL), Access(ENGINE, ALL)),
    "notify_cursor": (Access(ENGINE, ALL), Access(TENANT, ("SELECT",)), Access(PLATFORM, ("SELECT",))),
    "notify_bad_events": (_own("SELECT"), Access(ENGINE, ALL)),
}


def apply_row_security(connection: Connection, *, login: str, is_forced: bool = False) -> None:
    """Bring rights and policies of every table to what stands here.

    Changing a policy keeps everybody from its table for a moment, so nothing is done where nothing changed.
    """
    quote = connection.dialect.identifier_preparer.quote
    statements = list(_statements(login, quote, is_owner=login == connection.scalar(text("SELECT current_user"))))
    version = digest("\n".join(statements))
    if not is_forced and connection.scalar(_READ_VERSION) == version and _is_complete(connection, login):
        return
    for table, policy in connection.execute(_FOREIGN_POLICIES, {"tables": list(TABLES), "ours": _policies()}).all():
        connection.exec_driver_sql(f"DROP POLICY {quote(policy)} ON {table}")
    for statement in [*statements, f"COMMENT ON TABLE alembic_version IS '{version}'"]:
        connection.exec_driver_sql(statement)


_READ_VERSION = text("SELECT obj_description('alembic_version'::regclass)")
# Whoever makes a policy of their own opens rows: policies add up.
_FOREIGN_POLICIES = text(
    "SELECT tablename, policyname FROM pg_policies "
    "WHERE schemaname = 'public' AND tablename = ANY(:tables) AND policyname <> ALL(:ours)"
)
_COUNT_FORCED = text(
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(:tables) "
    "AND relrowsecurity AND relforcerowsecurity"
)
_COUNT_RIGHTS = text(
    "SELECT count(*) FROM unnest(CAST(:roles AS text[]), CAST(:tables AS text[])) AS held (role, tab) "
    "WHERE has_any_column_privilege(role, tab, 'SELECT, INSERT, UPDATE')"
)


def _is_complete(connection: Connection, login: str) -> bool:
    """Whether the catalogue bears the mark out: a table that was made anew or restored lacks policies or rights."""
    held = [(role_name(login, access.role), table) for table, accesses in TABLES.items() for access in accesses]
    roles, tables = (list(column) for column in zip(*held, strict=True))
    return (
        connection.scalar(_COUNT_FORCED, {"tables": list(TABLES)}) == len(TABLES)
        and connection.scalar(_COUNT_RIGHTS, {"roles": roles, "tables": tables}) == len(held)
        and set(connection.scalars(_READ_POLICIES, {"tables": list(TABLES)})) == set(_policies())
    )


_READ_POLICIES = text("SELECT policyname FROM pg_policies WHERE schemaname = 'public' AND tablename = ANY(:tables)")


def _policies() -> list[str]:
    return [f"{table}_{access.role.value}" for table, accesses in TABLES.items() for access in accesses]


def _statements(login: str, quote: Callable[[str], str], *, is_owner: bool) -> Iterator[str]:
    names = {role: quote(role_name(login, role)) for role in DatabaseRole}
    roles = ", ".join(names.values())
    # In development the login may own the tables; what it would lose here it could not work without.
    held = roles if is_owner else f"{roles}, {quote(login)}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {held}, PUBLIC"
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
