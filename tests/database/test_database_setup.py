"""`belfry db setup` on PostgreSQL: roles, tables and rights, and what is refused to be served."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from app.core.config import Settings
from app.core.db import open_database
from app.core.ids import new_id
from app.core.schema import SchemaGate, SchemaNotReady, SchemaState, newest_migration
from app.edge.database_setup import RolesMissing, SetUpForAnother, administering, bring_up_to_date
from app.factory import create_app
from tests.conftest import make_settings, postgres_settings
from tests.services.postgres import PostgresUrls


def settings_for(folder: Path, urls: PostgresUrls, *, login: str = "", admin: str = "") -> Settings:
    return make_settings(
        folder,
        **postgres_settings(urls)
        | {
            "BELFRY_DATABASE_URL": login or urls.login,
            "BELFRY_DATABASE_ADMIN_URL": admin or urls.admin,
        },
    )


def set_up(settings: Settings, *, is_forced: bool = False, takes_over: bool = False) -> None:
    finish_set_up(make_app(settings), settings, is_forced=is_forced, takes_over=takes_over)


def make_app(settings: Settings) -> Flask:
    return create_app(administering(settings), kinds={})


def finish_set_up(app: Flask, settings: Settings, *, is_forced: bool = False, takes_over: bool = False) -> None:
    try:
        bring_up_to_date(app, settings, is_forced=is_forced, takes_over=takes_over)
    finally:
        app.extensions["belfry"].database.dispose()


def named(url: str, name: str, password: str | None = None) -> str:
    return make_url(url).set(username=name, password=password).render_as_string(hide_password=False)


def ask(url: str, query: str) -> list[tuple]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def do(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def state_of(url: str, *, is_strict: bool) -> SchemaState:
    database = open_database(url)
    try:
        return SchemaGate(database, expected=newest_migration(), is_strict=is_strict).state()
    finally:
        database.dispose()


class TestSetup:
    def test_makes_a_login_that_can_be_served_with(self, empty_postgres: PostgresUrls, tmp_path: Path):
        name = f"login-{new_id().hex[-8:]}"
        settings = settings_for(tmp_path, empty_postgres, login=named(empty_postgres.login, name, "100%'sure\"@"))

        set_up(settings)

        assert state_of(settings.database_url, is_strict=True) is SchemaState.CURRENT
        found = ask(empty_postgres.admin, f"SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = '{name}'")
        assert found == [(True,)]

    def test_can_be_repeated(self, postgres: PostgresUrls, tmp_path: Path):
        settings = settings_for(tmp_path, postgres)
        query = "SELECT tablename, policyname, qual FROM pg_policies ORDER BY 1, 2"
        before = ask(postgres.admin, query)

        set_up(settings, is_forced=True)

        assert ask(postgres.admin, query) == before

    def test_mends_rights_that_somebody_changed(self, postgres: PostgresUrls, tmp_path: Path):
        engine = create_engine(postgres.admin)
        with engine.begin() as connection:
            connection.execute(text("GRANT TRUNCATE ON runs TO belfry_tenant"))
            connection.execute(text("ALTER TABLE runs NO FORCE ROW LEVEL SECURITY"))
        engine.dispose()

        set_up(settings_for(tmp_path, postgres), is_forced=True)

        query = "SELECT relforcerowsecurity, has_table_privilege('belfry_tenant', oid, 'TRUNCATE') FROM pg_class"
        assert ask(postgres.admin, f"{query} WHERE relname = 'runs'") == [(True, False)]

    def test_takes_away_what_others_opened(self, postgres: PostgresUrls, tmp_path: Path):
        do(
            postgres.admin,
            "GRANT ALL ON audit_entries TO belfry",
            "CREATE POLICY theirs ON runs TO PUBLIC USING (true)",
            "ALTER ROLE belfry_platform BYPASSRLS",
        )

        set_up(settings_for(tmp_path, postgres), is_forced=True)

        assert ask(postgres.admin, "SELECT has_table_privilege('belfry', 'audit_entries', 'TRUNCATE')") == [(False,)]
        assert ask(postgres.admin, "SELECT count(*) FROM pg_policies WHERE policyname = 'theirs'") == [(0,)]
        assert ask(postgres.admin, "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'belfry_platform'") == [(False,)]

    def test_lets_a_login_that_was_there_inherit_nothing(self, empty_postgres: PostgresUrls, tmp_path: Path):
        name = f"ready_{new_id().hex[-8:]}"
        do(empty_postgres.admin, f"CREATE ROLE {name} LOGIN")
        login = named(empty_postgres.login, name)

        set_up(settings_for(tmp_path, empty_postgres, login=login))

        assert state_of(login, is_strict=True) is SchemaState.CURRENT
        with pytest.raises(ProgrammingError, match="permission denied"):
            ask(login, "SELECT email FROM users")

    def test_does_not_take_a_database_away_from_another_login(self, postgres: PostgresUrls, tmp_path: Path):
        other = settings_for(tmp_path, postgres, login=named(postgres.login, f"other_{new_id().hex[-8:]}"))

        with pytest.raises(SetUpForAnother, match="set up for the login belfry"):
            set_up(other, is_forced=True)

        assert state_of(postgres.login, is_strict=True) is SchemaState.CURRENT

    def test_hands_a_database_over_when_told_to(self, postgres: PostgresUrls, tmp_path: Path):
        other = settings_for(tmp_path, postgres, login=named(postgres.login, f"other_{new_id().hex[-8:]}"))

        set_up(other, is_forced=True, takes_over=True)

        assert state_of(other.database_url, is_strict=True) is SchemaState.CURRENT
        assert state_of(postgres.login, is_strict=True) is SchemaState.ROLES_MISSING

    def test_by_several_processes_at_once_is_done_once(self, empty_postgres: PostgresUrls, tmp_path: Path):
        settings = settings_for(tmp_path, empty_postgres)

        # Routes are compiled, which threads of one process cannot do at once.
        apps = [make_app(settings) for _ in range(3)]

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda app: finish_set_up(app, settings), apps))

        assert state_of(settings.database_url, is_strict=True) is SchemaState.CURRENT

    def test_without_the_right_to_make_roles_says_which_setting_is_missing(
        self, empty_postgres: PostgresUrls, tmp_path: Path
    ):
        login = named(empty_postgres.login, f"stranger_{new_id().hex[-8:]}")
        settings = settings_for(tmp_path, empty_postgres, login=login, admin=empty_postgres.login)

        with pytest.raises(RolesMissing, match="BELFRY_DATABASE_ADMIN_URL"):
            set_up(settings)


class TestUpgrade:
    def test_that_finds_nothing_to_do_leaves_the_policies_alone(self, postgres: PostgresUrls, tmp_path: Path):
        query = "SELECT oid FROM pg_policy ORDER BY oid"
        before = ask(postgres.admin, query)

        set_up(settings_for(tmp_path, postgres))

        assert ask(postgres.admin, query) == before

    @pytest.mark.parametrize(
        "statement",
        [
            "DROP POLICY runs_tenant ON runs",
            "ALTER TABLE runs NO FORCE ROW LEVEL SECURITY",
            "REVOKE ALL ON secrets FROM belfry_tenant",
            "CREATE POLICY theirs ON runs TO PUBLIC USING (true)",
        ],
    )
    def test_puts_back_what_the_mark_still_promises(self, postgres: PostgresUrls, tmp_path: Path, statement: str):
        rights = "SELECT has_table_privilege('belfry_tenant', 'secrets', 'SELECT')"
        query = (
            "SELECT policyname, relforcerowsecurity FROM pg_policies JOIN pg_class ON relname = tablename ORDER BY 1"
        )
        before = ask(postgres.admin, query)
        do(postgres.admin, statement)

        set_up(settings_for(tmp_path, postgres))

        assert (ask(postgres.admin, query), ask(postgres.admin, rights)) == (before, [(True,)])


class TestProduction:
    @pytest.mark.parametrize("strict", [True, False])
    def test_refuses_to_serve_as_a_superuser(self, postgres: PostgresUrls, tmp_path: Path, strict: bool):
        # As in development with a single URL: the superuser may take on roles of its own name.
        set_up(settings_for(tmp_path, postgres, login=postgres.admin), takes_over=True)

        found = state_of(postgres.admin, is_strict=strict)

        assert found is (SchemaState.LOGIN_TOO_POWERFUL if strict else SchemaState.CURRENT)

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER ROLE {name} CREATEROLE",
            "ALTER ROLE {name} INHERIT",
            "ALTER TABLE runs OWNER TO {name}",
            "ALTER DATABASE {database} OWNER TO {name}",
            "GRANT CREATE ON SCHEMA public TO {name}",
            "CREATE ROLE {name}_boss BYPASSRLS; GRANT {name}_boss TO {name}",
            "GRANT pg_read_all_data TO {name}",
        ],
    )
    def test_refuses_a_login_that_could_help_itself(self, empty_postgres: PostgresUrls, tmp_path: Path, statement: str):
        name = f"strong_{new_id().hex[-8:]}"
        login = named(empty_postgres.login, name)
        set_up(settings_for(tmp_path, empty_postgres, login=login))
        before = state_of(login, is_strict=True)

        database = make_url(login).database
        do(empty_postgres.admin, *statement.format(name=name, database=database).split("; "))

        assert (before, state_of(login, is_strict=True)) == (SchemaState.CURRENT, SchemaState.LOGIN_TOO_POWERFUL)

    @pytest.mark.parametrize("right", ["BYPASSRLS", "SUPERUSER", "member of the owner"])
    def test_refuses_to_serve_with_a_login_that_nothing_holds_back(
        self, empty_postgres: PostgresUrls, tmp_path: Path, right: str
    ):
        name = f"strong_{new_id().hex[-8:]}"
        login = named(empty_postgres.login, name)
        set_up(settings_for(tmp_path, empty_postgres, login=login))
        is_attribute = right.isupper()
        engine = create_engine(empty_postgres.admin)
        with engine.begin() as connection:
            connection.execute(text(f"ALTER ROLE {name} {right}" if is_attribute else f"GRANT postgres TO {name}"))
        engine.dispose()

        database = open_database(login)
        gate = SchemaGate(database, expected=newest_migration(), is_strict=True)

        with pytest.raises(SchemaNotReady, match="BELFRY_DATABASE_ADMIN_URL"):
            gate.refuse_powerful_login()
        database.dispose()

    def test_says_when_a_login_has_no_roles(self, postgres: PostgresUrls):
        engine = create_engine(postgres.admin)
        name = f"nobody_{new_id().hex[-8:]}"
        with engine.begin() as connection:
            connection.execute(text(f"CREATE ROLE {name} LOGIN"))
        engine.dispose()

        assert state_of(named(postgres.login, name), is_strict=True) is SchemaState.ROLES_MISSING
