"""The queues as the pages and programs of admins see them: figures, runs, and what is done to several at once.

An organization's admins see and act on their own runs; platform admins on everybody's, and see no outputs.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.core.questions import ask_together
from app.core.scopes import PLATFORM, Scope, rescoped
from app.runs import service
from app.runs.filters import runs_of
from app.runs.models import Run
from app.runs.queries import RunNotFound, RunRow, in_dead_letter, row_of, select_all_runs
from app.runs.queue_figures import NO_WAITS, QueueFigures, Waits, figure_questions, figures_of
from app.runs.queue_limits import QueueLimitsRow, limit_phrases, limits_and_switches
from app.runs.queue_minutes import NO_HOUR, QueueHour, minutes
from app.runs.states import RunState
from app.runs.switches import QueueSwitchRow, check_queue
from app.tenants.access import Actor, Permission, require
from app.tenants.roles import Role

_LIVE = (RunState.READY, RunState.RUNNING, RunState.WAITING, RunState.WAITING_RETRY)


@dataclass(frozen=True)
class QueueRow:
    """One queue. `failed` counts dead letters: failed runs that nobody retried or removed.

    Of all queues together, no more than ten thousand of each state are counted; `is_cut` says that there are more.
    """

    name: str
    waiting: int
    running: int
    retrying: int
    failed: int
    is_paused: bool
    paused_at: datetime | None = None
    paused_by: str | None = None
    concurrency: int | None = None
    rate_starts: int | None = None
    rate_seconds: int | None = None
    is_cut: bool = False
    # Of runs that ended within the last hour: how long half of them, and nearly all, waited for a slot.
    waits: Waits = NO_WAITS
    hour: QueueHour = NO_HOUR

    @property
    def limits(self) -> str:
        """What the queue allows, in words; empty without a limit."""
        return ", ".join(limit_phrases(self.concurrency, self.rate_starts, self.rate_seconds))


@dataclass(frozen=True)
class Outcome:
    """What became of the runs that were named: done, or skipped with the reason, each in the order given."""

    done: list[UUID]
    skipped: list[tuple[UUID, str]]


def list_queues(session: Session, *, organization_id: UUID | None, now: datetime) -> list[QueueRow]:
    """Every queue with its figures: of one organization, or of all for platform admins. One statement."""
    with _seeing(session, organization_id):
        here: dict[str, Any] = {"organization_id": organization_id, "now": now}
        runs, waits, hours, queues = ask_together(
            session, *figure_questions(**here), minutes(**here), limits_and_switches()
        )
    figures = figures_of(runs, waits)
    return [_queue(limits, switch, figures, hours.get(limits.name, NO_HOUR)) for limits, switch in queues]


def list_queue_runs(
    session: Session,
    *,
    organization_id: UUID | None,
    name: str,
    limit: int,
    states: Sequence[RunState] = (*_LIVE, RunState.FAILED),
    after: tuple[datetime, UUID] | None = None,
) -> list[RunRow]:
    """Runs of a queue that wait, run, or failed for good, the oldest first. Raises QueueUnknown.

    `after` is when the last run shown before was made, and its id.
    """
    check_queue(session, name)
    words = [state.value for state in states]
    # What failed and was retried or removed is history, and no longer in the queue.
    is_there = or_(Run.state != RunState.FAILED.value, and_(*in_dead_letter()))
    query = select_all_runs(runs_of(organization_id), Run.queue == name, Run.state.in_(words), is_there)
    if after is not None:
        query = query.where(tuple_(Run.created_at, Run.id) > after)
    with _seeing(session, organization_id):
        return [row_of(found) for found in session.execute(query.order_by(Run.created_at, Run.id).limit(limit))]


def retry_runs(
    session: Session, *, actor: Actor, run_ids: Sequence[UUID], now: datetime, queue: str | None = None
) -> Outcome:
    """Give failed runs another go, each as its job is defined now. Whoever calls it dispatches after the commit.

    Raises RunNotFound, before anything is changed, when one of them is unknown, somebody else's, or in another queue.
    """

    def retry(one: Actor, run_id: UUID) -> None:
        service.retry_run(session, actor=one, run_id=run_id, now=now)

    return act_on_each(session, actor=actor, run_ids=run_ids, queue=queue, act=retry)


def remove_runs(
    session: Session, *, actor: Actor, run_ids: Sequence[UUID], now: datetime, queue: str | None = None
) -> Outcome:
    """Take runs off the queue: one that waits is cancelled, one that failed is no longer listed. Raises likewise."""

    def remove(one: Actor, run_id: UUID) -> None:
        service.remove_run(session, actor=one, run_id=run_id, now=now)

    return act_on_each(session, actor=actor, run_ids=run_ids, queue=queue, act=remove)


def act_on_each(
    session: Session,
    *,
    actor: Actor,
    run_ids: Sequence[UUID],
    act: Callable[[Actor, UUID], object],
    queue: str | None = None,
) -> Outcome:
    """Do one thing to each of these runs, as somebody who may manage the queue of its organization.

    Raises RunNotFound, before anything is done, when one of them is unknown, somebody else's, or in another queue.
    """
    require(_acting_in(actor, actor.organization_id), Permission.MANAGE_QUEUE)
    owners = _owners(session, actor, run_ids, queue)
    outcome = Outcome([], [])
    for run_id in dict.fromkeys(run_ids):
        acting = _acting_in(actor, owners[run_id])
        try:
            # As the run's own organization: a role that sees everybody's runs sees no definition, and changes none.
            with rescoped(session, Scope.tenant(owners[run_id], actor.user_id)), session.begin_nested():
                act(acting, run_id)
            outcome.done.append(run_id)
        except (Conflict, NotFound) as error:
            outcome.skipped.append((run_id, error.message))
    return outcome


def _owners(session: Session, actor: Actor, run_ids: Sequence[UUID], queue: str | None) -> dict[UUID, UUID]:
    """The organization of each run. Raises RunNotFound unless the actor may know all of them."""
    organization_id = None if actor.is_platform_admin else actor.organization_id
    query = select(Run.id, Run.organization_id).where(Run.id.in_(run_ids), runs_of(organization_id))
    if queue is not None:
        query = query.where(Run.queue == queue)
    with _seeing(session, organization_id):
        owners = {found.id: found.organization_id for found in session.execute(query)}
    unknown = [str(run_id) for run_id in run_ids if run_id not in owners]
    if unknown:
        raise RunNotFound(f"There is no such run here, so nothing was changed: {', '.join(unknown)}")
    return owners


def _acting_in(actor: Actor, organization_id: UUID) -> Actor:
    """The actor where the run is. A platform admin needs no membership there; its audit says who it was."""
    return replace(actor, organization_id=organization_id, role=Role.OWNER) if actor.is_platform_admin else actor


def _seeing(session: Session, organization_id: UUID | None) -> AbstractContextManager[None]:
    return rescoped(session, PLATFORM) if organization_id is None else nullcontext()


def _queue(limits: QueueLimitsRow, switch: QueueSwitchRow | None, figures: QueueFigures, hour: QueueHour) -> QueueRow:
    name = limits.name
    return QueueRow(
        name=name,
        waiting=figures.sum_of((RunState.READY, RunState.WAITING), name),
        running=figures.sum_of((RunState.RUNNING,), name),
        retrying=figures.sum_of((RunState.WAITING_RETRY,), name),
        failed=figures.sum_of((RunState.FAILED,), name),
        is_paused=switch is not None,
        paused_at=None if switch is None else switch.paused_at,
        paused_by=None if switch is None else switch.paused_by,
        concurrency=limits.concurrency,
        rate_starts=limits.rate_starts,
        rate_seconds=limits.rate_seconds,
        is_cut=bool(figures.cut),
        waits=figures.waits.get(name, NO_WAITS),
        hour=hour,
    )
