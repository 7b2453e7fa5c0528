"""The loop that keeps time: tick when a slot comes, dispatch, and now and then sweep up what was lost.

A step of the database's clock holds both for one lease: until then nobody can tell what is due or lost.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.clock_watch import ClockStep, ClockWatch
from app.core.db import OUTAGES, Database
from app.core.deadline import boot_seconds
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.jobs.kinds.base import JobKinds
from app.queue.dispatch import Dispatcher
from app.runs import planner, reaper
from app.runs.cursors import Rounds
from app.runs.queries import earliest_ready_across_tenants
from app.schedules.clock_steps import absence_after, current_hold, record_step
from app.schedules.queries import earliest_due_across_tenants

log = logging.getLogger(__name__)

# A look at the earliest slot costs one indexed read, and finds a schedule that somebody has just switched on.
LOOK_SECONDS = 1.0
# Between two transactions of one pass, for others to get their turn.
BREATH_SECONDS = 0.05
# So long before a slot. A machine that has slept takes twice as long for everything it does first.
GET_UP_SECONDS = 0.012


@dataclass(frozen=True)
class TickReport:
    """When the last tick was and how long it took."""

    at: datetime
    milliseconds: int


class Scheduler:
    """One scheduler. Any number may run on one database."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        schema: SchemaGate,
        kinds: JobKinds,
        dispatcher: Dispatcher,
        poll_seconds: int,
        sweep_seconds: int,
        hold_seconds: float,
        first_sweep_seconds: float,
        report: Callable[[TickReport], None],
        elapsed: Callable[[], float] = boot_seconds,
    ) -> None:
        self._database = database
        self._clock = clock
        self._schema = schema
        self._kinds = kinds
        self._dispatcher = dispatcher
        self._poll_seconds = poll_seconds
        self._sweep_seconds = sweep_seconds
        self._hold_seconds = hold_seconds
        self._first_sweep_seconds = first_sweep_seconds
        self._report = report
        self._elapsed = elapsed
        self._new_until = elapsed() + hold_seconds
        self._watch = ClockWatch(hold_seconds=hold_seconds, elapsed=elapsed)
        self._rounds = Rounds()
        self._trouble = Trouble(log, "keeping time")
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self.run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread.start()

    def close(self) -> None:
        """Ask the loop to end and wait for the pass that is going on."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def run(self) -> None:
        """Loop until closed. A pass that fails is logged and repeated; nothing needs a restart."""
        due_at = next_poll = 0.0
        # A step of the clock just before this process began is not to be seen any more. By then everybody who is alive
        # has renewed what they hold.
        next_sweep = time.monotonic() + self._first_sweep_seconds
        while not self._closed.is_set():
            wake_at = time.monotonic() + LOOK_SECONDS
            # Whatever fails: without this loop nothing runs on time any more.
            with self._trouble.absorbing() as go:
                go.was_made = self._schema.is_current()
                if go.was_made:
                    # Awake because a slot has come, nobody has to be asked whether one has.
                    if time.monotonic() < min(due_at, next_poll):
                        due_at = self._due_at()
                    if time.monotonic() >= min(due_at, next_poll):
                        self.tick()
                        next_poll = time.monotonic() + self._poll_seconds
                        due_at = self._after_tick()
                    wake_at = min(wake_at, _get_up_for(due_at))
                if time.monotonic() >= next_sweep:
                    self.sweep()
                    next_sweep = time.monotonic() + self._sweep_seconds
            self._closed.wait(max(wake_at - time.monotonic(), 0.0))

    def tick(self) -> None:
        """Plan everything that is due, batch by batch, and hand each on at once."""
        if not self._schema.is_current():
            return
        began = time.monotonic()
        step = self._watch.step
        while not self._closed.is_set():
            planned = self._plan()
            self._tell_of_step()
            if planned is None:
                return
            now, done = planned
            # Where slots have come, there is no time to look for hints that went nowhere. The sweep does.
            self._dispatcher.dispatch(is_brief=done.schedules > 0)
            if not done.is_full:
                self._settle(step)
                self._report(TickReport(now, int((time.monotonic() - began) * 1000)))
                return
            if not self._database.is_postgres:
                # Pages and heartbeats write too, and SQLite has one writer at a time.
                self._closed.wait(BREATH_SECONDS)

    def sweep(self) -> None:
        """Move runs of dead workers on, hint again at runs whose hint was lost, mend schedules without a next time."""
        if not self._schema.is_current():
            return
        has_swept = self._reap()
        self._tell_of_step()
        if has_swept:
            self._dispatcher.dispatch()
            self._mend()

    def _reap(self) -> bool:
        while not self._closed.is_set():
            moved_on = self._database.run(ENGINE, self._reap_batch)
            if moved_on is None:
                return False
            if moved_on < reaper.BATCH:
                return True
        return False

    def _plan(self) -> tuple[datetime, planner.Tick] | None:
        try:
            return self._database.run(ENGINE, lambda session: self._plan_batch(session, is_careful=False))
        except OUTAGES:
            raise
        except Exception:
            log.exception("a batch of slots was refused, so it is planned again with more care")
            return self._database.run(ENGINE, lambda session: self._plan_batch(session, is_careful=True))

    def _plan_batch(self, session: Session, *, is_careful: bool) -> tuple[datetime, planner.Tick] | None:
        now = self._steady_now(session)
        if now is None:
            return None
        absence = absence_after(self._watch.step)
        return now, planner.tick(session, now=now, absence=absence, is_careful=is_careful)

    def _reap_batch(self, session: Session) -> int | None:
        now = self._steady_now(session)
        return None if now is None else reaper.reap(session, kinds=self._kinds, now=now)

    def _mend(self) -> None:
        with self._database.reading(ENGINE) as session:
            now = self._clock.now(session)
            wrong = self._rounds.look(session, now=now)
        if wrong:
            self._database.run(ENGINE, lambda session: planner.mend(session, wrong, now=now))

    def _steady_now(self, session: Session) -> datetime | None:
        """The time, or None while nobody knows whether to trust it: the clock was set a moment ago."""
        now = self._watch.look(lambda: self._clock.now(session))
        if self._watch.is_held:
            return None
        # Another scheduler may have seen a step before this one was there to see it.
        is_new = self._elapsed() < self._new_until
        return None if is_new and current_hold(session, now=now) else now

    def _tell_of_step(self) -> None:
        step = self._watch.take_untold()
        if step is None:
            return
        log.warning("the database's clock was set", extra={"seconds": step.seconds, "hold_seconds": self._hold_seconds})
        self._database.run(ENGINE, lambda session: record_step(session, step=step, hold_seconds=self._hold_seconds))

    def _settle(self, step: ClockStep | None) -> None:
        """Everything that was late because of the step is planned."""
        if step is None:
            return
        if step.is_back:
            self._database.run(ENGINE, self._bring_forward)
        self._watch.forget(step)

    def _bring_forward(self, session: Session) -> int:
        return reaper.bring_forward(session, now=self._clock.now(session), lease_seconds=self._hold_seconds)

    def _after_tick(self) -> float:
        """When to look again: for the next slot, which may be close behind."""
        now = time.monotonic()
        due_at = self._due_at()
        # A slot that stays due in spite of the tick must not turn the loop into a busy one.
        return now + BREATH_SECONDS if due_at <= now else min(due_at, now + LOOK_SECONDS)

    def _due_at(self) -> float:
        """When the next slot or retry comes, by this process's own clock, on which it can sleep."""
        with self._database.reading(ENGINE) as session:
            now = self._watch.look(lambda: self._clock.now(session))
            # Read at once: what follows takes time too, and would make every wake-up late by it.
            here = time.monotonic()
            due = _earliest_work(session, now)
        self._tell_of_step()
        return here + (due - now).total_seconds() if due is not None else here + LOOK_SECONDS


def _get_up_for(due_at: float) -> float:
    """A moment before a slot, to look once more; after that look, at the slot."""
    is_far = due_at - time.monotonic() > 2 * GET_UP_SECONDS
    return due_at - GET_UP_SECONDS if is_far else due_at


def _earliest_work(session: Session, now: datetime) -> datetime | None:
    try:
        times = [earliest_due_across_tenants(session), earliest_ready_across_tenants(session)]
    except OUTAGES:
        raise
    except Exception:
        # One that no calendar holds. The tick sees to that schedule, and to all others.
        log.exception("the earliest time cannot be read")
        return now
    return min((moment for moment in times if moment is not None), default=None)
