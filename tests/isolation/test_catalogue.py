"""What PostgreSQL's own catalogue says about who may see what. Each test closes a way around row-level security."""

from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import Base
from app.core.scopes import DatabaseRole
from app.edge.row_security import TABLES
from tests.isolation.conftest import Installation

# Unguessable on their own, or reached only through a row of one's own organization.
KEYS_WITHOUT_ORGANIZATION = {
    "uq_login_sessions_token_digest",
    "uq_invitations_token_digest",
    "uq_api_tokens_token_digest",
    "ux_runs_schedule_id_slot_at",
    "ux_runs_retry_of_run_id",
}
TENANT_TABLES = sorted(table.name for table in Base.metadata.sorted_tables if "organization_id" in table.columns)


def ask(installation: Installation, query: str, **values: Any) -> list[Any]:
    with installation.owner.begin() as connection:
        return list(connection.execute(text(query), values))


class TestTables:
    def test_all_have_an_entry_in_the_list_of_rights(self):
        assert set(TABLES) == set(Base.metadata.tables)

    def test_all_have_row_level_security_that_holds_the_owner_back_too(self, installation: Installation):
        rows = ask(
            installation,
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
            "AND relname <> 'alembic_version' AND NOT (relrowsecurity AND relforcerowsecurity)",
        )

        assert rows == []

    def test_have_one_policy_for_each_role_that_may_use_them_and_no_other(self, installation: Installation):
        found = ask(installation, "SELECT tablename, roles, permissive, cmd FROM pg_policies")

        expected = {
            (table, (installation.role(access.role),)) for table, accesses in TABLES.items() for access in accesses
        }
        assert {(row.tablename, tuple(row.roles)) for row in found} == expected
        assert len(found) == len(expected)
        assert {(row.permissive, row.cmd) for row in found} == {("PERMISSIVE", "ALL")}

    def test_check_what_is_written_by_the_condition_of_what_is_read(self, installation: Installation):
        found = ask(installation, "SELECT tablename FROM pg_policies WHERE with_check IS DISTINCT FROM qual")

        assert found == []

    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_of_a_tenant_show_it_its_own_rows_alone(self, installation: Installation, table: str):
        role = installation.role(DatabaseRole.TENANT)

        quals = ask(
            installation,
            "SELECT qual FROM pg_policies WHERE tablename = :table AND :role = ANY(roles)",
            table=table,
            role=role,
        )

        own = "(organization_id = (NULLIF(current_setting('belfry.organization_id'::text, true), ''::text))::uuid)"
        # Of an unset organization the comparison is NULL, and no row is shown either way.
        assert [row.qual for row in quals] == [f"({own} IS TRUE)" if table == "runs" else own]


class TestWaysAround:
    def test_are_not_opened_by_views_or_functions_of_the_owner(self, installation: Installation):
        views = ask(
            installation,
            "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace",
        )
        functions = ask(
            installation,
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace",
        )

        assert views == []
        assert functions == []

    def test_are_not_opened_by_rights_that_row_level_security_does_not_cover(self, installation: Installation):
        rows = ask(
            installation,
            "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants "
            "WHERE table_schema = 'public' AND grantee LIKE :pattern "
            "AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')",
            pattern=f"{installation.login}%",
        )

        assert rows == []

    def test_are_not_opened_to_everybody(self, installation: Installation):
        tables = ask(
            installation,
            "SELECT table_name FROM information_schema.role_table_grants "
            "WHERE table_schema = 'public' AND grantee = 'PUBLIC'",
        )
        may_create = ask(
            installation, "SELECT has_schema_privilege(:login, 'public', 'CREATE')", login=installation.login
        )

        assert tables == []
        assert may_create[0][0] is False

    def test_are_not_open_to_the_login_itself(self, installation: Installation):
        rows = ask(
            installation,
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants "
            "WHERE table_schema = 'public' AND grantee = :login",
            login=installation.login,
        )

        assert [tuple(row) for row in rows] == [("alembic_version", "SELECT")]

    def test_are_not_open_to_powerful_roles(self, installation: Installation):
        names = [installation.login, *(installation.role(role) for role in DatabaseRole)]

        rows = ask(
            installation,
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolinherit AND rolcanlogin AS inherits, "
            "EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND pg_has_role(rolname, relowner, 'MEMBER')) AS owns FROM pg_roles WHERE rolname = ANY(:names)",
            names=names,
        )

        assert {tuple(row)[1:] for row in rows} == {(False, False, False, False, False)}
        assert len(rows) == len(names)


class TestKeys:
    def test_between_tables_of_tenants_carry_the_organization(self):
        loose = [
            f"{table.name}.{key.name}"
            for table in Base.metadata.sorted_tables
            if "organization_id" in table.columns
            for key in table.foreign_key_constraints
            if "organization_id" in key.referred_table.columns and "organization_id" not in key.column_keys
        ]

        assert loose == []

    def test_that_are_unique_carry_the_organization_or_cannot_be_guessed(self, installation: Installation):
        rows = ask(
            installation,
            "SELECT index.relname AS name, array_agg(attname) AS columns FROM pg_index "
            "JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS tables ON tables.oid = indrelid "
            "JOIN pg_attribute ON attrelid = index.oid "
            "WHERE indisunique AND NOT indisprimary AND tables.relname = ANY(:tables) GROUP BY index.relname",
            tables=TENANT_TABLES,
        )

        telling = {row.name for row in rows if "organization_id" not in row.columns}
        assert telling == KEYS_WITHOUT_ORGANIZATION
