"""What may happen to a database, in the words that operators read."""

import sqlite3

import pytest
from psycopg.errors import LockNotAvailable, QueryCanceled
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.core.engines import ServerSilent
from app.core.errors import Unavailable
from app.core.failures import explain, is_out_of_room


def sqlite_failure(code: int) -> OperationalError:
    origin = sqlite3.OperationalError("it said no")
    origin.sqlite_errorcode = code
    return OperationalError("UPDATE runs", {}, origin)


class TestWords:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (sqlite_failure(sqlite3.SQLITE_FULL), "finds no room on its disk. Make room and try again."),
            (sqlite_failure(sqlite3.SQLITE_IOERR), "cannot read or write its disk. Check the disk and its room."),
            (sqlite_failure(sqlite3.SQLITE_BUSY), "is busy with another process. Try again in a moment."),
            (
                OperationalError("", {}, ServerSilent("no answer within 12 seconds")),
                "does not answer. Check that it runs, and that host, port and name are right. (no answer within 12 s",
            ),
            (OperationalError("", {}, QueryCanceled("canceled")), "took too long for this. Try again in a moment;"),
            (OperationalError("", {}, LockNotAvailable("canceled")), "is busy with another transaction."),
            (NoConnectionInTime(), "Every connection to the database was busy for too long. Try again in a moment."),
            (Unavailable("The broker does not answer."), "The broker does not answer."),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_say_what_happened_and_what_to_do(self, error: Exception, words: str) -> None:
        assert words in (explain(error) or "")

    def test_are_not_made_up_for_a_defect(self) -> None:
        assert explain(ZeroDivisionError()) is None


class TestRoom:
    @pytest.mark.parametrize(
        ("code", "is_out"), [(sqlite3.SQLITE_FULL, True), (sqlite3.SQLITE_IOERR, True), (sqlite3.SQLITE_BUSY, False)]
    )
    def test_is_what_a_full_disk_lacks(self, code: int, is_out: bool) -> None:
        assert is_out_of_room(sqlite_failure(code)) is is_out
