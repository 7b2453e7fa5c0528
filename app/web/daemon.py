"""Whether the scheduler has been heard of lately, whether somebody stopped it, and the banners that say so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from flask import g
from sqlalchemy.exc import SQLAlchemyError

from app.edge.identity import current_actor, request_now, signed_in_session, tenant_scope
from app.edge.permissions import schema_note
from app.edge.runtime import working_as
from app.ops.heartbeats import GONE_AFTER, SILENT_AFTER
from app.ops.news import News, read_news
from app.schedules.clock_steps import HeldByClock
from app.schedules.stops import SchedulingStopRow
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, duration, wall_clock

_CONSEQUENCE = "No scheduled runs are starting. Start one with: belfry up"


class SchedulerHealth(IntEnum):
    """How long nothing was heard of any scheduler. Pages refresh their banner when it changes."""

    OK = 0
    SILENT = 1  # three beats are missing
    GONE = 2  # nine beats are missing, or there never was one


@dataclass(frozen=True)
class SchedulerNotice:
    """The banner. `state` colours it."""

    state: str
    title: str
    text: str


_STATES = {SchedulerHealth.SILENT: "warning", SchedulerHealth.GONE: "failed"}


def health_of(last_beat: datetime | None, *, now: datetime) -> SchedulerHealth:
    """How the scheduler is, judged by its last sign of life."""
    if last_beat is None or now - last_beat > GONE_AFTER:
        return SchedulerHealth.GONE
    return SchedulerHealth.SILENT if now - last_beat > SILENT_AFTER else SchedulerHealth.OK


def notice_of(
    last_beat: datetime | None, *, ended_at: datetime | None = None, now: datetime, zone: str
) -> SchedulerNotice | None:
    """The banner for a last sign of life; None while all is well. `ended_at` is when the last one signed off."""
    health = health_of(last_beat, now=now)
    if health is SchedulerHealth.OK:
        return None
    if ended_at is not None and (last_beat is None or ended_at > last_beat):
        title = f"No scheduler is running since {absolute_time(ended_at, zone=zone, now=now)}."
        return SchedulerNotice(_STATES[SchedulerHealth.GONE], title, _CONSEQUENCE)
    if last_beat is None:
        return SchedulerNotice(_STATES[health], "No scheduler is running.", _CONSEQUENCE)
    # The larger unit alone: “4 min” says enough.
    silence = " ".join(duration(now - last_beat).split()[:2])
    last = wall_clock(last_beat.astimezone(ZoneInfo(zone)), seconds=True)
    title = f"No scheduler has reported for {silence} (last {last})."
    return SchedulerNotice(_STATES[health], title, _CONSEQUENCE)


def scheduler_notice(count_overdue: Callable[[], int]) -> SchedulerNotice | None:
    """The banner for the person of this request. None when nothing of theirs needs a scheduler.

    How many schedules are overdue is asked only while no scheduler lives.
    """
    found = news()
    if not found.has_enabled:
        return None
    banner = notice_of(found.beat_at, ended_at=found.ended_at, now=request_now(), zone=viewer_zone())
    if banner is not None and health_of(found.beat_at, now=request_now()) is SchedulerHealth.GONE:
        return replace(banner, text=f"{_overdue_words(count_overdue())}{banner.text}")
    return banner or _notice_of_hold(found.hold, zone=viewer_zone())


def _overdue_words(late: int) -> str:
    """“7 schedules are overdue. ”; nothing where none is."""
    if not late:
        return ""
    return f"{late:,} schedules are overdue. " if late > 1 else "1 schedule is overdue. "


def _notice_of_hold(hold: HeldByClock | None, *, zone: str) -> SchedulerNotice | None:
    if hold is None:
        return None
    until = wall_clock(hold.held_until.astimezone(ZoneInfo(zone)), seconds=True)
    text = f"Nothing is planned, and no run is taken for lost, until {until}. It goes on by itself."
    return SchedulerNotice("warning", hold.text, text)


def scheduling_stop() -> SchedulingStopRow | None:
    """Who stopped all scheduling, while it lasts. Every page says it."""
    if "news" not in g and (signed_in_session() is None or schema_note()):
        return None
    try:
        return news().stop
    except SQLAlchemyError:
        # A form that was refused comes out in a transaction that is lost already, and must come out.
        return None


def stop_words() -> str:
    """What a stop of all scheduling leaves going: runs by hand start where their queue is not paused, too."""
    found = news()
    if not found.paused_queues:
        return "Nothing is planned; runs by hand still start."
    if not found.open_queues:
        return "Nothing is planned, and all queues are paused: runs by hand wait, too. What runs goes on."
    many = found.paused_queues
    queues = "1 queue is paused" if many == 1 else f"{many:,} queues are paused"
    return f"Nothing is planned, and {queues}: runs by hand wait there, and start in the other queues."


def news() -> News:
    """The news for the person of this request. Asked once per request, because every page says some of it."""
    if "news" not in g:
        with working_as(tenant_scope()) as session:
            g.news = read_news(session, organization_id=current_actor().organization_id, now=request_now())
    found: News = g.news
    return found
