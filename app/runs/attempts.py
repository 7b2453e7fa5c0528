"""An attempt while it runs: what its kind of job may use, and the lines it has written. Holds no session."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.deadline import Deadline, boot_seconds
from app.core.http import OutboundClient
from app.jobs.kinds.base import ChildCounts, Level, StopReason
from app.runs.claims import Claim
from app.runs.facts import Started
from app.runs.logs import NewLine
from app.runs.own_data import OwnData
from app.runs.progress import Progress

# The value of a secret of the run's job, by its id and field.
OpenSecret = Callable[[Started, UUID, str], str]
# Opens the runs of a group's functions and says how many; how those stand that a run has started.
StartChildren = Callable[[Started, str | None], int]
CountChildren = Callable[[Started], ChildCounts | None]
# A point on the boot clock that has always passed.
_ALREADY_OVER = Deadline(0.0)
# More than this waiting to be written means the database is away; the newest lines are then let go, and counted.
MOST_WAITING_LINES = 10_000


class LiveAttempt:
    """The RunContext of one attempt. Written to by the job's thread, emptied by the keeper's."""

    def __init__(
        self,
        claim: Claim,
        *,
        http: OutboundClient,
        open_secret: OpenSecret,
        start_children: StartChildren,
        count_children: CountChildren,
        data: OwnData,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._claim: Claim | None = claim
        self._started = claim.started
        self._http = http
        self._open_secret = open_secret
        self._start_children = start_children
        self._count_children = count_children
        self._data = data
        self._is_stopping = is_stopping
        self._began = boot_seconds()
        self._deadline = Deadline.after(claim.started.time_limit_seconds)
        self._is_cancelled = False
        self._is_known_as_slow = False
        self._lock = Lock()
        self._progress: Progress | None = None
        self._has_progress_shown = False
        self._lines: list[NewLine] = []
        self._let_go = 0

    @property
    def started(self) -> Started:
        return self._started

    @property
    def run_id(self) -> UUID:
        return self._started.run_id

    @property
    def organization_id(self) -> UUID:
        return self._started.organization_id

    @property
    def job_id(self) -> UUID:
        return self._started.job_id

    @property
    def idempotency_key(self) -> str:
        return str(self._started.run_id)

    @property
    def deadline(self) -> Deadline:
        return self._deadline

    @property
    def age_seconds(self) -> float:
        """How long it has been going on."""
        return boot_seconds() - self._began

    @property
    def safe_until(self) -> Deadline:
        claim = self._claim
        return _ALREADY_OVER if claim is None else claim.safe_until

    @property
    def http(self) -> OutboundClient:
        return self._http

    def open_secret(self, secret_id: UUID, field: str) -> str:
        return self._open_secret(self._started, secret_id, field)

    def now(self, session: Session | None = None) -> datetime:
        return self._data.now(session)

    def transaction(self) -> AbstractContextManager[Session]:
        return self._data.transaction()

    def hold_run(self, session: Session) -> None:
        self._data.hold(session)

    def left_behind(self) -> Mapping[str, Any]:
        return self._data.left_behind()

    def start_children(self, group: str | None) -> int:
        return self._start_children(self._started, group)

    def children(self) -> ChildCounts | None:
        return self._count_children(self._started)

    @property
    def claim(self) -> Claim | None:
        """The live claim, or None once it is lost."""
        return self._claim

    def hold(self, claim: Claim | None) -> None:
        """Take over a renewed claim, or learn that it is lost."""
        self._claim = claim

    def log(self, text: str, level: Level = Level.INFO) -> None:
        # The one place below the edges that reads a clock: a line's time is shown to people and decides nothing.
        line = NewLine(text, level, datetime.now(UTC))
        with self._lock:
            if len(self._lines) < MOST_WAITING_LINES:
                self._lines.append(line)
            else:
                self._let_go += 1

    def stop_reason(self) -> StopReason | None:
        claim = self._claim
        if claim is None or claim.safe_until.has_passed:
            return StopReason.LEASE_LOST
        if self._is_cancelled:
            return StopReason.CANCELLED
        if self._deadline.has_passed:
            return StopReason.TIME_LIMIT
        return StopReason.WORKER_STOPPING if self._is_stopping() else None

    def cancel(self) -> None:
        """Have it stop at its next chance, because somebody cancelled its run."""
        self._is_cancelled = True

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled

    @property
    def is_newly_slow(self) -> bool:
        """Whether it takes longer than its soft limit, and nobody has been told."""
        soft_limit = self._started.soft_limit_seconds
        return not self._is_known_as_slow and soft_limit is not None and self.age_seconds >= soft_limit

    def note_slow(self) -> None:
        """It was told that this takes longer than expected."""
        self._is_known_as_slow = True
        self.log(f"It takes longer than the {self._started.soft_limit_seconds:,} s expected of it.", Level.WARNING)

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        said = Progress.said(done, total, text)
        with self._lock:
            self._progress = said

    def unwritten_progress(self, *, at_the_end: bool = False) -> Progress | None:
        """How far it has come, if that was said and is not written yet. The caller writes it, and notes that it did.

        Nobody needs it at the end of what went well, unless something that is no longer true was written before.
        """
        with self._lock:
            if at_the_end and not self._has_progress_shown:
                return None
            self._has_progress_shown |= self._progress is not None
            return self._progress

    def note_progress(self, written: Progress) -> None:
        """This was written. What was said meanwhile was not."""
        with self._lock:
            if self._progress is written:
                self._progress = None

    def take_lines(self) -> list[NewLine]:
        """The lines that wait to be written; they are the caller's from now on."""
        with self._lock:
            lines, self._lines = self._lines, []
            if self._let_go:
                text = f"{self._let_go} lines were let go, because the database could not take them in time."
                lines.append(NewLine(text, Level.WARNING, datetime.now(UTC)))
                self._let_go = 0
        return lines

    def give_back(self, lines: list[NewLine]) -> None:
        """Lines that could not be written now stand first in line again."""
        with self._lock:
            self._lines = lines + self._lines
