"""Reads what happened in the last days as signals, for the preview of a rule. Bounded, however much did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from app.events.models import Event
from app.events.service import Topic
from app.jobs.models import Job
from app.notifications.houses import read_silences
from app.notifications.lookups import thing_facts
from app.notifications.meanings import is_of_interest, is_of_run, signals_of
from app.notifications.rehearsal import rehearse
from app.notifications.rules import RuleTerms, Silence
from app.notifications.signals import EventFacts, Relief, RunFacts, Trouble
from app.notifications.types import NEWS, NotificationType
from app.runs.models import Attempt, Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.syncs.models import Connection

LOOKED_BACK = timedelta(days=7)
MOST_FAILURES = 1_000
_MOST_EVENTS = 1_000
# Of these nothing is kept that a preview could be made of.
_UNKNOWN = NEWS | {
    NotificationType.LATE, NotificationType.LONGER_THAN_USUAL, NotificationType.STUCK, NotificationType.RATE_LIMITED,
}  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What a rule would have sent to each channel in the last days. `is_cut`: so much happened that it was more.

    `left_out` are types of the rule that the past does not tell.
    """

    days: int
    messages: int
    incidents: int
    is_cut: bool
    left_out: tuple[NotificationType, ...]

    @property
    def words(self) -> str:
        """“In the last 7 days this would have sent 6 messages.”"""
        count = f"{self.messages:,}" if self.messages else "no"
        least = "at least " if self.is_cut and self.messages else ""
        return (
            f"In the last {self.days} days this would have sent {least}{count} "
            f"message{'' if self.messages == 1 else 's'}."
        )


def preview_rule(session: Session, *, rule: RuleTerms, now: datetime) -> Preview:
    """What a rule would have sent in the last seven days, as quiet hours and maintenance are now. Nine statements."""
    since = now - LOOKED_BACK
    failures, is_cut = _failures(session, rule.organization_id, since, now)
    others, is_short = _others(session, rule.organization_id, since)
    silence = read_silences(session, [rule.organization_id], now=since).get(rule.organization_id, Silence())
    found = rehearse([*failures, *others], rule, silence, until=now)
    left_out = tuple(type_ for type_ in NotificationType if type_ in rule.types & _UNKNOWN)
    return Preview(LOOKED_BACK.days, found.messages, found.incidents, is_cut or is_short, left_out)


def _failures(
    session: Session, organization_id: UUID, since: datetime, now: datetime
) -> tuple[list[Trouble | Relief], bool]:  # fmt: skip
    of_attempt = (Attempt.run_id == Run.id) & (Attempt.token == Run.token)
    query = (
        select(
            Run.id, Run.organization_id, Run.job_id, Run.job_name, Run.schedule_id, Run.error, Run.cause, Run.reason,
            Run.finished_at, Job.service, Job.definition, Job.kind, Schedule.name.label("schedule_name"), Schedule.tags,
            Attempt.error_class, _next_success(of_schedule=True).label("mended_at"),
            _next_success(of_schedule=False).label("job_mended_at"),
        )
        .outerjoin(Attempt, of_attempt)
        .outerjoin(Job, (Job.id == Run.job_id) & (Job.organization_id == Run.organization_id))
        .outerjoin(Schedule, (Schedule.id == Run.schedule_id) & (Schedule.organization_id == Run.organization_id))
        .where(Run.organization_id == organization_id, Run.finished_at.between(since, now))
        .where(Run.state == RunState.FAILED.value)
        .order_by(Run.finished_at.desc())
        .limit(MOST_FAILURES + 1)
    )  # fmt: skip
    rows = session.execute(query).all()
    names = _connection_names(session, organization_id)
    signals: dict[tuple[Any, ...], Trouble | Relief] = {}
    for row in rows[:MOST_FAILURES]:
        for signal in _signals_of_run(row, names):
            place = (type(signal).__name__, signal.at, signal.subject_ids if isinstance(signal, Relief) else row.id)
            signals[place] = signal
    return list(signals.values()), len(rows) > MOST_FAILURES


def _next_success(*, of_schedule: bool) -> ColumnElement[datetime | None]:
    later = aliased(Run)
    succeeded = later.state == RunState.SUCCEEDED.value
    if of_schedule:
        mine = later.schedule_id == Run.schedule_id, later.finished_at > Run.finished_at, succeeded
        query = select(later.finished_at).where(*mine).order_by(later.finished_at)
    else:
        mine = later.job_id == Run.job_id, later.created_at > Run.created_at, succeeded
        query = select(later.finished_at).where(*mine, Run.schedule_id.is_(None)).order_by(later.created_at)
    return query.limit(1).correlate(Run).scalar_subquery()


def _signals_of_run(row: Any, names: dict[UUID, str]) -> list[Trouble | Relief]:
    connection_id = _connection_of(row)
    run = RunFacts(
        row.id, row.job_id, row.job_name, row.schedule_id, row.schedule_name, tuple(row.tags or ()), row.service,
        connection_id, names.get(connection_id) if connection_id is not None else None, row.error, row.cause,
    )  # fmt: skip
    said = {"class": row.error_class, "cause": row.cause, "reason": row.reason}
    event = EventFacts(0, row.organization_id, "run.failed", row.id, row.finished_at, said)
    found = [one for one in signals_of(event, run, None) if isinstance(one, Trouble | Relief)]
    mended_at = row.mended_at if row.schedule_id is not None else row.job_mended_at
    if mended_at is not None and mended_at > row.finished_at:
        ids = (row.job_id,) if row.schedule_id is None else (row.schedule_id, row.job_id)
        found.append(Relief(row.organization_id, mended_at, ids, run_id=row.id))
    return found


def _others(session: Session, organization_id: UUID, since: datetime) -> tuple[list[Trouble | Relief], bool]:
    topics = [topic.value for topic in (Topic.CONNECTIONS, Topic.SCHEDULES, Topic.JOBS, Topic.NOTIFICATIONS)]
    rows: list[Event] = []
    limit, is_cut = _MOST_EVENTS // len(topics), False
    for topic in topics:
        mine = Event.organization_id == organization_id, Event.topic == topic
        some = session.scalars(select(Event).where(*mine).order_by(Event.id.desc()).limit(limit)).all()
        is_cut |= len(some) == limit and some[-1].at >= since
        rows += some
    events = [
        EventFacts(row.id, row.organization_id, row.kind, row.subject_id, row.at, row.data or {})
        for row in sorted(rows, key=lambda row: row.id)
        if row.at >= since and is_of_interest(row.kind) and not is_of_run(row.kind)
    ]
    things = thing_facts(session, events)
    found: list[Trouble | Relief] = []
    for event in events:
        try:
            read = signals_of(event, None, things.get(event.subject_id))
        except (ValueError, KeyError, TypeError, AttributeError):
            # The teller has set it aside, and named it.
            continue
        found += [one for one in read if isinstance(one, Trouble | Relief)]
    return found, is_cut


def _connection_of(row: Any) -> UUID | None:
    given = (row.definition or {}).get("connection_id") if row.kind == "sync" else None
    try:
        return UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None


def _connection_names(session: Session, organization_id: UUID) -> dict[UUID, str]:
    query = select(Connection.id, Connection.name).where(Connection.organization_id == organization_id)
    return {row.id: row.name for row in session.execute(query)}
