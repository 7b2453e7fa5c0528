"""How many schedules of an organization need somebody: what every open page shows in its title, so it costs little."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.events.service import Topic
from app.ops.news import News
from app.ops.schedule_glances import Glance
from app.ops.schedule_health import ScheduleHealth

# Lateness comes with time alone, and a change that was committed late carries an older number than one that was seen.
_BELIEVED = timedelta(seconds=30)
# Where counting takes long, it may take a twentieth of the time; where it takes no time, it is done at every change.
_SHARE = 20
_NO_TIME_SECONDS = 0.005


@dataclass(frozen=True)
class Attention:
    """Schedules whose last run failed, and those of which something is due and has not started."""

    failing: int
    late: int


@dataclass(frozen=True)
class _Look:
    found: Attention
    key: object
    at: datetime
    ended: float
    took: float


class AttentionBook:
    """What was counted lately, for each organization. Shared by the threads of a process.

    `seconds` is a clock that never goes back, `effort` one of what the thread itself worked; no more than `most`
    organizations are remembered.
    """

    def __init__(
        self, *, seconds: Callable[[], float] = time.monotonic, effort: Callable[[], float] = time.thread_time,
        most: int = 1_000,
    ) -> None:  # fmt: skip
        self._seconds, self._effort, self._most = seconds, effort, most
        self._looks: OrderedDict[UUID, _Look] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self, organization_id: UUID, *, news: News, now: datetime, glances: Callable[[], Sequence[Glance]]
    ) -> Attention:
        """The numbers, at most some seconds old. `glances` is asked where something changed."""
        key = (*(news.newest[topic] for topic in Topic), news.stop is not None)
        known = self._looks.get(organization_id)
        if known is not None and self._holds(known, key, now):
            return known.found
        began = self._effort()
        found = _count(glances())
        took = self._effort() - began
        with self._lock:
            self._looks[organization_id] = _Look(found, key, now, self._seconds(), took)
            self._looks.move_to_end(organization_id)
            if len(self._looks) > self._most:
                self._looks.popitem(last=False)
        return found

    def _holds(self, known: _Look, key: object, now: datetime) -> bool:
        if known.took > _NO_TIME_SECONDS and self._seconds() - known.ended < _SHARE * known.took:
            return True
        return known.key == key and abs(now - known.at) < _BELIEVED


def _count(glances: Sequence[Glance]) -> Attention:
    found = [one.health for one in glances]
    return Attention(found.count(ScheduleHealth.FAILING), found.count(ScheduleHealth.LATE))
