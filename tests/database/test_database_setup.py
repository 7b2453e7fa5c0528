"""`belfry db setup` on PostgreSQL: roles, tables and rights, and what is refused to be served."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.core.db import open_database
from app.core.ids import new_id
from app.core.schema import SchemaGate, SchemaNotReady, SchemaState, newest_migration
from app.edge.database_setup import RolesMissing, administering, bring_up_to_date
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


def set_up(settings: Settings, *, is_forced: bool = False) -> None:
    app = create_app(administering(settings), kinds={})
    try:
        bring_up_to_date(app, settings, is_forced=is_forced)
    finally:
        app.extensions["belfry"].database.dispose()


def named(url: str, name: str, password: str | None = None) -> str:
    return make_url(url).set(username=name, password=password).render_as_string(hide_password=False)


def ask(url: str, query: str) -> list[tuple]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return rows


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

    def test_by_several_processes_at_once_is_done_once(self, empty_postgres: PostgresUrls, tmp_path: Path):
        settings = settings_for(tmp_path, empty_postgres)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: set_up(settings), range(3)))

        assert state_of(settings.database_url, is_strict=True) is SchemaState.CURRENT

    def test_without_the_right_to_make_roles_says_which_setting_is_missing(
        self, postgres: PostgresUrls, tmp_path: Path
    ):
        login = named(postgres.login, f"stranger_{new_id().hex[-8:]}")
        settings = settings_for(tmp_path, postgres, login=login, admin=postgres.login)

        with pytest.raises(RolesMissing, match="BELFRY_DATABASE_ADMIN_URL"):
            set_up(settings)


class TestUpgrade:
    def test_that_finds_nothing_to_do_leaves_the_policies_alone(self, postgres: PostgresUrls, tmp_path: Path):
        query = "SELECT oid FROM pg_policy ORDER BY oid"
        before = ask(postgres.admin, query)

        set_up(settings_for(tmp_path, postgres))

        assert ask(postgres.admin, query) == before


class TestProduction:
    @pytest.mark.parametrize("strict", [True, False])
    def test_refuses_to_serve_as_a_superuser(self, postgres: PostgresUrls, tmp_path: Path, strict: bool):
        # As in development with a single URL: the superuser may take on roles of its own name.
        set_up(settings_for(tmp_path, postgres, login=postgres.admin))

        found = state_of(postgres.admin, is_strict=strict)

        assert found is (SchemaState.LOGIN_TOO_POWERFUL if strict else SchemaState.CURRENT)

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
