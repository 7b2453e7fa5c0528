"""Stopping all scheduling and starting it again. From these rows the planner accounts for what was missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Insert, ScalarSelect, Select, Subquery, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.names import has_unshowable
from app.core.questions import Question, ask
from app.schedules.fire_times import MOMENT
from app.schedules.models import Schedule, SchedulingStop, is_planned
from app.schedules.policies import LATE_AFTER
from app.tenants.access import Actor
from app.tenants.platform import record_for_platform, require_platform_admin

LONGEST_REASON = 500
_NOT_YET = datetime(9999, 1, 1, tzinfo=UTC)
UNSAID_REASON = "No reason was given."


class StopReasonInvalid(Invalid):
    """Whoever is affected must be able to read why."""


@dataclass(frozen=True)
class SchedulingStopRow:
    """A time in which nothing was planned. Without `started_at` it lasts."""

    stopped_at: datetime
    stopped_by: str
    reason: str
    started_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.started_at is None

    @property
    def explanation(self) -> str:
        """What a gap says about it: who, when and why."""
        return f"{self.stopped_by} stopped all scheduling at {self.stopped_at:%Y-%m-%d %H:%M} UTC: {self.reason}"


@dataclass(frozen=True)
class Stretch:
    """A piece of time, both ends included. With a stop, nothing of it was planned."""

    since: datetime
    until: datetime
    stop: SchedulingStopRow | None = None


def stop_scheduling(session: Session, *, actor: Actor, reason: str, now: datetime) -> bool:
    """Plan nothing from now on, for nobody. Works as PLATFORM. False when it was stopped already.

    Raises PlatformAdminNeeded or StopReasonInvalid.
    """
    require_platform_admin(actor)
    said = _clean_reason(reason)
    values = {"id": new_id(), "stopped_at": now, "stopped_by": actor.label, "reason": said, "is_open": True}
    if session.scalar(_insert_or_ignore(session).values(**values).returning(SchedulingStop.id)) is None:
        return False
    _note(session, actor, "stopped", f"Stopped all scheduling: {said}", now)
    return True


def start_scheduling(session: Session, *, actor: Actor, now: datetime) -> bool:
    """Plan again, from the slots that come now. Works as PLATFORM. False when it was not stopped.

    Raises PlatformAdminNeeded.
    """
    require_platform_admin(actor)
    query = update(SchedulingStop).where(SchedulingStop.is_open.is_(True))
    if count_changed(session, query.values(is_open=None, started_at=now, started_by=actor.label)) != 1:
        return False
    _note(session, actor, "started", "Started scheduling again", now)
    return True


def current_stop(session: Session) -> SchedulingStopRow | None:
    """The stop that lasts now, or None."""
    return ask(session, stop_that_lasts())


def stop_that_lasts() -> Question[SchedulingStopRow | None]:
    """The same as a question."""
    return Question(select(open_stop()), lambda rows: SchedulingStopRow(*rows[0]) if rows else None)


def open_stop() -> Subquery:
    """The same as part of a statement: the fields of a SchedulingStopRow, in their order."""
    return _stops().where(SchedulingStop.is_open.is_(True)).subquery("open_stop")


def is_stopped() -> ColumnElement[bool]:
    """Whether scheduling is stopped, as part of a statement."""
    return select(SchedulingStop.id).where(SchedulingStop.is_open.is_(True)).exists()


def last_stop_ended() -> ScalarSelect[datetime]:
    """When the last stop ended, as part of a statement: not yet while it lasts, and NULL when there was none."""
    ended = func.coalesce(SchedulingStop.started_at, literal(_NOT_YET, SchedulingStop.started_at.type))
    return select(func.max(ended, type_=SchedulingStop.started_at.type)).scalar_subquery()


def stops_since(session: Session, *, since: datetime | None = None) -> list[SchedulingStopRow]:
    """The stops that lasted at `since` or later, in order; unless given, at the earliest slot nobody planned yet."""
    earliest = select(func.min(Schedule.next_run_at)).where(*is_planned()).scalar_subquery()
    edge = earliest if since is None else literal(since, SchedulingStop.stopped_at.type)
    query = _stops().where(or_(SchedulingStop.is_open.is_(True), SchedulingStop.started_at > edge))
    return [SchedulingStopRow(*found) for found in session.execute(query.order_by(SchedulingStop.stopped_at))]


def cut_by_stops(stops: Sequence[SchedulingStopRow], *, since: datetime, until: datetime) -> list[Stretch]:
    """The time from the first slot that nobody planned, in pieces: in a stop or not."""
    pieces = []
    for stop in stops:
        # What was due shortly before a stop that lasts, and not planned any more, belongs to it.
        began = max(stop.stopped_at - LATE_AFTER if stop.is_open else stop.stopped_at, since)
        ended = min(stop.started_at or until + MOMENT, until + MOMENT)
        if ended <= began:
            continue
        if began > since:
            pieces.append(Stretch(since, began - MOMENT))
        pieces.append(Stretch(began, ended - MOMENT, stop))
        since = ended
    return [*pieces, Stretch(since, until)] if since <= until else pieces


def _stops() -> Select[datetime, str, str, datetime | None]:
    return select(
        SchedulingStop.stopped_at, SchedulingStop.stopped_by, SchedulingStop.reason, SchedulingStop.started_at
    )


def _clean_reason(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise StopReasonInvalid("Say why scheduling is stopped: everybody will read it.", field="reason")
    if len(said) > LONGEST_REASON:
        raise StopReasonInvalid(f"The reason is too long. Use at most {LONGEST_REASON} characters.", field="reason")
    if has_unshowable(said):
        raise StopReasonInvalid("The reason contains characters that cannot be shown.", field="reason")
    return said


def _insert_or_ignore(session: Session) -> Insert:
    # The unique key decides between two admins who press the button at the same moment.
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(SchedulingStop).on_conflict_do_nothing()
    return postgresql.insert(SchedulingStop).on_conflict_do_nothing()


def _note(session: Session, actor: Actor, verb: str, summary: str, now: datetime) -> None:
    record_for_platform(
        session, actor=actor, action=f"scheduling.{verb}", subject_kind="scheduling", summary=summary, now=now
    )
