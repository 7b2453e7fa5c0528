"""Notices when the database's clock is set: its time is compared with the seconds since this machine was started."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.deadline import boot_seconds

# More than a slewed clock wanders between two looks, less than anything that a lease or a slot would notice.
TOLERATED_SECONDS = 5.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ClockStep:
    """The clock was set by so many seconds, forward or, if negative, back."""

    seconds: float
    seen_at: datetime

    @property
    def is_back(self) -> bool:
        return self.seconds < 0


class ClockWatch:
    """Watches one clock from one process. After a step it holds for a while: what is due or expired is not to be had.

    By then everybody who is alive has renewed what they hold by the new time.
    """

    def __init__(self, *, hold_seconds: float, elapsed: Callable[[], float] = boot_seconds) -> None:
        self._hold_seconds = hold_seconds
        self._elapsed = elapsed
        self._lock = threading.Lock()
        # How far the clock is ahead of our count: somewhere between these, because the answer took a while.
        self._ahead: tuple[float, float] | None = None
        self._held_until: float | None = None
        self._step: ClockStep | None = None
        self._untold: ClockStep | None = None

    def look(self, ask: Callable[[], datetime]) -> datetime:
        """Ask the clock, and notice whether it was set since the last look."""
        with self._lock:
            before = self._elapsed()
            now = ask()
            after = self._elapsed()
            seconds = (now - _EPOCH).total_seconds()
            self._compare((seconds - after, seconds - before), now, after)
        return now

    @property
    def is_held(self) -> bool:
        """Whether the clock was set a moment ago."""
        return self._held_until is not None and self._elapsed() < self._held_until

    @property
    def step(self) -> ClockStep | None:
        """The last step, until `forget`."""
        return self._step

    def take_untold(self) -> ClockStep | None:
        """A step that nobody was told of yet. Asked again, None."""
        with self._lock:
            found, self._untold = self._untold, None
        return found

    def forget(self, step: ClockStep) -> None:
        """All that followed from this step is done."""
        with self._lock:
            if self._step is step:
                self._step = self._held_until = None

    def _compare(self, ahead: tuple[float, float], now: datetime, elapsed: float) -> None:
        known, self._ahead = self._ahead, ahead
        if known is None:
            return
        # The smallest step that explains both answers: a database that hangs is no clock that was set.
        forward, back = ahead[0] - known[1], ahead[1] - known[0]
        if forward > TOLERATED_SECONDS or back < -TOLERATED_SECONDS:
            self._step = self._untold = ClockStep(forward if forward > 0 else back, now)
            self._held_until = elapsed + self._hold_seconds
