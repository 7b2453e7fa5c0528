"""Counts what the attempts of one process came to. Pure; the line in the log is written above."""

from collections import Counter
from threading import Lock

from app.jobs.kinds.base import OutcomeStatus


class Tally:
    """Counted by many threads, and taken now and then."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ends: Counter[str] = Counter()
        self._seconds = 0.0

    def note(self, status: OutcomeStatus, *, seconds: float) -> None:
        """An attempt ended."""
        with self._lock:
            self._ends[status.value] += 1
            self._seconds += seconds

    def note_refused(self) -> None:
        """An outcome was refused, because the run was no longer this worker's."""
        with self._lock:
            self._ends["refused"] += 1

    def take(self) -> dict[str, object]:
        """The counts since they were last taken, as they go into the log."""
        with self._lock:
            ends, self._ends = self._ends, Counter()
            seconds, self._seconds = self._seconds, 0.0
        counts = {f"runs_{name}": ends[name] for name in [*OutcomeStatus, "refused"]}
        return {**counts, "run_seconds": round(seconds, 1)}
