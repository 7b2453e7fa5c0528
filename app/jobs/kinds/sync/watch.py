"""The attempt as readers see it: they ask whether to go on, and wait as long as it may."""

import time
from dataclasses import dataclass
from datetime import datetime

from app.jobs.kinds.base import RunContext
from app.syncs.calls.client import ReadStopped

# How long it takes at most until a wait notices that the attempt has to end.
STEP_SECONDS = 0.5


@dataclass(frozen=True)
class RunWatch:
    """Watches one attempt."""

    context: RunContext

    def now(self) -> datetime:
        return self.context.now()

    def go_on(self) -> None:
        if self.context.stop_reason() is not None:
            raise ReadStopped

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.go_on()
            time.sleep(min(left, STEP_SECONDS))

    def log(self, text: str) -> None:
        self.context.log(text)
