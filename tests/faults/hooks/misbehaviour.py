"""Makes the driver of a process misbehave, below everything that is Belfry's own."""

import os
import random
import signal
from typing import Any

from redis.connection import AbstractConnection
from sqlalchemy.engine.default import DefaultDialect

# How the planner asks for what is due: from then on requests are counted.
FIRST_OF_A_TICK = "ORDER BY schedules.next_run_at"
REQUESTS = ("do_execute", "do_executemany", "do_commit")


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

    for name in REQUESTS:
        lying(name)


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
    counting(AbstractConnection, "send_packed_command")


if "FAULT_LIE" in os.environ:
    lie(float(os.environ["FAULT_LIE"]))
if "FAULT_DIE_AT" in os.environ:
    die_at(int(os.environ["FAULT_DIE_AT"]))
