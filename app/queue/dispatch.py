"""Ready runs become hints, a few more than there are slots. The line stays in the database; repeating is harmless."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock

from sqlalchemy import Integer, Text, bindparam, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.columns import UTCDateTime
from app.core.config import Settings
from app.core.db import Database, again_after_conflict
from app.core.lane import Step
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.queue.alarm import Alarm
from app.queue.aside import HeldUp, stand_aside
from app.queue.called import Called
from app.queue.calls import Caller, Round, Standing
from app.queue.hints import Hints, Line
from app.queue.link import BrokerAway
from app.queue.room import ByHints, LiveSlots
from app.queue.served import Served
from app.queue.stale import StaleHints, forget_stale_step, lying_values
from app.runs import ledger
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.steps import make_ready
from app.runs.waits import waits_that_are_over

log = logging.getLogger(__name__)

# A worker that works off a line asks for more when so many hints for each slot were followed, of the two that lie
# there: the others are enough for the time that a pass takes. And it asks at least this often.
FOLLOWED_PER_SLOT = 1.5
PASS_SECONDS = 0.05
MOST_WOKEN = 200
# How many rounds a pass goes on for while it finds more to do.
MOST_ROUNDS = 50
# What holds runs up for longer may end before its time: it is looked at again this often.
LONGEST_WAIT_SECONDS = 60.0
# Behind the moment at which the next one may start, so that no rounding has it looked for too early.
A_MOMENT = 0.005


class Pace:
    """Counts runs and looks at the time, so that not each of many short runs asks for the next one."""

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._lock = Lock()
        self._count = 0
        self._last = -PASS_SECONDS

    def is_due(self, count: int) -> bool:
        """Whether this is the last of so many, or the first after a while."""
        with self._lock:
            self._count += 1
            now = self._ticks()
            if self._count < count and now - self._last < PASS_SECONDS:
                return False
            self._count, self._last = 0, now
            return True


@dataclass(frozen=True)
class Dispatcher:
    """Hands ready runs to the workers. `own_slots` are those of this process, which counts before it was heard of."""

    database: Database
    clock: Clock
    hints: Hints
    live_slots: LiveSlots
    own_slots: int
    served: Served = field(default_factory=Served)
    is_worker: bool = True
    # Whether this process stays, and comes back to what a rate holds up or what waits for its next try.
    stays: bool = False
    _caller: Caller = field(init=False, compare=False, repr=False)
    _stale: StaleHints = field(init=False, compare=False, repr=False)
    _forget_stale: Step = field(init=False, compare=False, repr=False)
    _alarm: Alarm = field(init=False, compare=False, repr=False)
    _pace: Pace = field(default_factory=Pace, init=False, compare=False)
    _trouble: Trouble = field(default_factory=lambda: Trouble(log, "handing out runs"), init=False, compare=False)
    _going: Lock = field(default_factory=Lock, init=False, compare=False)
    _next: Lock = field(default_factory=Lock, init=False, compare=False)
    _wants_all: Event = field(default_factory=Event, init=False, compare=False)
    _last: list[Standing] = field(default_factory=lambda: [Standing()], init=False, compare=False)

    def __post_init__(self) -> None:
        own_slots, own_queues = bindparam("own_slots", type_=Integer), bindparam("own_queues", type_=Text)
        places = ByHints(self.live_slots, own_slots, own_queues, is_worker=self.is_worker)
        object.__setattr__(self, "_caller", Caller(self.database, self.clock, places))
        object.__setattr__(self, "_forget_stale", forget_stale_step(self.live_slots))
        object.__setattr__(self, "_stale", StaleHints(self.live_slots))
        object.__setattr__(self, "_alarm", Alarm(self.dispatch))

    def dispatch(self, *, is_brief: bool = False) -> int:
        """Hint at the next ready runs. Returns how many. With broker or database away, finders and sweep make up.

        A brief pass does not look for hints that went nowhere.
        """
        if not is_brief:
            self._wants_all.set()
        # One pass goes on and one waits; the latter sees all that was committed by those who come third, and looks for
        # what went nowhere if one of them wanted that.
        if not self._next.acquire(blocking=False):
            return 0
        with self._going:
            self._next.release()
            is_brief = not self._wants_all.is_set()
            self._wants_all.clear()
            return self._pass(is_brief=is_brief)

    def dispatch_in_time(self) -> None:
        """After each run of a worker: dispatch, but while a line is worked off only once for a number of runs.

        Until then hints are left, twice as many as slots, so whoever follows those comes here again. Should nobody,
        a moment later there is a pass all the same: others may wait for just this run. Where a limit lets fewer be
        given, the next one waits for this very run.
        """
        if self._is_held(self._last[0]) or self._pace.is_due(int(self.own_slots * FOLLOWED_PER_SLOT)):
            # Many come here in a second. The alarm's pass, soon after, looks for what went nowhere.
            self.dispatch(is_brief=self.stays)
        if self.stays:
            self._alarm.ring_in(PASS_SECONDS)

    def come_back_in(self, seconds: float) -> None:
        """Dispatch then, if this process stays: nobody else may, for a scheduler can be stopped."""
        if self.stays:
            self._alarm.ring_in(min(seconds + A_MOMENT, LONGEST_WAIT_SECONDS))

    def close(self) -> None:
        """Come back to nothing any more."""
        self._alarm.close()

    def _pass(self, *, is_brief: bool) -> int:
        sent = 0
        try:
            for _ in range(MOST_ROUNDS):
                # Asked before the transaction: a broker that hangs must not hold the database's write lock.
                found = self._round({} if is_brief and not self.hints.is_away else self._lying())
                if found is None:
                    break
                sent += self._send(found.called)
                if not self._may_go_on(found):
                    break
        except SQLAlchemyError as error:
            self._trouble.failed(error)
            return 0
        self._trouble.worked()
        return sent

    def _lying(self) -> dict[str, int] | None:
        try:
            return self.hints.lying(self.served.known)
        except BrokerAway:
            return None

    def _round(self, lying: dict[str, int] | None) -> Round | None:
        """Wake what may go on, and call what is next; with the broker away only the former.

        `lying` is how many hints lie in each queue: empty when nobody counted them.
        """
        wake = _WAKE, {"limit": MOST_WOKEN}
        if lying is None:
            self._wake_alone()
            return None

        def before(session: Session, now: datetime) -> None:
            _wake(session, now)
            if lying:
                self._stale.forget(session, lying=lying, now=now)

        own = {"own_slots": self.own_slots, "own_queues": self.served.words}
        steps = (wake, (self._forget_stale, lying_values(lying))) if lying else (wake,)
        found = self._caller.call(own, steps=steps, do=before)
        self.served.learn(found.standing.queues)
        self._note(found.standing)
        return found

    def _wake_alone(self) -> None:
        lane = self.database.lane
        if lane is None:
            self.database.run(ENGINE, lambda session: _wake(session, self.clock.now(session)))
        else:
            values = {"limit": MOST_WOKEN, "now": self.clock.moment}
            again_after_conflict(lambda: lane.ask((ENGINE, _WAKE, values)))

    def _note(self, standing: Standing) -> None:
        self._last[0] = standing
        if standing.is_waiting and standing.frees_in is not None:
            self.come_back_in(standing.frees_in)
        if standing.retry_in is not None:
            # One that this very pass could not wake, because somebody holds it, is not asked for all the time.
            self.come_back_in(max(standing.retry_in, PASS_SECONDS))

    def _may_go_on(self, found: Round) -> bool:
        """Whether another round may find more: one place may have been kept for a run that then found no other."""
        if found.held_up:
            return self.database.run(ENGINE, lambda session: self._put_aside(session, found.held_up)) > 0
        return bool(found.called) and self._is_held(found.standing)

    def _put_aside(self, session: Session, held_up: list[HeldUp]) -> int:
        return stand_aside(session, held_up=held_up, now=self.clock.now(session))

    def _is_held(self, standing: Standing) -> bool:
        """Whether limits keep runs waiting although slots may be free."""
        return standing.is_waiting and standing.called < self.own_slots

    def _send(self, called: list[Called]) -> int:
        try:
            self.hints.send(called)
        except BrokerAway:
            # Not said is not hinted at: when the broker is back, these are the first.
            self.database.run(ENGINE, lambda session: _take_back(session, called))
            return 0
        return len(called)


_WAKE = make_ready()
_WAITS_ARE_OVER = waits_that_are_over(bindparam("now", type_=UTCDateTime()), bindparam("limit", type_=Integer))


def make_dispatcher(
    settings: Settings, database: Database, clock: Clock, *, live_slots: LiveSlots, stays: bool = False
) -> Dispatcher:
    """For a process that hands out work and does none itself: pages, commands, a scheduler apart."""
    # As if there were one slot while there is none, so that the first worker that comes finds something to begin with.
    hints = Hints(lambda: _line_of(settings))
    return Dispatcher(database, clock, hints, live_slots, own_slots=1, is_worker=False, stays=stays)


def _line_of(settings: Settings) -> Line:
    # huey and Redis's client are megabytes, and a tenth of a second that a command which sends nothing does not have.
    from app.queue.broker import make_huey  # noqa: PLC0415
    from app.queue.tasks import sending_line  # noqa: PLC0415

    return sending_line(make_huey(settings))


def _wake(session: Session, now: datetime) -> None:
    due = list(session.scalars(_WAITS_ARE_OVER, {"now": now, "limit": MOST_WOKEN}))
    if due:
        ledger.make_ready(session, run_ids=due, now=now)


def _take_back(session: Session, called: list[Called]) -> None:
    unsent = [one.run_id for one in called]
    session.execute(update(Run).where(Run.id.in_(unsent), in_state(RunState.READY)).values(hinted_at=None))
