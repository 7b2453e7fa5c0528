"""Taking hints back: those that nobody followed, and those for a queue that no worker serves any more."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, bindparam, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.core.lane import Step
from app.queue.moments import SessionMoments
from app.queue.room import ZERO, Ago, LiveSlots
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.steps import any_of, moments

# A hint that nobody took for this long may be lost.
STALE_AFTER = timedelta(seconds=10)


def forget_stale_step(live_slots: LiveSlots) -> Step:
    """Takes `empty`, the queues in which no hint lies: hints that do lie there are only late; and now."""
    _, ago = moments()
    lies_nowhere: ColumnElement[bool] = Run.queue == any_(bindparam("empty", type_=ARRAY(Text)))
    # Whoever holds a row just now is about to claim it or to take it off the queue.
    found = select(Run.id).where(*_is_stale(ago, lies_nowhere, live_slots)).order_by(Run.hinted_at)
    return Step(update(Run).where(Run.id == any_of(found.with_for_update(skip_locked=True))).values(hinted_at=null()))


class StaleHints:
    """The same in a session."""

    def __init__(self, live_slots: LiveSlots) -> None:
        self._moments = SessionMoments()
        lies_nowhere = Run.queue.in_(bindparam("empty", expanding=True))
        stale = update(Run).where(*_is_stale(self._moments.ago, lies_nowhere, live_slots)).values(hinted_at=null())
        self._forget = stale.execution_options(synchronize_session=False)

    def forget(self, session: Session, *, empty: Collection[str], now: datetime) -> None:
        """No hint lies in these queues: hints that do lie there are only late."""
        session.execute(self._forget, {"empty": [*empty], **self._moments.values(now)})


def _is_stale(ago: Ago, lies_nowhere: ColumnElement[bool], live_slots: LiveSlots) -> tuple[ColumnElement[bool], ...]:
    queue: Any = Run.queue
    # While nobody works at all, what is called waits for the first who comes.
    has_no_worker = (live_slots(ago, None) > ZERO) & (live_slots(ago, queue) == ZERO)
    return in_state(RunState.READY), Run.hinted_at < ago(STALE_AFTER), or_(lies_nowhere, has_no_worker)
