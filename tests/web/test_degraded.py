"""Pages while the embedded database is held by somebody else or finds no room: reading goes on, and writing says so."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import event

from app.core.config import Settings
from app.core.db import Database
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

AWAY = "The database is busy or away, so nothing was changed. Try again in a moment."
# Stops and starts.
MOST_THAT_FIT = 100


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def held(settings: Settings, platform_admin: Browser) -> Iterator[None]:
    """Somebody else writes, and does not come to an end."""
    with closing(sqlite3.connect(settings.data_dir / "belfry.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


class TestADatabaseThatIsHeld:
    @pytest.mark.slow
    def test_is_still_read(self, platform_admin: Browser, held: None) -> None:
        assert {platform_admin.visit(path).status_code for path in ("/", "/queue", "/runs", "/schedules")} == {200}

    @pytest.mark.slow
    def test_takes_no_change_and_says_so(
        self, platform_admin: Browser, held: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = platform_admin.send("/scheduling/stop", {"reason": "Moving"})

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert AWAY in answer.text
        assert "The database of BELFRY_DATABASE_URL is busy with another process." in said(caplog)


class TestADatabaseWithoutRoom:
    def test_takes_no_change_and_says_so(
        self, platform_admin: Browser, database: OpenDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        leave_no_room(database)
        with caplog.at_level(logging.ERROR):
            # The first of them may still fit into pages that are there.
            answers = (
                platform_admin.send(f"/scheduling/{verb}", {"reason": "x" * 400})
                for _ in range(MOST_THAT_FIT)
                for verb in ("stop", "start")
            )
            answer = next(answer for answer in answers if answer.status_code != 303)

        assert (answer.status_code, platform_admin.visit("/queue").status_code) == (503, 200)
        assert AWAY in answer.text
        assert "The database of BELFRY_DATABASE_URL finds no room on its disk. Make room" in said(caplog)


class TestADatabaseThatWentAwayAMomentAgo:
    @pytest.mark.parametrize("path", ["/", "/queue", "/queue/processes", "/api/v1/schedules"])
    def test_is_said_in_words_and_in_one_line_of_the_log(
        self, platform_admin: Browser, database: OpenDatabase, caplog: pytest.LogCaptureFixture, path: str
    ) -> None:
        platform_admin.visit("/")
        take_away(database)

        answer = platform_admin.visit(path)

        assert (answer.status_code, AWAY in answer.text) == (503, True)
        assert "The database of BELFRY_DATABASE_URL cannot be opened." in said(caplog)
        assert [record.exc_info for record in caplog.records] == [None]


def said(caplog: pytest.LogCaptureFixture) -> str:
    """What the log says is wrong."""
    return " ".join(str(getattr(record, "problem", "")) for record in caplog.records)


def take_away(database: Database) -> None:
    """Let no connection be made any more."""

    def refuse(*_: object) -> None:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    for engine in (database.read, database.write):
        event.listen(engine, "do_connect", refuse)
        engine.dispose()


def leave_no_room(database: Database) -> None:
    """Let the file grow no further."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(database.write, "connect", limit)
    database.write.dispose()
