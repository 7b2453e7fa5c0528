"""Who asks for the same glances at the same time reads them once: every open list does so whenever a run ends."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.questions import ask_together
from app.events.service import Topic, latest_event_ids
from app.ops.glance_changes import renewed, told_of
from app.ops.schedule_glances import Glance, read_glances

# Time alone makes a schedule late, and a change that was committed late carries an older number than one that was seen.
_BELIEVED = timedelta(seconds=5)
# For so long only what changed is read of a large organization; then everything, whatever the events say.
_RENEWED_FOR = timedelta(minutes=1)
# Fewer are read at once as fast as it is found out which changed.
_LARGE = 200
# Of all organizations together; each takes about half a kilobyte.
_MOST_GLANCES = 20_000
_TOPICS = (Topic.SCHEDULES, Topic.JOBS, Topic.RUNS)


@dataclass(frozen=True)
class _Reading:
    """What was read, and how new everything was just before."""

    numbers: tuple[int, ...]
    is_stopped: bool
    at: datetime
    glances: Sequence[Glance]
    # When all of it was read at once.
    whole_at: datetime

    def is_good_for(self, numbers: tuple[int, ...], *, is_stopped: bool, now: datetime) -> bool:
        is_new_enough = all(mine >= theirs for mine, theirs in zip(self.numbers, numbers, strict=True))
        return is_new_enough and self.is_stopped == is_stopped and abs(now - self.at) < _BELIEVED

    def can_be_renewed(self, now: datetime) -> bool:
        """Whether finding out what changed is safe, and less work than reading all."""
        return len(self.glances) >= _LARGE and timedelta() <= now - self.whole_at < _RENEWED_FOR


@dataclass
class _Shelf:
    """What one organization has. Whoever holds the lock reads; the others wait for it and take what was read."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last: _Reading | None = None

    @property
    def size(self) -> int:
        return 0 if self.last is None else len(self.last.glances)


class GlanceBook:
    """The glances of the organizations that asked lately, for one process. Any number of threads."""

    def __init__(self) -> None:
        self._shelves: OrderedDict[UUID, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def look_up(
        self, session: Session, *, organization_id: UUID, newest: Mapping[Topic, int], is_stopped: bool, now: datetime
    ) -> Sequence[Glance]:
        """Each schedule of the organization, at least as new as these numbers of its newest events."""
        numbers = tuple(newest[topic] for topic in _TOPICS)
        shelf = self._shelf(organization_id)
        had_to_wait = not shelf.lock.acquire(blocking=False)
        if had_to_wait:
            shelf.lock.acquire()
        try:
            if shelf.last is not None and shelf.last.is_good_for(numbers, is_stopped=is_stopped, now=now):
                return shelf.last.glances
            # The others who wait know of newer events by now, and a reading that asks for those will do for them, too.
            shelf.last = _read(
                session, shelf.last, organization_id=organization_id, numbers=None if had_to_wait else numbers,
                is_stopped=is_stopped, now=now,
            )  # fmt: skip
            found = shelf.last.glances
        finally:
            shelf.lock.release()
        self._make_room(organization_id)
        return found

    def _shelf(self, organization_id: UUID) -> _Shelf:
        with self._lock:
            shelf = self._shelves.setdefault(organization_id, _Shelf())
            self._shelves.move_to_end(organization_id)
            return shelf

    def _make_room(self, besides: UUID) -> None:
        with self._lock:
            while len(self._shelves) > 1 and sum(shelf.size for shelf in self._shelves.values()) > _MOST_GLANCES:
                oldest = next(iter(self._shelves))
                if oldest == besides:
                    return
                del self._shelves[oldest]


def _read(
    session: Session,
    last: _Reading | None,
    *,
    organization_id: UUID,
    numbers: tuple[int, ...] | None,
    is_stopped: bool,
    now: datetime,
) -> _Reading:
    """What changed since the last reading, where that is enough; else everything. Two statements, as a rule.

    Without numbers of the newest events they are asked for, at the latest with the first of what they go with.
    """
    here: dict[str, Any] = {"organization_id": organization_id, "now": now}
    may_renew = last is not None and last.is_stopped == is_stopped and last.can_be_renewed(now)
    since = dict(zip(_TOPICS, last.numbers, strict=True)) if last is not None else {}
    newest, told = ask_together(
        session,
        latest_event_ids(organization_id, _TOPICS) if numbers is None else None,
        told_of(**here, since=since, at=last.at) if last is not None and may_renew else None,
    )
    numbers = newest if numbers is None else numbers
    here["is_stopped"] = is_stopped
    if last is not None and may_renew:
        found = renewed(session, last.glances, told, **here)
        if found is not None:
            return _Reading(numbers, is_stopped, now, found, last.whole_at)
    return _Reading(numbers, is_stopped, now, read_glances(session, **here), now)
