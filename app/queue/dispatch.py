"""Ready runs become hints, a few more than there are slots. The line stays in the database; repeating is harmless."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.config import Settings
from app.core.db import Database
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.queue.broker import Hints, make_huey
from app.queue.link import BrokerAway
from app.queue.tasks import make_hints
from app.runs import ledger
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.switches import is_open

log = logging.getLogger(__name__)

# Enough that a slot never waits for the next pass, few enough that a removal takes effect at once.
HINTS_PER_SLOT = 2
# A hint that nobody took for this long may be lost.
STALE_AFTER = timedelta(seconds=10)


# How many runs the workers heard of lately take at once, all together.
LiveSlots = Callable[[Session, datetime], int]


@dataclass(frozen=True)
class Dispatcher:
    """Hands ready runs to the workers. `own_slots` are those of this process, which counts before it was heard of."""

    database: Database
    clock: Clock
    hints: Hints
    live_slots: LiveSlots
    own_slots: int
    _trouble: Trouble = field(default_factory=lambda: Trouble(log, "handing out runs"), init=False, compare=False)
    _going: Lock = field(default_factory=Lock, init=False, compare=False)
    _next: Lock = field(default_factory=Lock, init=False, compare=False)

    def dispatch(self) -> int:
        """Hint at the next ready runs. Returns how many. With broker or database away, finders and sweep make up."""
        # One pass goes on and one waits; the latter sees all that was committed by those who come third.
        if not self._next.acquire(blocking=False):
            return 0
        with self._going:
            self._next.release()
            return self._pass()

    def _pass(self) -> int:
        try:
            # Asked before the transaction: a broker that hangs must not hold the database's write lock.
            waiting = self._count_hints()
            chosen = self.database.run(ENGINE, lambda session: self._choose(session, waiting=waiting))
            sent = self._send(chosen)
        except SQLAlchemyError as error:
            self._trouble.failed(error)
            return 0
        self._trouble.worked()
        return sent

    def _count_hints(self) -> int | None:
        try:
            return self.hints.waiting()
        except BrokerAway:
            return None

    def _send(self, chosen: list[UUID]) -> int:
        try:
            self.hints.send(chosen)
        except BrokerAway:
            # Not said is not hinted at: when the broker is back, these are the first.
            self.database.run(ENGINE, lambda session: _take_back(session, chosen))
            return 0
        return len(chosen)

    def _choose(self, session: Session, *, waiting: int | None) -> list[UUID]:
        now = self.clock.now(session)
        _wake_retries(session, now)
        if waiting is None:
            return []
        # Hints that still lie in the queue are late and not lost: the slots are busy.
        is_stale = Run.hinted_at < now - STALE_AFTER if waiting == 0 else Run.hinted_at.is_(None)
        is_ready = in_state(RunState.READY) & (Run.ready_at <= now) & is_open()
        hinted = select(func.count()).select_from(Run).where(is_ready, Run.hinted_at.is_not(None), ~is_stale)
        slots = max(self.live_slots(session, now), self.own_slots)
        free = slots * HINTS_PER_SLOT - (session.scalar(hinted) or 0)
        if free <= 0:
            return []
        query = (
            select(Run.id)
            .where(is_ready, or_(Run.hinted_at.is_(None), is_stale))
            .order_by(Run.ready_at, Run.id)
            .limit(free)
            .with_for_update(skip_locked=True)
        )
        chosen = list(session.scalars(query))
        session.execute(update(Run).where(Run.id.in_(chosen)).values(hinted_at=now))
        return chosen


def make_dispatcher(settings: Settings, database: Database, clock: Clock, *, live_slots: LiveSlots) -> Dispatcher:
    """For a process that hands out work and does none itself: pages, commands, a scheduler apart."""
    # As if there were one slot at least, so that the first worker that comes finds something to begin with.
    return Dispatcher(database, clock, make_hints(make_huey(settings)), live_slots, own_slots=1)


def _wake_retries(session: Session, now: datetime) -> None:
    query = select(Run.id).where(in_state(RunState.WAITING_RETRY), Run.ready_at <= now).limit(200)
    due = list(session.scalars(query))
    if due:
        ledger.make_ready(session, run_ids=due, now=now)


def _take_back(session: Session, run_ids: list[UUID]) -> None:
    session.execute(update(Run).where(Run.id.in_(run_ids), in_state(RunState.READY)).values(hinted_at=None))
