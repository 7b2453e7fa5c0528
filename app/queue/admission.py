"""Which ready runs are next: as many as there is room for within every limit, with organizations in turn.

One statement. Whose organization has least in hand goes first; within it the highest priority, then whoever waits
longest. Limits count what goes on and what was called already.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from app.jobs.models import Job
from app.queue.lines import OF_RUN, aside_lines, heads_of, is_waiting, lines
from app.queue.room import (
    NOW,
    ONE,
    ROOMY,
    ZERO,
    Places,
    Terms,
    held_runs,
    in_hand_of_organizations,
    lanes_of,
    once,
)
from app.runs.models import Run
from app.runs.queue_models import ConnectionLimit
from app.tenants.models import Organization

# What a line tells of the queue and organization it belongs to.
_OF_LINE = ("queue_room", "room", "in_hand")
# Of those that a limit of their job or connection holds up, how many are named.
MOST_HELD_UP = 100
# Of a job's runs that stand aside, how many are passed over because their connection takes none.
MOST_PASSED_OVER = 1_000


def next_in_line(terms: Terms, places: Places, *, waited: timedelta = NOW) -> Select[Any]:
    """The runs to call, the first one first: id, queue, turn, ready_at, `goes` and `is_full_job`.

    Those that do not go stand at the head of their line although their job or connection is at its limit, and
    `is_full_job` says which. They are to stand aside, or they would hide whoever is behind them.
    """
    held = held_runs(terms)
    lanes = lanes_of(terms, places, held)
    free = once(select(places.free(terms, lanes).label("free")).cte("free"))
    candidates = _with_limits(_candidates(terms, held, lanes, free, waited))
    # Few have limits of their own, so only those are counted for them.
    has_none = candidates.c.most_of_job.is_(None), candidates.c.connection_limited.is_(None)
    bound = _within_own_limits(terms, held, candidates, or_(*(~which for which in has_none)))
    columns = (*OF_RUN, *_OF_LINE)
    plain = select(*(candidates.c[name] for name in columns)).where(*has_none)
    admitted = union_all(plain, select(*(bound.c[name] for name in columns)).where(bound.c.goes)).subquery("admitted")
    line, held_up = _in_turn(admitted, free), _held_up(bound)
    both = union_all(select(line), select(held_up)).subquery("both")
    return select(both).order_by(both.c.turn, both.c.ready_at, both.c.id)


def _candidates(terms: Terms, held: CTE, lanes: CTE, free: CTE, waited: timedelta) -> CompoundSelect[Any]:
    """The first of every line with room, as many as there is room for: each could be the only one."""
    most, hand = select(free.c.free).scalar_subquery(), in_hand_of_organizations(held)
    is_ready = Run.ready_at <= terms.ago(waited)
    in_order = Run.priority, Run.ready_at, Run.id
    in_hand = func.coalesce(hand.c.runs, ZERO)
    room = func.coalesce(Organization.concurrency - in_hand, ROOMY)
    facts = lanes.c.room.label("queue_room"), room.label("room"), in_hand.label("in_hand")

    def with_facts(source: FromClause, queue: ColumnElement[Any], organization_id: ColumnElement[Any]) -> FromClause:
        # Without a place of its own a line keeps nobody from looking further.
        has_room = and_(lanes.c.name == queue, lanes.c.room >= ONE)
        owner = and_(Organization.id == organization_id, or_(Organization.concurrency.is_(None), room >= ONE))
        joined = source.join(lanes, has_room).outerjoin(hand, hand.c.organization_id == organization_id)
        return joined.join(Organization, owner)

    found = lines(lateral=terms.lateral)
    source = with_facts(found, found.c.queue, found.c.organization_id)
    open_lines = select(found, *facts).select_from(source).cte("open_lines")
    own = Run.queue == open_lines.c.queue, Run.organization_id == open_lines.c.organization_id
    first = select(Run.id).where(*own, *is_waiting(is_aside=False), is_ready).order_by(*in_order).limit(most)
    source, runs = heads_of(open_lines, first, lateral=terms.lateral)
    general = select(*_labelled(runs), *(open_lines.c[name] for name in _OF_LINE)).select_from(source)

    source, runs = _first_aside(terms, held, is_ready, most)
    source = with_facts(source, runs["queue"], runs["organization_id"])
    return union_all(general, select(*_labelled(runs), *facts).select_from(source))


def _first_aside(
    terms: Terms, held: CTE, is_ready: ColumnElement[bool], most: ColumnElement[Any]
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """The first of every job's runs aside, but for those whose connection takes none: they would hide the others."""
    jobs = aside_lines(lateral=terms.lateral)
    line = select(*(getattr(Run, name) for name in OF_RUN))
    line = line.where(Run.job_id == jobs.c.job_id, *is_waiting(is_aside=True), is_ready)
    head = line.order_by(Run.priority, Run.ready_at, Run.id).limit(literal_column(str(MOST_PASSED_OVER)))
    run = head.correlate(jobs).subquery("near")
    first = select(run.c.id).where(_has_open_connection(terms, held, run)).limit(most)
    in_order = first.order_by(run.c.priority, run.c.ready_at, run.c.id)
    return heads_of(jobs, in_order, lateral=terms.lateral, run=run.c)


def _has_open_connection(terms: Terms, held: CTE, run: FromClause) -> ColumnElement[bool]:
    """Whether the run's connection takes one more now, or has no limits."""
    limited = select(ConnectionLimit.organization_id, ConnectionLimit.connection_key)
    by_time = limited.where(ConnectionLimit.limited_until > terms.ago(NOW))
    key = held.c.organization_id, held.c.connection_key
    used = select(*key, func.count().label("runs")).where(key[1].is_not(None)).group_by(*key).subquery("used")
    same = (
        used.c.organization_id == ConnectionLimit.organization_id,
        used.c.connection_key == ConnectionLimit.connection_key,
    )
    full = limited.join(used, and_(*same)).where(ConnectionLimit.concurrency <= used.c.runs)
    closed = once(union_all(by_time, full).cte("closed"))
    same = closed.c.organization_id == run.c.organization_id, closed.c.connection_key == run.c.connection_key
    # Looked up for each run by itself: joined, all runs of the line might be read and sorted.
    return select(ONE).where(*same).limit(ONE).correlate(run).scalar_subquery().is_(None)


def _labelled(columns: dict[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [column.label(name) for name, column in columns.items()]


def _with_limits(candidates: CompoundSelect[Any]) -> CTE:
    """Beside each candidate what its job and its connection say."""
    run = candidates.subquery("candidate")
    job = and_(Job.id == run.c.job_id, Job.concurrency.is_not(None))
    account = and_(
        ConnectionLimit.organization_id == run.c.organization_id,
        ConnectionLimit.connection_key == run.c.connection_key,
    )
    limits = (
        Job.concurrency.label("most_of_job"),
        ConnectionLimit.connection_key.label("connection_limited"),
        ConnectionLimit.concurrency.label("most_of_connection"),
        ConnectionLimit.limited_until.label("limited_until"),
    )
    return once(
        select(run, *limits).select_from(run.outerjoin(Job, job).outerjoin(ConnectionLimit, account)).cte("candidates")
    )


def _within_own_limits(terms: Terms, held: CTE, candidates: CTE, which: ColumnElement[bool]) -> CTE:
    """Those with limits of their own, and whether each `goes`: first within its job, then within its connection."""
    run = candidates.c
    in_order = run.priority, run.ready_at, run.id
    job_held = select(func.count()).select_from(held).where(held.c.job_id == run.job_id)
    left = func.coalesce(run.most_of_job - job_held.correlate(candidates).scalar_subquery(), ROOMY)
    is_allowed = or_(run.limited_until.is_(None), run.limited_until <= terms.ago(NOW))
    # Whoever waits for an account takes no place of a run on another one.
    of_job = func.row_number().over(partition_by=(run.job_id, is_allowed), order_by=in_order)
    of_its_job = select(candidates, (of_job <= left).label("fits"), is_allowed.label("is_allowed")).where(which)
    part = of_its_job.subquery("of_its_job")
    # Whoever does not fit takes nobody's place: it is counted behind all those that do.
    of_connection = func.row_number().over(
        partition_by=(part.c.organization_id, part.c.connection_key, part.c.fits),
        order_by=(part.c.priority, part.c.ready_at, part.c.id),
    )
    same = held.c.organization_id == part.c.organization_id, held.c.connection_key == part.c.connection_key
    connection_held = select(func.count()).select_from(held).where(*same).correlate(part).scalar_subquery()
    left = func.coalesce(part.c.most_of_connection - connection_held, ROOMY)
    goes = and_(part.c.fits, part.c.is_allowed, of_connection <= left)
    return once(select(part, goes.label("goes")).cte("bound"))


def _in_turn(admitted: FromClause, free: CTE) -> FromClause:
    """Organizations take turns within their limits, then queues give out the places they have."""
    run = admitted.c
    of_organization = func.row_number().over(
        partition_by=run.organization_id, order_by=(run.priority, run.ready_at, run.id)
    )
    ranked = select(admitted, of_organization.label("number")).subquery("ranked")
    turn = (ranked.c.number + ranked.c.in_hand).label("turn")
    turned = select(ranked, turn).where(ranked.c.number <= ranked.c.room).subquery("turned")
    in_order = turned.c.turn, turned.c.ready_at, turned.c.id
    of_queue = func.row_number().over(partition_by=turned.c.queue, order_by=in_order)
    queued = select(turned, of_queue.label("place")).subquery("queued")
    fits = queued.c.place <= queued.c.queue_room
    told = queued.c.id, queued.c.queue, queued.c.turn, queued.c.ready_at
    goes = true().label("goes"), false().label("is_full_job")
    in_order = queued.c.turn, queued.c.ready_at, queued.c.id
    most = select(free.c.free).scalar_subquery()
    return select(*told, *goes).where(fits).order_by(*in_order).limit(most).subquery("line")


def _held_up(bound: CTE) -> FromClause:
    told = bound.c.id, bound.c.queue, ZERO.label("turn"), bound.c.ready_at
    stands = false().label("goes"), (~bound.c.fits).label("is_full_job")
    stays = ~bound.c.goes, bound.c.aside_at.is_(None)
    return select(*told, *stands).where(*stays).limit(literal_column(str(MOST_HELD_UP))).subquery("held_up")
