"""Makes the driver of a process misbehave, below everything that is Belfry's own."""

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from redis.connection import AbstractConnection
from sqlalchemy.engine.default import DefaultDialect

from app.core.clock import DatabaseClock
from app.core.lane import Track

# How the planner asks for what is due: from then on requests are counted.
FIRST_OF_A_TICK = "ORDER BY schedules.next_run_at"
REQUESTS = ("do_execute", "do_executemany", "do_commit")
# What goes by the short way to PostgreSQL, and is no preparation.
ASKING = b"EXECUTE"


def lie(share: float) -> None:
    """Have requests fail that did not."""

    def lying(name: str) -> None:
        honest = getattr(DefaultDialect, name)

        def request(self: Any, *arguments: Any, **more: Any) -> Any:
            answer = honest(self, *arguments, **more)
            if random.random() < share:
                raise self.loaded_dbapi.OperationalError("the answer was lost on the way")
            return answer

        setattr(DefaultDialect, name, request)

    def send(self: Track, words: bytes) -> Any:
        answers = honest_send(self, words)
        if ASKING in words and random.random() < share:
            raise psycopg.OperationalError("the answer was lost on the way")
        return answers

    for name in REQUESTS:
        lying(name)
    honest_send = Track._send
    Track._send = send  # type: ignore[method-assign]


def die_at(number: int) -> None:
    """Die at one of the steps of the first tick."""
    steps = 0

    def counting(owner: type, name: str) -> None:
        plain = getattr(owner, name)

        def request(self: Any, *arguments: Any, **more: Any) -> Any:
            nonlocal steps
            if steps or any(FIRST_OF_A_TICK in str(argument) for argument in arguments):
                steps += 1
                if steps == number:
                    os.kill(os.getpid(), signal.SIGKILL)
            return plain(self, *arguments, **more)

        setattr(owner, name, request)

    for name in REQUESTS:
        counting(DefaultDialect, name)
    counting(Track, "_send")
    counting(AbstractConnection, "send_packed_command")


def set_clock(by: Path) -> None:
    """Have the database's clock ahead of the true one by the seconds in a file, which may change at any time."""

    def seconds() -> float:
        return float(by.read_text() or 0)

    def now(self: DatabaseClock, session: Any) -> datetime:
        return honest_now(self, session) + timedelta(seconds=seconds())

    honest_now = DatabaseClock.now
    DatabaseClock.now = now  # type: ignore[method-assign]
    # Statements that ask the clock themselves are told the same.
    moment = property(lambda _self: datetime.fromtimestamp(time.time() + seconds(), UTC))
    DatabaseClock.moment = moment  # type: ignore[assignment]


if "FAULT_LIE" in os.environ:
    lie(float(os.environ["FAULT_LIE"]))
if "FAULT_DIE_AT" in os.environ:
    die_at(int(os.environ["FAULT_DIE_AT"]))
if "FAULT_CLOCK" in os.environ:
    set_clock(Path(os.environ["FAULT_CLOCK"]))
