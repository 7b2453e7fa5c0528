"""The ledger's steps that every run takes, each as one statement of PostgreSQL: run, attempt and event at once.

The moment is told by the database itself, unless a clock that was set is handed in as `now`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    JSON,
    Boolean,
    ColumnElement,
    Float,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    not_,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL

from app.core.columns import UTCDateTime
from app.core.lane import Step
from app.events.models import Event
from app.events.service import Topic
from app.jobs.models import JobChain
from app.jobs.policies import ChainOutcome
from app.runs.models import Attempt, Run
from app.runs.states import AttemptState, RunState
from app.runs.switches import is_open
from app.runs.waits import error_after_wait, waits_that_are_over

# What a claim tells of its run, in the words of the table.
CLAIMED = (
    Run.id, Run.organization_id, Run.job_id, Run.token, Run.attempt, Run.kind, Run.definition, Run.time_limit_seconds,
    Run.tries, Run.retry_delay_seconds, Run.retry_backoff, Run.retry_longest_delay_seconds, Run.retry_has_jitter,
    Run.retry_not_on, Run.when_lost, Run.soft_limit_seconds,
)  # fmt: skip
_EMPTY: ColumnElement[Any] = literal_column("'{}'")
_ONE = literal_column("1", Integer)


def moments() -> tuple[ColumnElement[datetime], Callable[[timedelta], ColumnElement[datetime]]]:
    """The one instant of a statement, and those so long before it."""
    # Not now(): that one stands still while a statement waits for its turn.
    told = func.coalesce(bindparam("now", type_=UTCDateTime), func.clock_timestamp(), type_=UTCDateTime)
    table = select(told.label("now")).cte("moment")
    now = select(table.c.now).scalar_subquery()

    def ago(age: timedelta) -> ColumnElement[datetime]:
        return now.op("-")(literal_column(f"interval '{age.total_seconds()} seconds'")) if age else now

    return now, ago


def any_of(ids: Select[Any]) -> ColumnElement[Any]:
    """These ids as a list. Joined to the rows, they would be planned by a number that nobody knows."""
    return func.any(func.array(ids.scalar_subquery()))


def any_of_these(ids: ColumnElement[Any]) -> ColumnElement[Any]:
    """Ids that are a list already."""
    return func.any(ids)


def is_state(state: RunState) -> ColumnElement[bool]:
    """The same as `in_state`, for rows that are found by their ids.

    An index could answer the other one, and PostgreSQL would search all that are in this state for those few.
    """
    return func.coalesce(Run.state, word("")) == word(state)


def word(text: str) -> ColumnElement[Any]:
    """A word that is the same every time. Written into the statement: with a parameter no partial index is used."""
    return literal_column(f"'{text}'")


def claim() -> Step:
    """Runs and their attempts begin. Takes run_ids, worker, lease_seconds and now; CLAIMED of each that was ready.

    The definition comes as a JSON text. Takes also `queues`, the only ones to claim from, or nothing for all, and
    whether only runs that are called may start: one whose call was taken back gave its place to another.
    """
    now, _ = moments()
    worker = bindparam("worker", type_=Text)
    lease = cast(bindparam("lease_seconds", type_=Float), Float) * literal_column("interval '1 second'", INTERVAL)
    begun = (
        update(Run)
        .where(Run.id == any_of_these(bindparam("run_ids", type_=ARRAY(Uuid))))
        .where(is_state(RunState.READY), Run.ready_at <= now, is_open(), *_is_for_worker())
        .values(
            state=word(RunState.RUNNING), token=Run.token + _ONE, attempt=Run.attempt + _ONE, worker=worker,
            lease_until=now.op("+")(lease), hinted_at=null(), reason=null(),
            # Lateness is told by the first try.
            started_at=func.coalesce(Run.started_at, now),
        )
        .returning(*CLAIMED)
        .cte("begun")
    )  # fmt: skip
    columns = {
        "run_id": begun.c.id, "token": begun.c.token, "organization_id": begun.c.organization_id,
        "number": begun.c.attempt, "state": word(AttemptState.RUNNING), "worker": worker, "result": _EMPTY,
        "started_at": now,
    }  # fmt: skip
    attempt = insert(Attempt).from_select([*columns], select(*columns.values()).select_from(begun)).cte("attempt")
    # As it is written: whoever reads it bears it alone when it cannot be read.
    definition = cast(begun.c.definition, Text).label("definition")
    told = [definition if told is begun.c.definition else told for told in begun.c]
    return Step(select(*told).add_cte(attempt, _event_of(begun, "started", now)))


def _is_for_worker() -> tuple[ColumnElement[bool], ...]:
    queues = bindparam("queues", type_=ARRAY(Text))
    may_be_uncalled = not_(bindparam("is_called_alone", type_=Boolean))
    return or_(queues.is_(None), Run.queue == func.any(queues)), or_(Run.hinted_at.is_not(None), may_be_uncalled)


def succeed() -> Step:
    """Runs and their attempts end well. Takes run_ids, tokens, results as JSON texts and now; a row for each held.

    Not those whose job starts another one then: that takes more than one statement.
    """
    now, _ = moments()
    lists = (
        bindparam("run_ids", type_=ARRAY(Uuid)),
        bindparam("tokens", type_=ARRAY(Integer)),
        bindparam("results", type_=ARRAY(Text)),
    )
    columns = column("run_id", Uuid), column("token", Integer), column("result", Text)
    given = func.unnest(*lists).table_valued(*columns, name="given").render_derived()
    ended = (
        update(Run)
        .where(Run.id == given.c.run_id, Run.token == given.c.token, is_state(RunState.RUNNING), _starts_nothing())
        .values(state=word(RunState.SUCCEEDED), finished_at=now, lease_until=null(), error=null())
        .returning(Run.id, Run.organization_id, Run.token, given.c.result)
        .cte("ended")
    )
    attempt = (
        update(Attempt)
        .where(Attempt.run_id == ended.c.id, Attempt.token == ended.c.token)
        .values(
            state=word(AttemptState.SUCCEEDED), error=null(), detail=null(), finished_at=now,
            result=cast(ended.c.result, JSON),
        )
        .cte("attempt")
    )  # fmt: skip
    return Step(select(ended).add_cte(attempt, _event_of(ended, RunState.SUCCEEDED, now)))


def _starts_nothing() -> ColumnElement[bool]:
    # Looked up for each run by itself: as a NOT EXISTS it might be joined, and all chains there are would be read.
    same_job = JobChain.organization_id == Run.organization_id, JobChain.job_id == Run.job_id
    first = select(JobChain.id).where(*same_job, JobChain.outcome == word(ChainOutcome.SUCCESS)).limit(_ONE)
    return first.correlate(Run).scalar_subquery().is_(None)


def make_ready() -> Step:
    """Runs whose wait is over may start. Takes limit, which counts for each reason, and now; one row for each run."""
    now, _ = moments()
    over = waits_that_are_over(now, bindparam("limit", type_=Integer)).cte("over")
    locked = select(Run.id).where(Run.id == any_of(select(over.c.id))).with_for_update(skip_locked=True)
    # Somebody may have ended one of them meanwhile.
    still_waits = or_(is_state(RunState.WAITING_RETRY), is_state(RunState.WAITING))
    ready = (
        update(Run)
        .where(Run.id == any_of(locked), still_waits)
        .values(state=word(RunState.READY), reason=null(), error=error_after_wait())
        .returning(Run.id, Run.organization_id)
        .cte("ready")
    )
    return Step(select(ready).add_cte(_event_of(ready, RunState.READY, now)))


def _event_of(runs: CTE, verb: str, now: ColumnElement[datetime]) -> CTE:
    columns = {
        "organization_id": runs.c.organization_id, "topic": word(Topic.RUNS), "kind": word(f"run.{verb}"),
        "subject_id": runs.c.id, "data": _EMPTY, "at": now,
    }  # fmt: skip
    return insert(Event).from_select([*columns], select(*columns.values()).select_from(runs)).cte("event")
