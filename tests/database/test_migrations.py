"""Migrations: numbered, reversible, and equal to the models."""

from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect

from app.core.config import Settings
from app.core.db import Base, Database
from app.core.paths import MIGRATIONS
from app.core.schema import SchemaGate, SchemaState, newest_migration
from app.edge.migrations import upgrade_database
from app.factory import create_app


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings, kinds={})


class TestMigrations:
    def test_make_exactly_the_tables_of_the_models(self, database: Database) -> None:
        with database.write.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})

            differences = compare_metadata(context, Base.metadata)

        assert differences == []

    def test_can_be_taken_back_and_run_again(self, app: Flask, settings: Settings, tmp_path: Path) -> None:
        upgrade_database(app, lock_file=tmp_path / "lock")
        with app.app_context():
            flask_migrate.downgrade(directory=str(MIGRATIONS), revision="base")
            tables = set(inspect(app.extensions["belfry"].database.read).get_table_names())
        upgrade_database(app, lock_file=tmp_path / "lock")

        assert tables == {"alembic_version"}
        assert app.extensions["belfry"].schema.state() is SchemaState.CURRENT

    def test_are_numbered_without_holes(self) -> None:
        revisions = sorted(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())

        assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]


class TestSchemaGate:
    def test_names_the_command_while_there_are_no_tables(self, app: Flask) -> None:
        gate = app.extensions["belfry"].schema

        assert gate.state() is SchemaState.MISSING
        assert "belfry db upgrade" in gate.sentence()

    def test_opens_without_a_restart_within_five_seconds(self, app: Flask, tmp_path: Path) -> None:
        ticks = [0.0]
        database = app.extensions["belfry"].database
        gate = SchemaGate(database, expected=newest_migration(), ticks=lambda: ticks[0])
        before = gate.is_current()
        upgrade_database(app, lock_file=tmp_path / "lock")

        ticks[0] = 5.0

        assert (before, gate.is_current()) == (False, True)

    def test_refuses_a_database_of_another_version(self, database: Database) -> None:
        gate = SchemaGate(database, expected="9999")

        assert gate.state() is SchemaState.DIFFERENT
