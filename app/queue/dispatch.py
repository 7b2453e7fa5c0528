"""Ready runs become hints, a few more than there are slots. The line stays in the database; repeating is harmless."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.config import Settings
from app.core.db import Database
from app.queue.broker import BrokerAway, Hints, make_huey
from app.queue.tasks import make_hints
from app.runs import ledger
from app.runs.models import Run, in_state
from app.runs.states import RunState

log = logging.getLogger(__name__)

# Enough that a slot never waits for the next pass, few enough that a removal takes effect at once.
HINTS_PER_SLOT = 2
# A hint that nobody took for this long may be lost.
STALE_AFTER = timedelta(seconds=10)


@dataclass(frozen=True)
class Dispatcher:
    """Hands ready runs to the workers."""

    database: Database
    clock: Clock
    hints: Hints
    slots: int

    def dispatch(self) -> int:
        """Hint at the next ready runs. Returns how many. With broker or database away, finders and sweep make up."""
        try:
            # Asked before the transaction: a broker that hangs must not hold the database's write lock.
            are_lost = self._has_no_hints()
            with self.database.transaction() as session:
                now = self.clock.now(session)
                _wake_retries(session, now)
                chosen = self._choose(session, now, are_lost=are_lost)
            self.hints.send(chosen)
        except (SQLAlchemyError, BrokerAway) as error:
            log.warning("dispatch postponed", extra={"problem": str(error)})
            return 0
        return len(chosen)

    def _has_no_hints(self) -> bool:
        try:
            return self.hints.waiting() == 0
        except BrokerAway:
            # Retries still have to be woken below; sending then says that the broker is away.
            return True

    def _choose(self, session: Session, now: datetime, *, are_lost: bool) -> list[UUID]:
        # Hints that still lie in the queue are late and not lost: the slots are busy.
        is_stale = Run.hinted_at < now - STALE_AFTER if are_lost else Run.hinted_at.is_(None)
        is_ready = in_state(RunState.READY) & (Run.ready_at <= now)
        hinted = select(func.count()).select_from(Run).where(is_ready, Run.hinted_at.is_not(None), ~is_stale)
        free = self.slots * HINTS_PER_SLOT - (session.scalar(hinted) or 0)
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


def make_dispatcher(settings: Settings, database: Database, clock: Clock) -> Dispatcher:
    """For a process that hands out work and does none itself: pages, commands, a scheduler apart."""
    return Dispatcher(database, clock, make_hints(make_huey(settings)), settings.workers)


def _wake_retries(session: Session, now: datetime) -> None:
    query = select(Run.id).where(in_state(RunState.WAITING_RETRY), Run.ready_at <= now).limit(200)
    due = list(session.scalars(query))
    if due:
        ledger.make_ready(session, run_ids=due, now=now)
