"""How much may be called: the limits of queues and organizations, what they hold already, and who works for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    FromClause,
    ScalarSelect,
    SQLColumnExpression,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import ReturnTypeFromArgs

from app.runs.models import Run, in_state
from app.runs.queue_models import Queue, QueueSwitch
from app.runs.states import RunState

# Enough that a slot never waits for the next pass, few enough that a removal takes effect at once.
HINTS_PER_SLOT = 2
NOW = timedelta(0)
HINTS: ColumnElement[Any] = literal_column(str(HINTS_PER_SLOT))
ZERO: ColumnElement[Any] = literal_column("0")
ONE: ColumnElement[Any] = literal_column("1")
# More than there ever is of anything: no limit.
ROOMY: ColumnElement[Any] = literal_column("1000000")

Expression = SQLColumnExpression[Any]
# The moment so long before that of the statement.
Ago = Callable[[timedelta], ColumnElement[datetime]]
# How many runs the workers heard of lately take at once: all together, or those that serve a queue.
LiveSlots = Callable[[Ago, Expression | None], ScalarSelect[int]]


class Least(ReturnTypeFromArgs[Any]):
    """The smaller of two that are both there. Each is worked out once: where CASE compares, one of them is twice."""

    name = "least"
    inherit_cache = True


class Greatest(ReturnTypeFromArgs[Any]):
    """The greater of two that are both there."""

    name = "greatest"
    inherit_cache = True


@compiles(Least, "sqlite")
def _least_in_sqlite(element: Least, compiler: SQLCompiler, **options: Any) -> str:
    return f"min({compiler.process(element.clauses, **options)})"


@compiles(Greatest, "sqlite")
def _greatest_in_sqlite(element: Greatest, compiler: SQLCompiler, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


@dataclass(frozen=True)
class Terms:
    """What differs by engine: how moments are told, and whether it knows the word LATERAL."""

    ago: Ago
    seconds_since: Callable[[Expression], ColumnElement[Any]]
    lateral: bool


class Places(Protocol):
    """For whom runs are called, and how many at most."""

    def serves(self, queue: Expression) -> ColumnElement[bool]:
        """Whether runs of this queue are called at all."""

    def slots_of(self, terms: Terms, queue: Expression) -> tuple[Expression, Expression]:
        """How many runs of this queue are worked on at once; the greater of the two counts."""

    def free(self, terms: Terms, lanes: CTE) -> ColumnElement[int]:
        """How many runs there are places for, all queues together."""


@dataclass(frozen=True)
class ByHints:
    """For all workers: some more than they have slots. Beside those heard of, the slots of the process that asks."""

    live_slots: LiveSlots
    own_slots: ColumnElement[int]
    # With commas around each, or nothing for all.
    own_queues: ColumnElement[Any]
    # Whether the process that asks is a worker. One that is none counts only while there is no worker at all, so that
    # the first one that comes finds something to begin with.
    is_worker: bool

    def serves(self, queue: Expression) -> ColumnElement[bool]:
        return true()

    def slots_of(self, terms: Terms, queue: Expression) -> tuple[Expression, Expression]:
        is_mine = or_(self.own_queues.is_(None), is_among(queue, self.own_queues))
        return self.live_slots(terms.ago, queue), case((is_mine, self._own(terms)), else_=ZERO)

    def free(self, terms: Terms, lanes: CTE) -> ColumnElement[int]:
        live, own = self.live_slots(terms.ago, None).label("live"), self._own(terms).label("own")
        # What lies there for a queue that nobody serves any more takes nobody's place.
        taken = select(func.coalesce(func.sum(Least(lanes.c.waiting, lanes.c.ahead)), ZERO)).scalar_subquery()
        found = select(live, own, taken.label("taken")).subquery()
        left = Greatest(found.c.live, found.c.own) * HINTS - found.c.taken
        return select(Greatest(left, ZERO)).scalar_subquery()

    def _own(self, terms: Terms) -> ColumnElement[int]:
        if self.is_worker:
            return self.own_slots
        return case((self.live_slots(terms.ago, None) == ZERO, self.own_slots), else_=ZERO)


@dataclass(frozen=True)
class AtHand:
    """For a worker that looks by itself: as many as it has slots free, of the queues it serves."""

    slots: ColumnElement[int]
    queues: ColumnElement[Any]

    def serves(self, queue: Expression) -> ColumnElement[bool]:
        return or_(self.queues.is_(None), is_among(queue, self.queues))

    def slots_of(self, terms: Terms, queue: Expression) -> tuple[Expression, Expression]:
        return ROOMY, ZERO

    def free(self, terms: Terms, lanes: CTE) -> ColumnElement[int]:
        return self.slots


def is_among(queue: Expression, names: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a name is one of several, which have commas around them. Names hold no sign that LIKE would read."""
    comma: ColumnElement[Any] = literal_column("','")
    return names.contains(comma.op("||")(queue).op("||")(comma))


def held_runs(terms: Terms) -> CTE:
    """What counts against the limits: runs that go on, and those called that nobody has claimed yet. There are few."""
    ready_at = Run.ready_at
    called = (
        # The order is that of the index to use. Without it PostgreSQL may look through the whole line for them.
        select(*_OF_RUN, case((ready_at <= terms.ago(NOW), ONE), else_=ZERO).label("waiting"))
        .where(in_state(RunState.READY), Run.hinted_at.is_not(None))
        .order_by(Run.hinted_at)
        .subquery("called")
    )
    going = (
        select(*_OF_RUN, ZERO.label("waiting"))
        .where(in_state(RunState.RUNNING))
        .order_by(Run.lease_until)
        .subquery("going")
    )
    return once(union_all(select(called), select(going)).cte("held"))


_OF_RUN = (Run.organization_id, Run.queue, Run.job_id, Run.connection_key)


def lanes_of(terms: Terms, places: Places, held: CTE) -> CTE:
    """The queues that are open and served: `room` for how many more, `waiting` and how many may wait `ahead`."""
    own = held.c.queue == Queue.name
    live, mine = places.slots_of(terms, Queue.name)
    counted = (
        select(
            Queue.name.label("name"),
            (Queue.concurrency - _count(held, own)).label("places"),
            tokens_left(terms).label("starts"),
            Queue.rate_starts.label("rate_starts"),
            select(func.coalesce(func.sum(held.c.waiting), ZERO)).where(own).scalar_subquery().label("waiting"),
            live.label("live"),
            mine.label("mine"),
        )
        .where(Queue.name.not_in(select(QueueSwitch.name)), places.serves(Queue.name))
        .order_by(Queue.name)
        .subquery("counted")
    )
    # What was announced while all slots were busy starts when they are free, all at once: as many as the rate allows.
    starts = Least(counted.c.starts, counted.c.rate_starts - counted.c.waiting)
    by_limits = Least(func.coalesce(counted.c.places, ROOMY), func.coalesce(starts, ROOMY))
    ahead = Greatest(counted.c.live, counted.c.mine) * HINTS
    part = select(counted.c.name, counted.c.waiting, by_limits.label("by_limits"), ahead.label("ahead")).subquery(
        "part"
    )
    room = Least(part.c.by_limits, part.c.ahead - part.c.waiting)
    return once(select(part.c.name, part.c.waiting, part.c.ahead, room.label("room")).cte("lanes"))


def tokens_left(terms: Terms) -> ColumnElement[float]:
    """How many of a queue may start now by its rate: a bucket that fills up as time goes by. Nothing without a rate."""
    passed = Greatest(terms.seconds_since(Queue.tokens_at), ZERO)
    filled = Queue.tokens + passed * Queue.rate_starts / cast(Queue.rate_seconds, Float)
    return case((Queue.tokens_at.is_(None), Queue.rate_starts), else_=Least(filled, Queue.rate_starts))


def in_hand_of_organizations(held: CTE) -> FromClause:
    """How many runs of each organization go on or are called."""
    runs = select(held.c.organization_id, func.count().label("runs"))
    return runs.group_by(held.c.organization_id).subquery("hand")


def _count(held: CTE, which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(held).where(which).scalar_subquery()


def once(part: CTE) -> CTE:
    """Looked up once, and not at each mention."""
    return part.prefix_with("MATERIALIZED", dialect="postgresql")
