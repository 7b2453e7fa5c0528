"""Notices that a program puts together itself: some words about one of our types, made into facts. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from app.core.names import visible
from app.notifications.types import DeliveryKind, Facts, Link, LinkKind, NotificationType

# What a notice is called that has no title of its own.
TITLES = {
    NotificationType.RUN_FAILED: "A run failed",
    NotificationType.RECOVERED: "It works again",
    NotificationType.RETRYING: "A try failed, and another one follows",
    NotificationType.RUN_SUCCEEDED: "A run succeeded",
    NotificationType.CONNECTION_EXPIRING: "A login will end soon",
    NotificationType.CONNECTION_EXPIRED: "A login has ended",
    NotificationType.RATE_LIMITED: "A service asked for fewer calls",
    NotificationType.LATE: "A run is late",
    NotificationType.MISSED_SLOTS: "Slots were missed",
    NotificationType.LONGER_THAN_USUAL: "A run takes longer than usual",
    NotificationType.STUCK: "A run is stuck",
    NotificationType.DATA_STALE: "Promised figures are missing",
    NotificationType.DATA_AT_RISK: "Promised figures may be late",
    NotificationType.SUSPICIOUS_SYNC: "A sync brought suspiciously little",
    NotificationType.QUEUE_BACKLOG: "The queue is long",
    NotificationType.SYSTEM_SILENT: "The scheduler or the workers are silent",
    NotificationType.SCHEDULE_SET_ASIDE: "A schedule cannot be planned any more",
    NotificationType.CHANNEL_BROKEN: "A channel does not work any more",
    NotificationType.DAILY_SUMMARY: "Summary of the day",
}


@dataclass(frozen=True)
class Notice:
    """What a program says; everything may be left out."""

    title: str = ""
    what: str = ""
    error: str | None = None
    cause: str | None = None
    to_do: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    next_try_at: datetime | None = None
    last_success_at: datetime | None = None
    nth: int | None = None
    count: int = 1
    names: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def facts_of(type_: NotificationType, notice: Notice, *, organization: str, zone: str) -> Facts:
    """The facts of a notice. What it says is text: nothing in it steers who reads it."""
    shown = {name: visible(value) for name, value in notice.names.items() if value}
    titled = visible(notice.title).strip() or " · ".join((TITLES[type_], *list(shown.values())[:1]))
    return Facts(
        type=type_,
        kind=DeliveryKind.RECOVERED if type_ is NotificationType.RECOVERED else DeliveryKind.EVENT,
        title=titled,
        what=visible(notice.what),
        error=None if notice.error is None else visible(notice.error),
        cause=None if notice.cause is None else visible(notice.cause),
        to_do=None if notice.to_do is None else visible(notice.to_do),
        since=notice.since,
        until=notice.until,
        next_try_at=notice.next_try_at,
        last_success_at=notice.last_success_at,
        nth=notice.nth,
        count=notice.count,
        names=shown,
        lines=tuple(visible(line) for line in notice.lines),
        organization=organization,
        zone=zone,
        links=(Link(LinkKind.OVERVIEW),),
    )
