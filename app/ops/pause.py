"""Pausing the whole installation and letting it go on: its scheduling, and with it the queues."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.runs.switches import list_switches, pause_queue, queue_names, resume_queue
from app.schedules.stops import current_stop, start_scheduling, stop_scheduling
from app.tenants.access import Actor


@dataclass(frozen=True)
class Paused:
    """What a command changed: whether scheduling, and which queues.

    `at` is the instant by which both are known again; None of a command that lets them go on.
    """

    scheduling: bool
    queues: tuple[str, ...]
    at: datetime | None = None

    @property
    def is_nothing(self) -> bool:
        return not self.scheduling and not self.queues

    @property
    def words(self) -> str:
        """What somebody who asked to pause everything is told."""
        if self.is_nothing:
            return "Everything was paused already."
        if self.scheduling:
            return "Everything is paused."
        names = ", ".join(self.queues)
        return f"Scheduling was stopped already. Now {names} {'is' if len(self.queues) == 1 else 'are'} paused, too."


def pause_everything(session: Session, *, actor: Actor, reason: str, with_queues: bool, now: datetime) -> Paused:
    """Start nothing on schedule, and with the queues nothing at all; what runs goes on. Works as PLATFORM.

    While scheduling is stopped already, its first reason stays, and the queues are paused all the same.
    Raises PlatformAdminNeeded or StopReasonInvalid.
    """
    did_stop = stop_scheduling(session, actor=actor, reason=reason, now=now)
    # As if at the instant of the stop, by which they are known again when everything goes on.
    stop = current_stop(session)
    at = now if stop is None else stop.stopped_at
    names = queue_names(session) if with_queues else []
    paused = [name for name in names if pause_queue(session, actor=actor, name=name, now=at)]
    return Paused(did_stop, tuple(paused), at=at)


def undo_pause(session: Session, *, actor: Actor, done: Paused, now: datetime) -> Paused:
    """Take back what one call of pause_everything did, as far as it still stands: what others paused stays so.

    Works as PLATFORM. Whoever calls it dispatches after the commit. Raises PlatformAdminNeeded.
    """
    stop = current_stop(session)
    is_ours = done.scheduling and stop is not None and stop.stopped_at == done.at
    did_start = is_ours and start_scheduling(session, actor=actor, now=now)
    still = [row.name for row in list_switches(session) if row.name in done.queues and row.paused_at == done.at]
    opened = [name for name in still if resume_queue(session, actor=actor, name=name, now=now)]
    return Paused(did_start, tuple(opened))


def resume_everything(session: Session, *, actor: Actor, now: datetime) -> Paused:
    """Plan again, and open the queues that were paused with it; those that somebody paused by themselves stay so.

    Works as PLATFORM. Whoever calls it dispatches after the commit. Raises PlatformAdminNeeded.
    """
    stop = current_stop(session)
    together = [row.name for row in list_switches(session) if stop is not None and row.paused_at == stop.stopped_at]
    did_start = start_scheduling(session, actor=actor, now=now)
    opened = [name for name in together if resume_queue(session, actor=actor, name=name, now=now)]
    return Paused(did_start, tuple(opened))
