"""PostgreSQL by the shortest way: a transaction in one round trip, without a session. For what every run does."""

import select
import time
from collections import deque, namedtuple
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors, generators
from psycopg.abc import Transformer as Adapter
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine, Executable
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement, CompilerElement
from sqlalchemy.sql.selectable import ReturnsRows

from app.core.engines import PING_SECONDS, PatientConnection
from app.core.scopes import ORGANIZATION_SETTING, USER_SETTING, Scope, role_settings
from app.core.together import Together

Rows = list[Any]
Values = Mapping[str, Any]

# A prepared statement keeps its plan, also one that was made while a table was empty or its statistics were old. So
# nothing is left to guess: every statement here finds its rows by an index, in the order of that index, whatever its
# parameters. To compile such a plan would take longer than it ever runs.
_BY_INDEX = (
    # Whoever waits for a row keeps others waiting, who were sent with it. Refused, each asks for itself.
    "SET lock_timeout = '500ms'; "
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_incremental_sort = off; "
    "SET plan_cache_mode = force_generic_plan; SET jit = off"
)
_NUMBERS = count(1)
# A connection that was used a moment ago is believed to be alive. Others are asked first, like those of a pool.
FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Step:
    """A statement that each connection prepares once. Its rows have the names of its columns."""

    statement: Executable
    name: str = field(default_factory=lambda: f"step_{next(_NUMBERS)}", init=False)

    @cached_property
    def prepare(self) -> bytes:
        words = str(self._compiled).encode()
        return b"PREPARE " + self.name.encode() + b" AS " + words

    def execute(self, values: Values, adapter: Adapter) -> bytes:
        """The call with these values, written as PostgreSQL reads them."""
        given = {**self._constants, **values}
        literals = [_literal(given[name], adapter) for name in self._order]
        return b"EXECUTE " + self.name.encode() + (b"(" + b",".join(literals) + b")" if literals else b"")

    @cached_property
    def row(self) -> Any:
        """What its rows are made into."""
        assert isinstance(self.statement, ReturnsRows)
        return namedtuple("Row", self.statement.exported_columns.keys())

    @cached_property
    def _compiled(self) -> Any:
        assert isinstance(self.statement, ClauseElement | CompilerElement)
        dialect = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        return self.statement.compile(dialect=dialect)

    @cached_property
    def _order(self) -> list[str]:
        return list(self._compiled.positiontup)

    @cached_property
    def _constants(self) -> dict[str, Any]:
        return dict(self._compiled.params)


def _literal(value: Any, adapter: Adapter) -> bytes:
    """A value as PostgreSQL reads it. Ids by a way of their own, for there are lists of them in every claim."""
    if type(value) is list and value and type(value[0]) is UUID:
        return b"'{" + ",".join([one.hex for one in value]).encode() + b"}'"
    return bytes(adapter.as_literal(value))


class Track:
    """One connection of a lane, used by one thread at a time."""

    def __init__(self, connection: PatientConnection) -> None:
        self.connection = connection
        self._used_at = time.monotonic()
        self._adapter: Adapter = Transformer(connection)
        self._prepared: set[str] = set()
        self._looker = select.poll()
        self._looker.register(connection.pgconn.socket, select.POLLIN)

    @property
    def is_over(self) -> bool:
        """Whether the server has hung up, or does not answer any more. It says nothing unasked, but that it goes."""
        if self.connection.closed or self._looker.poll(0):
            return True
        return time.monotonic() - self._used_at >= FRESH_SECONDS and not self._answers()

    def ask(self, calls: Sequence[tuple[bytes, Step, Values]]) -> list[Rows]:
        """All in one transaction, for what is sent together is one to the server. Raises psycopg.Error."""
        words: list[bytes] = []
        places: list[int] = []
        taken_on = b""
        for take_on, step, values in calls:
            if step.name not in self._prepared:
                self._send(step.prepare)
                self._prepared.add(step.name)
            # It lasts as long as the transaction, so whoever goes on as the same one need not say it again.
            if take_on != taken_on:
                words.append(take_on)
                taken_on = take_on
            places.append(len(words))
            words.append(step.execute(values, self._adapter))
        answers = self._send(b";".join(words))
        self._used_at = time.monotonic()
        return [self._rows(step, answers[place]) for (_, step, _), place in zip(calls, places, strict=True)]

    def close(self) -> None:
        with suppress(psycopg.Error):
            self.connection.close()

    def _answers(self) -> bool:
        usual, self.connection.answer_seconds = self.connection.answer_seconds, PING_SECONDS
        try:
            return bool(self._send(b"SELECT 1"))
        except psycopg.Error:
            return False
        finally:
            self.connection.answer_seconds = usual

    def _send(self, words: bytes) -> list[PGresult]:
        link = self.connection.pgconn
        link.send_query(words)
        answers: list[PGresult] = self.connection.wait(generators.execute(link))
        for answer in answers:
            if answer.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(answer)
        return answers

    def _rows(self, step: Step, answer: PGresult) -> Rows:
        if not answer.ntuples:
            return []
        self._adapter.set_pgresult(answer)
        return self._adapter.load_rows(0, answer.ntuples, step.row._make)


def was_refused(error: Exception) -> bool:
    """Whether the database answered, and what it said was no. Then nothing was written."""
    return isinstance(error, DBAPIError) and not error.connection_invalidated and _has_state(error.orig)


def is_unanswered(error: DBAPIError) -> bool:
    """Whether a lane has asked, and it is open what the database did. One that cannot be reached did nothing."""
    return error.connection_invalidated


def _has_state(error: BaseException | None) -> bool:
    return getattr(error, "sqlstate", None) is not None


Call = tuple[Scope, Step, Values]


class Lane:
    """Each answer is that of a committed transaction. What several threads ask meanwhile goes in the next.

    Mostly that is one connection: several at once would wait for each other more than they gain. When one of those who
    asked together is refused, each asks again by itself, on as many connections as that takes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Last in, first out, and safe for many threads.
        self._idle: deque[Track] = deque()
        self._together: Together[tuple[Call, ...], list[Rows]] = Together(self._ask_all, may_ask_alone=was_refused)

    def ask(self, *calls: Call) -> list[Rows]:
        """The rows of each step, each taken as somebody, all in one transaction.

        Raises SQLAlchemy's errors. One of the connection leaves open whether the transaction took place.
        """
        return self._together.ask(calls)

    def _ask_all(self, questions: Sequence[tuple[Call, ...]]) -> list[list[Rows]]:
        found = iter(self._ask_at_once([call for calls in questions for call in calls]))
        return [[next(found) for _ in calls] for calls in questions]

    def _ask_at_once(self, calls: Sequence[Call]) -> list[Rows]:
        track = self._take()
        try:
            found = track.ask([(self._take_on(scope), step, values) for scope, step, values in calls])
        except psycopg.Error as error:
            # Without a code there was no answer: what was sent may have been done.
            is_lost = track.connection.broken or not _has_state(error)
            track.close()
            if is_lost:
                # The others are likely to be as dead, and to find out may take a time-out each.
                self.dispose()
            raise self._as_everywhere(error, is_lost=is_lost) from error
        except BaseException:
            # Nobody knows what is still under way on it.
            track.close()
            raise
        self._idle.append(track)
        return found

    def dispose(self) -> None:
        """Close what is idle."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def leave_to_parent(self) -> None:
        """Forget what is idle, and close nothing."""
        self._idle.clear()

    def _take_on(self, scope: Scope) -> bytes:
        # Names of roles and ids are ours, and no quotation mark is in them.
        settings = role_settings(self._engine, scope)
        role = settings["role"].replace("'", "''")
        return (
            f"SELECT set_config('role', '{role}', true), "
            f"set_config('{ORGANIZATION_SETTING}', '{settings['organization_id']}', true), "
            f"set_config('{USER_SETTING}', '{settings['user_id']}', true)"
        ).encode()

    def _take(self) -> Track:
        while True:
            try:
                track = self._idle.pop()
            except IndexError:
                return self._connect()
            if not track.is_over:
                return track
            track.close()
            # What ended this one has ended the others as well, and each would be waited for.
            self.dispose()

    def _connect(self) -> Track:
        with ExitStack() as failing:
            try:
                # By the engine's own way of connecting, but not one of its pool.
                pooled = self._engine.raw_connection()
                connection: PatientConnection = pooled.driver_connection  # type: ignore[assignment]
                pooled.detach()
                failing.callback(connection.close)
                connection.autocommit = True
                connection.execute(_BY_INDEX)
            except psycopg.Error as error:
                # A pool hands on what the driver says. Nothing was asked yet, so nothing is open.
                raise self._as_everywhere(error, is_lost=False) from error
            failing.pop_all()
        return Track(connection)

    def _as_everywhere(self, error: psycopg.Error, *, is_lost: bool) -> DBAPIError:
        # Without the statement, which is long and always the same.
        found = DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=is_lost, dialect=self._engine.dialect
        )
        assert isinstance(found, DBAPIError)
        return found
