"""When the canary did not come through: written down as it is noticed, also after everything was off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.questions import Question
from app.events.service import Topic, append_event
from app.notifications.incident_models import Incident
from app.notifications.signals import SubjectKind
from app.ops.canary.hops import PASSES_WITHIN, Flight, bring_back, finished_since, read_flight
from app.ops.models import CanaryGap, CanaryState
from app.ops.watches.silences import SCHEDULER, WORKERS
from app.runs.states import RunState
from app.tenants.models import SYSTEM_ORGANIZATION_ID

KEPT = timedelta(days=30)
PING_EVERY = timedelta(seconds=55)
# A day of it, and some.
_MOST_PASSES = 2_000
_ONE = 1
MOST_SHOWN = 200


class GapCause(StrEnum):
    """At which hop it hung, as far as that is known."""

    OFF = "off"
    NOT_LOADED = "not_loaded"
    SWITCHED_OFF = "switched_off"
    STOPPED = "stopped"
    NOT_PLANNED = "not_planned"
    NOT_STARTED = "not_started"
    NOT_FINISHED = "not_finished"
    FAILED = "failed"
    NOT_TOLD = "not_told"


CAUSE_WORDS = {
    GapCause.OFF: "nothing ran that keeps time",
    GapCause.NOT_LOADED: "the canary was not loaded",
    GapCause.SWITCHED_OFF: "the canary was switched off",
    GapCause.STOPPED: "all scheduling was stopped",
    GapCause.NOT_PLANNED: "its runs were not planned",
    GapCause.NOT_STARTED: "its runs were not started",
    GapCause.NOT_FINISHED: "its runs came to no end",
    GapCause.FAILED: "its runs failed",
    GapCause.NOT_TOLD: "what happened was not told",
}


# Of which part's silence a gap is, as it is told. What people did themselves they know.
_PARTS = {
    GapCause.OFF: SCHEDULER,
    GapCause.NOT_PLANNED: SCHEDULER,
    GapCause.NOT_TOLD: SCHEDULER,
    GapCause.NOT_STARTED: WORKERS,
    GapCause.NOT_FINISHED: WORKERS,
    GapCause.FAILED: WORKERS,
}


@dataclass(frozen=True)
class GapRow:
    """A time in which it did not come through. One that goes on has no end."""

    began_at: datetime
    ended_at: datetime | None
    cause: GapCause

    @property
    def words(self) -> str:
        return CAUSE_WORDS[self.cause]

    @property
    def in_words(self) -> str:
        """“2026-11-20 10:00 to 10:12 UTC: nothing ran that keeps time”."""
        if self.ended_at is None:
            return f"since {self.began_at:%Y-%m-%d %H:%M} UTC: {self.words}"
        end = (
            f"{self.ended_at:%H:%M}"
            if self.ended_at.date() == self.began_at.date()
            else f"{self.ended_at:%Y-%m-%d %H:%M}"
        )
        return f"{self.began_at:%Y-%m-%d %H:%M} to {end} UTC: {self.words}"


@dataclass(frozen=True)
class StateRow:
    """What is known of it. `looked_at` is when somebody last looked whether it comes through."""

    began_at: datetime
    looked_at: datetime
    last_passed_at: datetime | None
    pinged_at: datetime | None
    ping_error: str | None
    ping_error_at: datetime | None


def look(session: Session, *, now: datetime) -> bool:
    """Write down how far it came, and the gaps before. Returns whether it comes through now. Works as ENGINE."""
    state = _state(session, now)
    if state is None:
        # Somebody else looks at this moment.
        return False
    flight = read_flight(session, now=now)
    before = state.last_passed_at or state.began_at
    is_set_back = before > now
    if is_set_back:
        # What it did by the old time says nothing of now: whether it flies is seen from here on.
        before = now
        if flight.schedule_id is not None:
            bring_back(session, flight.schedule_id, now=now)
            flight = read_flight(session, now=now)
    passes = _passes(session, flight, since=before)
    _close_gaps(session, [before, *passes], was_seen=state.looked_at, now=now)
    last = passes[-1] if passes else before
    comes_through = bool(passes or state.last_passed_at) and now - last <= PASSES_WITHIN
    if now - last > PASSES_WITHIN:
        _open_gap(session, last, _cause(flight, state.looked_at, now), now)
    session.execute(delete(CanaryGap).where(CanaryGap.ended_at < now - KEPT))
    values = {"looked_at": now} | ({"last_passed_at": last} if passes or is_set_back else {})
    session.execute(update(CanaryState).where(CanaryState.id == _ONE).values(**values))
    return comes_through


def forget(session: Session, *, now: datetime) -> None:
    """There is no canary here: nobody waits for it. Works as ENGINE."""
    session.execute(delete(CanaryState))
    if count_changed(session, delete(CanaryGap).where(CanaryGap.ended_at.is_(None))):
        _tell(session, "canary.passed", now)


def may_ping(session: Session, *, now: datetime) -> bool:
    """Whether whoever asks is the one who pings in this minute. Works as ENGINE."""
    is_due = or_(
        CanaryState.ping_begun_at.is_(None),
        CanaryState.ping_begun_at <= now - PING_EVERY,
        # Before the clock was set back.
        CanaryState.ping_begun_at > now + PING_EVERY,
    )
    query = update(CanaryState).where(CanaryState.id == _ONE, is_due).values(ping_begun_at=now)
    return count_changed(session, query) == 1


def note_ping(session: Session, *, problem: str | None, now: datetime) -> None:
    """What came of it. Works as ENGINE."""
    values = {"ping_error": problem, "ping_error_at": now} if problem else {"pinged_at": now, "ping_error": None}
    session.execute(update(CanaryState).where(CanaryState.id == _ONE).values(**values))


def its_state() -> Question[StateRow | None]:
    """What is known; None where nobody has looked yet."""
    columns = (
        CanaryState.began_at, CanaryState.looked_at, CanaryState.last_passed_at, CanaryState.pinged_at,
        CanaryState.ping_error, CanaryState.ping_error_at,
    )  # fmt: skip
    query = select(*columns).where(CanaryState.id == _ONE)
    return Question(query, lambda rows: StateRow(*rows[0]) if rows else None)


def newest_gaps(*, now: datetime, limit: int = MOST_SHOWN) -> Question[list[GapRow]]:
    """Those of the last thirty days, the newest first."""
    is_new = or_(CanaryGap.ended_at.is_(None), CanaryGap.ended_at >= now - KEPT)
    query = select(CanaryGap.began_at, CanaryGap.ended_at, CanaryGap.cause).where(is_new)
    return Question(
        query.order_by(CanaryGap.began_at.desc()).limit(limit),
        lambda rows: [GapRow(began_at, ended_at, GapCause(cause)) for began_at, ended_at, cause in rows],
    )


def _state(session: Session, now: datetime) -> CanaryState | None:
    mine = select(CanaryState).where(CanaryState.id == _ONE).with_for_update(skip_locked=True)
    state = session.scalars(mine, execution_options={"populate_existing": True}).one_or_none()
    if state is not None or session.scalar(select(CanaryState.id)) is not None:
        return state
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(make(CanaryState).values(id=_ONE, began_at=now, looked_at=now).on_conflict_do_nothing())
    return session.scalars(mine).one_or_none()


def _passes(session: Session, flight: Flight, *, since: datetime) -> Sequence[datetime]:
    """When it came through: an end that was told."""
    if flight.schedule_id is None:
        return []
    found = finished_since(session, flight.schedule_id, since=since, limit=_MOST_PASSES)
    return [at for at in found if flight.unread_at is None or at < flight.unread_at]


def _close_gaps(session: Session, moments: Sequence[datetime], *, was_seen: datetime, now: datetime) -> None:
    for began_at, ended_at in pairwise(moments):
        if ended_at - began_at <= PASSES_WITHIN:
            continue
        query = update(CanaryGap).where(CanaryGap.ended_at.is_(None)).values(ended_at=ended_at)
        if count_changed(session, query) == 0:
            # Nobody saw it while it lasted.
            cause = GapCause.OFF if was_seen < ended_at - PASSES_WITHIN else GapCause.NOT_FINISHED
            _insert(session, began_at, ended_at, cause)
        else:
            _tell(session, "canary.passed", now)


def _open_gap(session: Session, began_at: datetime, cause: GapCause, now: datetime) -> None:
    if session.scalar(select(CanaryGap.id).where(CanaryGap.ended_at.is_(None)).limit(1)) is not None:
        return
    _insert(session, began_at, None, cause)
    part = _PARTS.get(cause)
    if part is not None and not _is_told(session, part, began_at):
        text = f"Since {began_at:%Y-%m-%d %H:%M} UTC {CAUSE_WORDS[cause]}."
        _tell(session, "canary.gap", now, part=part, cause=cause.value, text=text)


def _is_told(session: Session, part: str, since: datetime) -> bool:
    """Whether the silence of a part was told meanwhile, and is over: then this is old news."""
    mine = Incident.organization_id == SYSTEM_ORGANIZATION_ID, Incident.closed_at >= since
    key = f"{SubjectKind.SYSTEM.value}:{SYSTEM_ORGANIZATION_ID}:{part}"
    return session.scalar(select(Incident.id).where(*mine, Incident.cause_key == key).limit(1)) is not None


def _tell(session: Session, kind: str, now: datetime, **data: str) -> None:
    append_event(
        session, organization_id=SYSTEM_ORGANIZATION_ID, topic=Topic.NOTIFICATIONS, kind=kind,
        subject_id=SYSTEM_ORGANIZATION_ID, now=now, data=data,
    )  # fmt: skip


def _insert(session: Session, began_at: datetime, ended_at: datetime | None, cause: GapCause) -> None:
    session.add(CanaryGap(began_at=began_at, ended_at=ended_at, cause=cause.value))
    session.flush()


def _cause(flight: Flight, looked_at: datetime, now: datetime) -> GapCause:
    if now - looked_at > PASSES_WITHIN:
        return GapCause.OFF
    if flight.schedule_id is None:
        return GapCause.NOT_LOADED
    if not flight.is_enabled:
        return GapCause.SWITCHED_OFF
    if flight.is_stopped:
        return GapCause.STOPPED
    if flight.planned_at is None or now - flight.planned_at > PASSES_WITHIN:
        newest = flight.runs[0].state if flight.runs else None
        # While one is in the way, no other is planned.
        return _HANGS.get(newest, GapCause.NOT_PLANNED) if newest is not None else GapCause.NOT_PLANNED
    return _STATES.get(flight.runs[0].state, GapCause.NOT_TOLD)


_HANGS = {RunState.READY: GapCause.NOT_STARTED, RunState.RUNNING: GapCause.NOT_FINISHED}
_STATES = {
    **_HANGS,
    RunState.WAITING: GapCause.NOT_STARTED,
    # Skipped, because the one before hangs.
    RunState.SKIPPED: GapCause.NOT_FINISHED,
    RunState.MISSED: GapCause.NOT_STARTED,
    RunState.FAILED: GapCause.FAILED,
    RunState.CANCELLED: GapCause.FAILED,
    RunState.SUCCEEDED: GapCause.NOT_TOLD,
}
