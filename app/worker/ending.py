"""How long a process may take to stop, and its end when it takes longer."""

import logging
import os
import threading

from app.core.deadline import Deadline
from app.runs.keeper import Keeper

log = logging.getLogger(__name__)

# What a stopping worker keeps back of its stop time, for attempts to end and be handed back: half of it at most.
HAND_BACK_SECONDS = 5
# What it gets beyond its stop time before it ends as it is. Whoever started it waits a little longer than that.
LATE_SECONDS = 3
EXIT_LATE = 1


class Ending:
    """The time that a stopping process takes: what runs may end by itself, then it is stopped and handed back."""

    def __init__(self, stop_seconds: int, keeper: Keeper) -> None:
        self._stop_seconds = stop_seconds
        self._keeper = keeper
        self._until = Deadline.after(stop_seconds)

    def begin(self) -> None:
        """From now on, and however often it is asked for, the time runs."""
        if self._keeper.is_told_to_stop:
            return
        log.info("worker stopping", extra={"seconds": self._stop_seconds, "running": len(self._keeper.attempts)})
        self._until = Deadline.after(self._stop_seconds)
        self._keeper.stop_attempts_after(self._stop_seconds - min(HAND_BACK_SECONDS, self._stop_seconds / 2))
        end_after(self._stop_seconds + LATE_SECONDS)

    @property
    def seconds_left(self) -> float:
        return self._until.seconds_left


def end_after(seconds: float) -> None:
    """End this process then, whatever it still waits for: a server that does not answer may keep it for long."""

    def end() -> None:
        log.error("stopping took too long", extra={"seconds": seconds})
        os._exit(EXIT_LATE)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
