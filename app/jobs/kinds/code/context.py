"""What a function of a code job is given, and how it fails on purpose."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.http import OutboundClient
from app.jobs.kinds.base import Level, StopReason


class JobFailed(Exception):
    """Raised by a function that knows why it failed: the message is shown as it is.

    With `retry=False` another try is pointless and none is made.
    """

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry


class RetryLater(Exception):
    """Raised by a function that knows when another try may help, because the other side said so.

    Its next try comes then, and not when the job's policy says; it costs a try like any other failure. A moment needs
    a time zone.
    """

    def __init__(self, message: str, *, seconds: float | None = None, at: datetime | None = None) -> None:
        super().__init__(message)
        if (seconds is None) == (at is None):
            raise ValueError("Say when to try again: in how many seconds, or at which moment.")
        if at is not None:
            # A moment is a length of time by the clock that it was worked out with, which is this machine's.
            seconds = (at - datetime.now(UTC)).total_seconds()
        self.message = message
        self.seconds = max(0.0, seconds or 0.0)


class RunStopped(BaseException):
    """Ends a function in the worker's own thread that has to stop. Not meant to be caught."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def _never() -> StopReason | None:
    # A process of its own is ended from outside.
    return None


@dataclass(frozen=True)
class FunctionContext:
    """The run a function works for, and its means. `idempotency_key` is the same in every attempt of a run."""

    run_id: UUID
    organization_id: UUID
    idempotency_key: str
    settings: Settings
    write_line: Callable[[str, Level], None]
    write_progress: Callable[[int, int | None, str], None]
    stop_reason: Callable[[], StopReason | None] = _never

    def log(self, text: str, level: Level = Level.INFO) -> None:
        """Add a line to the run's log."""
        self.write_line(text, level)

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far it has come: so much of a total, if there is one, and a line about it. Call it as often as you
        like."""
        self.write_progress(done, total, text)

    def check_stop(self) -> None:
        """End here when the time is over or the worker stops. A function in the worker's thread calls this often."""
        reason = self.stop_reason()
        if reason is not None:
            raise RunStopped(reason)

    @cached_property
    def http(self) -> OutboundClient:
        """The client for outside machines; it reaches private addresses only where the installation allows them."""
        return OutboundClient(allowed_private=self.settings.allowed_private_addresses)

    def open_database(self) -> Database:
        """Belfry's own database. To be disposed of by the caller."""
        return open_database(self.settings.database_url)
