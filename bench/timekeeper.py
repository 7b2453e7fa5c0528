"""A scheduler in this process whose clock begins at a given instant, for measuring its ticks alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.ops.capacity import live_slots
from app.queue.dispatch import make_dispatcher
from app.queue.scheduler import Scheduler
from app.worker.parts import Parts
from bench.installation import Installation


@dataclass(frozen=True)
class OffsetClock:
    """Goes on from the instant at which it was made."""

    start: datetime
    made_at: float = field(default_factory=time.monotonic)

    @property
    def moment(self) -> datetime:
        """What statements that ask the time themselves are told."""
        return self.start + timedelta(seconds=time.monotonic() - self.made_at)

    def now(self, _session: Session) -> datetime:
        return self.moment


@contextmanager
def timekeeper(place: Installation) -> Iterator["Timekeeper"]:
    """All that a scheduler process holds, without its loop."""
    parts = Parts.from_settings(place.settings)
    try:
        yield Timekeeper(parts)
    finally:
        parts.pools.dispose()


@dataclass(frozen=True)
class Timekeeper:
    """Measures ticks, each as if the installation had just come to that instant."""

    parts: Parts

    def seconds_for_tick(self, at: datetime) -> float:
        """How long until all that is due is in the books, and hinted at as far as there are slots."""
        scheduler = self._scheduler(at)
        began = time.perf_counter()
        scheduler.tick()
        return time.perf_counter() - began

    def _scheduler(self, at: datetime) -> Scheduler:
        parts = replace(self.parts, clock=OffsetClock(at))
        dispatcher = make_dispatcher(parts.settings, parts.pools.tick, parts.clock, live_slots=live_slots)
        return parts.scheduler(dispatcher, parts.pulse(slots=0, schedules=True))
