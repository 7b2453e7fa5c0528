"""How long ago the canary passed each hop on its way, and what lies before the hops behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.questions import Question, ask_together
from app.events.models import Event
from app.notifications.models import Channel, Cursor, Delivery
from app.notifications.signals import CANARY_SCHEDULE
from app.notifications.types import DeliveryState
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.schedules.stops import SchedulingStopRow, stop_that_lasts
from app.tenants.models import SYSTEM_ORGANIZATION_ID

# It runs each minute. One that is a little late, and one that was passed over, are no trouble.
PASSES_WITHIN = timedelta(minutes=3)
# An event is read within seconds, and a message sent as soon as its channel takes it.
TOLD_WITHIN = timedelta(minutes=2)
DELIVERED_WITHIN = timedelta(minutes=5)
PINGED_WITHIN = timedelta(minutes=3)
_LOOKED_AT = 20
_WAITING = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)


@dataclass(frozen=True)
class CanaryRun:
    """One of its newest runs."""

    id: UUID
    state: RunState
    created_at: datetime
    hinted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Flight:
    """Where the canary is: its newest runs, the newest first, and the oldest of what comes after runs.

    `unread_at` is when the oldest event was appended that nobody has read; `overdue_since` since when the oldest
    message could be sent that was not. None where there is none. Without a `schedule_id` it is not loaded.
    """

    schedule_id: UUID | None
    is_enabled: bool
    is_stopped: bool
    runs: tuple[CanaryRun, ...]
    unread_at: datetime | None
    overdue_since: datetime | None

    @property
    def planned_at(self) -> datetime | None:
        return max((run.created_at for run in self.runs), default=None)

    @property
    def admitted_at(self) -> datetime | None:
        """When one was let into the line, or started without having to wait in it."""
        return max((at for run in self.runs if (at := run.hinted_at or run.started_at) is not None), default=None)

    @property
    def claimed_at(self) -> datetime | None:
        return max((run.started_at for run in self.runs if run.started_at is not None), default=None)

    @property
    def finished_at(self) -> datetime | None:
        """When one last came to a good end."""
        good = (run.finished_at for run in self.runs if run.state is RunState.SUCCEEDED)
        return max((at for at in good if at is not None), default=None)


def read_flight(session: Session, *, now: datetime) -> Flight:
    """Where it is now. Works as ENGINE or PLATFORM. One statement."""
    return flight_of(*ask_together(session, *flight_questions(now=now)))


def flight_questions(*, now: datetime) -> tuple[Question[Any], ...]:
    """The same as questions, whose answers `flight_of` takes."""
    return _its_schedule(), stop_that_lasts(), _newest_runs(), _unread(), _overdue(now)


def flight_of(
    schedule: tuple[UUID, bool, bool] | None,
    stop: SchedulingStopRow | None,
    runs: Sequence[CanaryRun],
    unread_at: datetime | None,
    overdue_since: datetime | None,
) -> Flight:
    """Where it is, by the answers."""
    schedule_id, is_enabled, is_loaded = schedule or (None, False, False)
    return Flight(
        schedule_id=schedule_id if is_loaded else None,
        is_enabled=is_enabled and is_loaded,
        is_stopped=stop is not None,
        runs=tuple(runs),
        unread_at=unread_at,
        overdue_since=overdue_since,
    )


def canary_schedule(session: Session) -> UUID | None:
    """The id of its schedule, also of one that is no longer loaded; None where it never was."""
    return session.scalar(select(_mine().c.id))


def finished_since(session: Session, schedule_id: UUID, *, since: datetime, limit: int) -> Sequence[datetime]:
    """When runs of it came to a good end after a moment, the first one first."""
    query = (
        select(Run.finished_at)
        .where(Run.schedule_id == schedule_id, Run.finished_at > since, Run.state == RunState.SUCCEEDED.value)
        .order_by(Run.finished_at)
        .limit(limit)
    )
    return [at for at in session.scalars(query) if at is not None]


def bring_back(session: Session, schedule_id: UUID, *, now: datetime) -> None:
    """The clock was set back: let no run of it lie ahead, or it would seem to fly as soon as that time comes again."""
    for column in (Run.created_at, Run.hinted_at, Run.started_at, Run.finished_at):
        ahead = update(Run).where(Run.schedule_id == schedule_id, column > now)
        session.execute(ahead.values({column: now}).execution_options(synchronize_session=False))


def _mine() -> Subquery:
    here = Schedule.organization_id == SYSTEM_ORGANIZATION_ID, Schedule.code_id == CANARY_SCHEDULE
    columns = Schedule.id, Schedule.enabled, Schedule.left_code_at.is_(None).label("is_loaded")
    return select(*columns).where(*here, Schedule.deleted_at.is_(None)).limit(1).subquery("canary")


def _its_schedule() -> Question[tuple[UUID, bool, bool] | None]:
    mine = _mine().c
    return Question(select(mine.id, mine.enabled, mine.is_loaded), lambda rows: tuple(rows[0]) if rows else None)


def _newest_runs() -> Question[list[CanaryRun]]:
    columns = Run.id, Run.state, Run.created_at, Run.hinted_at, Run.started_at, Run.finished_at
    its_own = Run.schedule_id == select(_mine().c.id).scalar_subquery()
    query = select(*columns).where(its_own).order_by(Run.created_at.desc()).limit(_LOOKED_AT)
    return Question(query, lambda rows: [CanaryRun(row[0], RunState(row[1]), *row[2:]) for row in rows])


def _unread() -> Question[datetime | None]:
    # Where nothing was ever read, nothing is waited for.
    read_to = select(func.min(Cursor.last_id)).scalar_subquery()
    query = select(Event.at).where(Event.id > read_to).order_by(Event.id).limit(1)
    return Question(query, lambda rows: rows[0][0] if rows else None)


def _overdue(now: datetime) -> Question[datetime | None]:
    """A channel that asked to be left alone owes nothing, and one that is off gets nothing."""
    same = and_(Channel.id == Delivery.channel_id, Channel.organization_id == Delivery.organization_id)
    is_open = or_(Channel.quiet_until.is_(None), Channel.quiet_until <= now)
    query = select(Delivery.next_try_at).join(Channel, same).where(Delivery.state.in_(_WAITING), is_open)
    query = query.where(Delivery.next_try_at <= now).order_by(Delivery.next_try_at).limit(1)
    return Question(query, lambda rows: rows[0][0] if rows else None)
