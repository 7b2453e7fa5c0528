"""What every page asks first: what is new for an organization, and how scheduling fares. All in one statement."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, true
from sqlalchemy.orm import Session

from app.events.service import Topic, newest_event_id
from app.notifications.incident_rows import open_incidents
from app.notifications.moments import last_moments, mark_of
from app.ops.gauges import enabled_schedule
from app.ops.heartbeats import scheduler_ended_at, scheduler_kept_time_at
from app.runs.switches import queues_open, queues_paused
from app.schedules.clock_steps import HeldByClock, hold_of, last_step
from app.schedules.stops import SchedulingStopRow, open_stop
from app.syncs.connection_rows import broken_connections


@dataclass(frozen=True)
class News:
    """The highest event id of each topic, 0 without any; the scheduler's last sign of life; what holds it, if so.

    `beat_at` is of schedulers that have not signed off, `ended_at` when the last one did.
    """

    newest: dict[Topic, int]
    beat_at: datetime | None
    ended_at: datetime | None
    hold: HeldByClock | None
    stop: SchedulingStopRow | None
    # Whether anything of theirs needs a scheduler at all.
    has_enabled: bool
    paused_queues: int = 0
    open_queues: int = 0
    # Accounts that nothing comes from until somebody reconnects them.
    broken_connections: int = 0
    # What goes wrong and is not over, at most a thousand.
    open_incidents: int = 0
    # Another number whenever an incident, a message or a channel is another.
    told: int = 0


def read_news(session: Session, *, organization_id: UUID, now: datetime) -> News:
    """The news of an organization."""
    ids = [newest_event_id(organization_id, topic) for topic in Topic]
    one_row, step, stop = select(true().label("is_there")).subquery("one_row"), last_step(), open_stop()
    scheduler = scheduler_kept_time_at(now), scheduler_ended_at(now)
    counts = queues_paused(), queues_open(), broken_connections(organization_id, now=now)
    incidents, moments = open_incidents(organization_id), last_moments(organization_id)
    query = (
        select(
            *ids, *scheduler, exists(enabled_schedule(organization_id)), *counts, incidents, *moments, *step.c, *stop.c
        )
        .select_from(one_row)
        .outerjoin(step, true())
        .outerjoin(stop, true())
    )
    row = tuple(session.execute(query).one())
    numbers, row = row[: len(ids)], row[len(ids) :]
    (beat_at, ended_at, has_enabled, paused, still_open, broken, incident_count), row = row[:7], row[7:]
    told, row = row[: len(moments)], row[len(moments) :]
    said_of_step, said_of_stop = row[: len(step.c)], row[len(step.c) :]
    return News(
        newest={topic: number or 0 for topic, number in zip(Topic, numbers, strict=True)},
        beat_at=beat_at,
        ended_at=ended_at,
        hold=None if said_of_step[0] is None else hold_of(*said_of_step, now=now),
        stop=None if said_of_stop[0] is None else SchedulingStopRow(*said_of_stop),
        has_enabled=bool(has_enabled),
        paused_queues=paused,
        open_queues=still_open,
        broken_connections=broken,
        open_incidents=incident_count,
        told=(numbers[list(Topic).index(Topic.NOTIFICATIONS)] or 0) + mark_of(told),
    )
