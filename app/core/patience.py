"""Asking a database again that is away for a moment."""

import time
from collections.abc import Callable
from typing import TypeVar

from app.core.db import OUTAGES
from app.core.deadline import Deadline

# How long to wait before a database is asked again that did not answer.
RETRY_SECONDS = 0.5

Answer = TypeVar("Answer")


def patiently(ask: Callable[[], Answer], *, seconds: float) -> Answer:
    """Ask until there is an answer. An outage that lasts longer than so many seconds is raised.

    A restart of the database is no fault of whoever asks.
    """
    patience = Deadline.after(seconds)
    while True:
        try:
            return ask()
        except OUTAGES:
            if patience.has_passed:
                raise
            time.sleep(RETRY_SECONDS)
