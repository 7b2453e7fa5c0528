"""The huey instance: a carrier of hints. It keeps no results and does no retries; the ledger does the rest."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from huey import Huey
from huey.consumer import Consumer
from huey.storage import SqliteStorage
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.core.errors import Unavailable
from app.queue.messages import JSONSerializer

QUEUE = "belfry"
# Threads ask the file this often when nothing is to do. Hints of their own process wake them at once.
POLL_SECONDS = 0.2


def make_huey(settings: Settings) -> Huey:
    """The carrier for the broker of the settings."""
    path = Path(make_url(settings.broker_url).database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    # fsync off: a hint that a power cut takes is given again by the sweep.
    return Huey(
        QUEUE,
        storage_class=WakingStorage,
        filename=str(path),
        fsync=False,
        results=False,
        utc=True,
        serializer=JSONSerializer(),
    )


class WakingStorage(SqliteStorage):  # type: ignore[misc]
    """huey's queue in a SQLite file, whose readers wait for a writer of their own process, or a moment."""

    # huey: dequeue waits by itself, the consumer need not sleep.
    blocking = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._news = threading.Condition()
        super().__init__(*args, **kwargs)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        super().enqueue(data, priority)
        with self._news:
            self._news.notify()

    def dequeue(self) -> bytes | None:
        found: bytes | None = super().dequeue()
        if found is None:
            with self._news:
                self._news.wait(POLL_SECONDS)
            found = super().dequeue()
        return found


class BrokerAway(Unavailable):
    """The carrier of hints does not answer. Runs stay ready, and the sweep hints at them again."""


class Hints:
    """Tells workers which runs to look at. Losing a hint costs time and nothing else."""

    def __init__(self, huey: Huey) -> None:
        self._huey = huey
        self._task: Any = None

    def bind(self, task: Any) -> None:
        """Use this task for hints. Named once, where tasks are made."""
        self._task = task

    def send(self, run_ids: list[UUID]) -> None:
        """Raises BrokerAway; the hints sent before that stand."""
        with _translated():
            for run_id in run_ids:
                self._task(run_id=str(run_id))

    def waiting(self) -> int:
        """How many hints no worker has taken yet. Raises BrokerAway."""
        with _translated():
            return int(self._huey.pending_count())


class GracefulConsumer(Consumer):  # type: ignore[misc]
    """huey's consumer, for which Ctrl-C is as gentle as a service manager's stop."""

    def __init__(self, *args: Any, on_stop: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, graceful_signal="TERM", **kwargs)
        self._on_stop = on_stop
        self._signal_actions[self._interrupt_sig] = (False, True)

    def stop(self, graceful: bool = False) -> None:
        """Take no further hints, and let what runs know that it has to come to an end."""
        self._on_stop()
        super().stop(graceful)


def make_consumer(
    huey: Huey, *, slots: int, periodic: bool, stop_seconds: int, on_stop: Callable[[], None]
) -> GracefulConsumer:
    """What takes hints and works on them, in as many threads as there are slots."""
    return GracefulConsumer(
        huey,
        workers=slots,
        periodic=periodic,
        initial_delay=POLL_SECONDS,
        max_delay=POLL_SECONDS,
        health_check_interval=1,
        shutdown_timeout=stop_seconds,
        on_stop=on_stop,
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise BrokerAway(f"The broker does not answer: {error}") from error
