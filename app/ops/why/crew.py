"""Who could do the work, judged by what the processes report. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.ops.heartbeats import SILENT_AFTER, ProcessRow, kept_time_at


@dataclass(frozen=True)
class Crew:
    """The processes that were heard of within a day, also those that have ended in good order since."""

    processes: Sequence[ProcessRow]
    now: datetime

    def serving(self, queue: str) -> list[ProcessRow]:
        """The workers that serve a queue and were heard of lately, whether they start anything or not."""
        return [row for row in self._workers(queue) if not row.is_silent(self.now) and not row.is_stopping]

    def served_until(self, queue: str) -> datetime | None:
        """When a worker that served a queue was last heard of; None when none is known."""
        return max((min(row.beat_at, self.now) for row in self._workers(queue)), default=None)

    @property
    def kept_time_at(self) -> datetime | None:
        """When a scheduler was last known to keep time; None when none is known."""
        return max((kept_time_at(row) for row in self._schedulers), default=None)

    @property
    def has_signed_off(self) -> bool:
        """Whether the scheduler that kept time last ended in good order."""
        last = max(self._schedulers, key=kept_time_at, default=None)
        return last is not None and last.has_ended

    @property
    def keeps_time(self) -> bool:
        """Whether a scheduler does at present."""
        return any(self.now - kept_time_at(row) <= SILENT_AFTER for row in self._schedulers if not row.has_ended)

    @property
    def _schedulers(self) -> list[ProcessRow]:
        # What lies ahead was reported before the clock was set back.
        return [row for row in self.processes if row.schedules and row.beat_at <= self.now + SILENT_AFTER]

    def _workers(self, queue: str) -> list[ProcessRow]:
        return [row for row in self.processes if row.serves(queue)]
