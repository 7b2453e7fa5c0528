"""Pausing a queue: nothing of it is started, what runs goes on, and nothing is lost."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Insert, ScalarSelect, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import NotFound
from app.core.questions import Question, ask
from app.runs.models import Run
from app.runs.queue_models import Queue, QueueSwitch
from app.tenants.access import Actor
from app.tenants.platform import record_for_platform, require_platform_admin


class QueueUnknown(NotFound):
    """There is no queue of this name."""


@dataclass(frozen=True)
class QueueSwitchRow:
    """A queue that is paused."""

    name: str
    paused_at: datetime
    paused_by: str


def is_open() -> ColumnElement[bool]:
    """Runs whose queue nobody paused. The switch is read by the statement itself, so it takes effect at once."""
    return Run.queue.not_in(select(QueueSwitch.name))


def queues_paused() -> ScalarSelect[int]:
    """How many queues are paused, as part of a statement."""
    return select(func.count(QueueSwitch.name)).scalar_subquery()


def queues_open() -> ScalarSelect[int]:
    """How many queues are not, as part of a statement."""
    return select(func.count(Queue.name)).where(Queue.name.not_in(select(QueueSwitch.name))).scalar_subquery()


def queue_names(session: Session) -> list[str]:
    """All queues there are, by name."""
    return ask(session, all_queues())


def all_queues() -> Question[list[str]]:
    """The same as a question."""
    return Question(select(Queue.name).order_by(Queue.name), lambda rows: [row[0] for row in rows])


def check_queue(session: Session, name: str) -> None:
    """Raises QueueUnknown."""
    names = queue_names(session)
    if name not in names:
        raise QueueUnknown(f"There is no queue “{name}”. There are: {', '.join(names)}")


def pause_queue(session: Session, *, actor: Actor, name: str, now: datetime) -> bool:
    """Start nothing of this queue from now on. Works as PLATFORM. False when it was paused already.

    Raises PlatformAdminNeeded or QueueUnknown.
    """
    require_platform_admin(actor)
    check_queue(session, name)
    values = {"name": name, "paused_at": now, "paused_by": actor.label}
    if session.scalar(_insert_or_ignore(session).values(**values).returning(QueueSwitch.name)) is None:
        return False
    _note(session, actor, name, "paused", now)
    return True


def resume_queue(session: Session, *, actor: Actor, name: str, now: datetime) -> bool:
    """Let this queue start runs again. Works as PLATFORM. False when it was not paused.

    Whoever calls it dispatches after the commit. Raises PlatformAdminNeeded or QueueUnknown.
    """
    require_platform_admin(actor)
    check_queue(session, name)
    if count_changed(session, delete(QueueSwitch).where(QueueSwitch.name == name)) != 1:
        return False
    _note(session, actor, name, "resumed", now)
    return True


def list_switches(session: Session) -> list[QueueSwitchRow]:
    """The queues that are paused, by name."""
    return ask(session, switched_queues())


def switched_queues() -> Question[list[QueueSwitchRow]]:
    """The same as a question."""
    query = select(QueueSwitch.name, QueueSwitch.paused_at, QueueSwitch.paused_by).order_by(QueueSwitch.name)
    return Question(query, lambda rows: [QueueSwitchRow(*row) for row in rows])


def _insert_or_ignore(session: Session) -> Insert:
    # The primary key decides between two admins who press the button at the same moment.
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(QueueSwitch).on_conflict_do_nothing()
    return postgresql.insert(QueueSwitch).on_conflict_do_nothing()


def _note(session: Session, actor: Actor, name: str, verb: str, now: datetime) -> None:
    summary = f"{verb.capitalize()} the queue “{name}”"
    record_for_platform(session, actor=actor, action=f"queue.{verb}", subject_kind="queue", summary=summary, now=now)
