"""Failures of the machine in words: a full disk, a locked or damaged database, a folder that is none."""

import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.core.errors import AppError

_PRIMARY_CODE = 0xFF
_ADVICE = {
    sqlite3.SQLITE_BUSY: "is busy with another process. Try again in a moment",
    sqlite3.SQLITE_LOCKED: "is busy with another process. Try again in a moment",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check that its folder exists and that this account may write there",
    sqlite3.SQLITE_READONLY: "cannot be written to. Check whether this account may write to its file and folder",
    sqlite3.SQLITE_PERM: "cannot be opened. Check whether this account may write to its file and folder",
    sqlite3.SQLITE_FULL: "finds no room on its disk. Make room and try again",
    sqlite3.SQLITE_IOERR: "cannot read or write its disk. Check the disk and its room",
}
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
# The second is what a limit on the size of files looks like.
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
# By the beginning of PostgreSQL's code for the error; the first that fits.
_SERVER_ADVICE = {
    "08": "does not answer. Check that it runs, and that host, port and name are right",
    "28": (
        "refuses to let us in. Check login, password and name. A login that is missing is made by belfry db setup "
        "when BELFRY_DATABASE_ADMIN_URL names one that may make it"
    ),
    "3D": "does not exist. Make it, or name another one",
    "42501": "does not allow this login what it needs. Run: belfry db setup",
    "53": "has no connection or room to spare. Free some, or raise its limits",
    "55P03": "is busy with another transaction. Try again in a moment",
    "57014": "took too long for this. Try again in a moment; if it happens again, look for what keeps it busy",
    "57": "is stopping or starting. Try again in a moment",
}
_RESTORE = "is damaged, or its file is none of Belfry's. Restore a backup, or use another file"
_DELETE = "is damaged, or its file is none of Belfry's. Delete that file: it is made again, and no run is lost"


def explain(error: BaseException) -> str | None:
    """What happened and what to do, or None for what can only be a defect."""
    match error:
        case AppError():
            return error.message
        case NoConnectionInTime():
            return "Every connection to the database was busy for too long. Try again in a moment."
        case StatementError() if error.orig is not None:
            return _explain_database(error.orig) if isinstance(error, DBAPIError) else explain(error.orig)
    return _explain_plain(error)


def _explain_plain(error: BaseException) -> str | None:
    match error:
        case sqlite3.Error():
            return _explain_file(error, "queue of BELFRY_BROKER_URL", if_damaged=_DELETE)
        case UnicodeError():
            return "Some text is not valid UTF-8. Check the words of the command, .env, and the terminal's LANG."
        case OSError():
            return _explain_system(error)
    return None


def is_out_of_room(error: BaseException) -> bool:
    """Whether the database could not write for want of room: less may still fit."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", 0) & _PRIMARY_CODE
    return code in _NO_ROOM or getattr(origin, "sqlstate", None) == "53100"


def _explain_database(error: BaseException) -> str | None:
    if isinstance(error, psycopg.Error):
        return _explain_server(error)
    return _explain_file(error, "database of BELFRY_DATABASE_URL", if_damaged=_RESTORE)


def _explain_file(error: BaseException, name: str, *, if_damaged: str) -> str | None:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    advice = if_damaged if code in _DAMAGED else _ADVICE.get(code)
    return advice and f"The {name} {advice}. ({error})"


def _explain_server(error: psycopg.Error) -> str:
    # The driver keeps no code of a connection that failed. A server that says FATAL was at least there to say it.
    state = error.sqlstate or ("28" if "FATAL:" in str(error) else "08")
    advice = next((words for code, words in _SERVER_ADVICE.items() if state.startswith(code)), "refused this")
    return f"The database of BELFRY_DATABASE_URL {advice}. ({str(error).splitlines()[0]})"


def _explain_system(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is None:
        return f"The machine refused what Belfry needs: {reason}."
    return (
        f"Belfry cannot use {error.filename}: {reason}. "
        "BELFRY_DATA_DIR has to name a folder that this account may write to."
    )
