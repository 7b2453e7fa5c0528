"""Migrations: numbered, reversible, and equal to the models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, inspect
from sqlalchemy.schema import SchemaItem

from app.core.config import Settings
from app.core.db import Base, Database, open_database
from app.core.paths import MIGRATIONS
from app.core.schema import SchemaGate, SchemaState, known_migrations, newest_migration
from app.edge.database_setup import administering, bring_up_to_date
from app.edge.migrations import upgrade_database


@pytest.fixture
def database(empty_settings: Settings) -> Iterator[Database]:
    database = open_database(empty_settings.database_url)
    yield database
    database.dispose()


def gate_of(database: Database, **more: Any) -> SchemaGate:
    return SchemaGate(database, **({"expected": newest_migration()} | more))


def belongs_to(item: SchemaItem, connection: Connection) -> bool:
    """Whether it is for the engine of this connection. Alembic does not ask."""
    condition = getattr(item, "_ddl_if", None)
    return condition is None or condition.dialect == connection.dialect.name


class TestMigrations:
    def test_make_exactly_the_tables_of_the_models(self, administration: Flask, empty_settings: Settings) -> None:
        bring_up_to_date(administration, empty_settings)
        with administration.extensions["belfry"].database.write.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "include_object": lambda item, *_: belongs_to(item, connection)}
            )

            differences = compare_metadata(context, Base.metadata)

        assert differences == []

    def test_can_be_taken_back_and_run_again(
        self, administration: Flask, empty_settings: Settings, database: Database, tmp_path: Path
    ) -> None:
        upgrade_database(administration, lock_file=tmp_path / "lock")
        with administration.app_context():
            flask_migrate.downgrade(directory=str(MIGRATIONS), revision="base")
            tables = set(inspect(administration.extensions["belfry"].database.read).get_table_names())
        bring_up_to_date(administration, empty_settings)

        assert tables == {"alembic_version"}
        assert gate_of(database).state() is SchemaState.CURRENT

    def test_are_numbered_without_holes(self) -> None:
        revisions = sorted(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())

        assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]
        assert known_migrations() == set(revisions)


class TestSchemaGate:
    def test_names_the_command_while_there_are_no_tables(self, database: Database) -> None:
        gate = gate_of(database)

        assert gate.state() is SchemaState.MISSING
        assert "belfry db upgrade" in (gate.sentence() or "")

    def test_opens_without_a_restart_within_five_seconds(
        self, administration: Flask, empty_settings: Settings, database: Database
    ) -> None:
        ticks = [0.0]
        gate = gate_of(database, ticks=lambda: ticks[0])
        before = gate.is_current()
        bring_up_to_date(administration, empty_settings)

        ticks[0] = 5.0

        assert (before, gate.is_current()) == (False, True)

    def test_tells_an_older_database_that_can_be_upgraded(
        self, administration: Flask, empty_settings: Settings, database: Database
    ) -> None:
        bring_up_to_date(administration, empty_settings)

        gate = gate_of(database, expected="9999")

        assert gate.state() is SchemaState.OLDER
        assert "belfry db upgrade" in (gate.sentence() or "")

    def test_tells_a_newer_database_that_this_version_must_not_touch(
        self, administration: Flask, empty_settings: Settings, database: Database
    ) -> None:
        bring_up_to_date(administration, empty_settings)
        owner = open_database(administering(empty_settings).database_url)
        with owner.write.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

        owner.dispose()

        gate = gate_of(database)

        assert gate.state() is SchemaState.NEWER
        assert "Install that version here" in (gate.sentence() or "")
