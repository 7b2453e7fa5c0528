"""Taking hints back: those that nobody followed, and those for a queue that no worker serves any more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Select, Text, bindparam, column, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.core.lane import Step
from app.queue.moments import SessionMoments
from app.queue.room import ROOMY, ZERO, Ago, LiveSlots
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.steps import any_of, is_state, moments

# A hint that nobody took for this long may be lost.
STALE_AFTER = timedelta(seconds=10)


def forget_stale_step(live_slots: LiveSlots) -> Step:
    """Takes `queues`, `lying`, how many hints lie in each of those, and now."""
    _, ago = moments()
    found = _long_called(ago, live_slots).subquery("found")
    given = func.unnest(bindparam("queues", type_=ARRAY(Text)), bindparam("lying", type_=ARRAY(Integer)))
    lies = given.table_valued(column("name", Text), column("number", Integer), name="lies").render_derived()
    number = select(lies.c.number).where(lies.c.name == found.c.queue).scalar_subquery()
    stale = select(found.c.id).where(or_(found.c.place > func.coalesce(number, ROOMY), found.c.has_no_worker))
    # Whoever holds a row just now is about to claim it or to take it off the queue.
    locked = select(Run.id).where(Run.id == any_of(stale), is_state(RunState.READY)).with_for_update(skip_locked=True)
    return Step(update(Run).where(Run.id == any_of(locked)).values(hinted_at=null()))


def lying_values(lying: Mapping[str, int]) -> dict[str, list[Any]]:
    """How many hints lie in each queue, as the step takes it."""
    return {"queues": [*lying], "lying": [*lying.values()]}


class StaleHints:
    """The same in a session."""

    def __init__(self, live_slots: LiveSlots) -> None:
        self._moments = SessionMoments()
        self._long_called = _long_called(self._moments.ago, live_slots)

    def forget(self, session: Session, *, lying: Mapping[str, int], now: datetime) -> None:
        """So many hints lie in each of these queues."""
        found = session.execute(self._long_called, self._moments.values(now)).all()
        stale = [row.id for row in found if row.has_no_worker or row.place > lying.get(row.queue, row.place)]
        if stale:
            forgotten = update(Run).where(Run.id.in_(stale)).values(hinted_at=null())
            session.execute(forgotten.execution_options(synchronize_session=False))


def _long_called(ago: Ago, live_slots: LiveSlots) -> Select[Any]:
    """The runs that were called long ago, each with its place among all that are called of its queue.

    Workers take the oldest hints first, so those that lie in a queue lead to the runs that were called last. Whose
    place is beyond their number was called before all of those: somebody took its hint and did not follow it.
    """
    latest_first = Run.hinted_at.desc(), Run.ready_at.desc(), Run.id.desc()
    place = func.row_number().over(partition_by=Run.queue, order_by=latest_first)
    is_called = in_state(RunState.READY), Run.hinted_at.is_not(None)
    # The order is that of the index to use.
    called = select(Run.id, Run.queue, Run.hinted_at, place.label("place")).where(*is_called).order_by(Run.hinted_at)
    run = called.subquery("placed").c
    # While nobody works at all, what is called waits for the first who comes.
    has_no_worker = (live_slots(ago, None) > ZERO) & (live_slots(ago, run.queue) == ZERO)
    columns = run.id, run.queue, run.place, has_no_worker.label("has_no_worker")
    return select(*columns).where(run.hinted_at < ago(STALE_AFTER))
