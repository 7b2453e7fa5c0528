"""`belfry up` greets when it can, and survives when it cannot."""

import logging

import pytest

from app.cli.greeting import AGAIN_SECONDS, Greeter
from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.schema import SchemaGate, newest_migration
from tests.conftest import set_up
from tests.fakes.database import OpenDatabase


class Stopwatch:
    """Seconds that pass when a test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


def make_greeter(database: Database, settings: Settings, watch: Stopwatch) -> Greeter:
    gate = SchemaGate(database, expected=newest_migration(), ticks=watch)
    return Greeter(database, gate, settings, ticks=watch)


class TestGreeter:
    def test_shows_the_setup_link_once(
        self, database: Database, settings: Settings, watch: Stopwatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        greeter = make_greeter(database, settings, watch)

        for _ in range(3):
            greeter.greet()
            watch.seconds += AGAIN_SECONDS

        assert capsys.readouterr().out.count("/setup?token=") == 1

    def test_names_the_command_once_and_greets_after_the_upgrade(
        self, empty_settings: Settings, watch: Stopwatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        database = open_database(empty_settings.database_url)
        greeter = make_greeter(database, empty_settings, watch)
        for _ in range(3):
            greeter.greet()
            watch.seconds += AGAIN_SECONDS
        before = capsys.readouterr().out
        set_up(empty_settings)

        greeter.greet()

        database.dispose()
        assert before.count("Belfry runs, but") == before.count("belfry db upgrade") == 1
        assert "/setup?token=" in capsys.readouterr().out

    def test_never_fails_its_caller_and_tries_again_later(
        self,
        database: OpenDatabase,
        settings: Settings,
        watch: Stopwatch,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        greeter = make_greeter(database, settings, watch)
        with database.owner.write.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE users RENAME TO hidden")
        with caplog.at_level(logging.ERROR):
            greeter.greet()
        with database.owner.write.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO users")
        watch.seconds += AGAIN_SECONDS

        greeter.greet()

        assert "greeting postponed" in caplog.messages
        assert "/setup?token=" in capsys.readouterr().out
