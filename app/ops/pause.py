"""Pausing the whole installation and letting it go on: its scheduling, and with it the queues."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.runs.switches import list_switches, pause_queue, queue_names, resume_queue
from app.schedules.stops import current_stop, start_scheduling, stop_scheduling
from app.tenants.access import Actor


@dataclass(frozen=True)
class Paused:
    """What a command changed: whether scheduling, and which queues."""

    scheduling: bool
    queues: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        return not self.scheduling and not self.queues


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
    return Paused(did_stop, tuple(paused))


def resume_everything(session: Session, *, actor: Actor, now: datetime) -> Paused:
    """Plan again, and open the queues that were paused with it; those that somebody paused by themselves stay so.

    Works as PLATFORM. Whoever calls it dispatches after the commit. Raises PlatformAdminNeeded.
    """
    stop = current_stop(session)
    together = [row.name for row in list_switches(session) if stop is not None and row.paused_at == stop.stopped_at]
    did_start = start_scheduling(session, actor=actor, now=now)
    opened = [name for name in together if resume_queue(session, actor=actor, name=name, now=now)]
    return Paused(did_start, tuple(opened))
