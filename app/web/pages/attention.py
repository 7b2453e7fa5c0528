"""What needs somebody, as lines of the first page: what, since when, and the one button that helps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from flask import url_for

from app.core.text import first_words
from app.edge.identity import current_actor
from app.ops.needs_attention import BadConnection, Trouble, missed_words
from app.ops.overview import Situation
from app.ops.schedule_glances import Glance
from app.ops.stuck_runs import StuckEvidence
from app.runs.failed_rows import FailedRow
from app.runs.queries import RunRow
from app.schedules.gaps import GapRow
from app.syncs.standing import Standing
from app.tenants.access import Permission, may
from app.web.formatting import count
from app.web.run_words import REASON_WORDS


@dataclass(frozen=True)
class AttentionLine:
    """One thing. The button leads to `href`, or with `is_post` does it there; `word` is said of it for its state."""

    title: str
    text: str
    title_href: str
    state: str
    button: str
    href: str
    key: str
    is_post: bool = False
    since: datetime | None = None
    count: int = 1
    word: str = ""
    is_cut: bool = False
    # By which zone its time is told; empty for the viewer's.
    zone: str = ""

    @property
    def runs(self) -> str:
        """“2 failed runs”; nothing for one."""
        return f"{count(self.count)}{'+' if self.is_cut else ''} failed runs" if self.count > 1 else ""


@dataclass(frozen=True)
class MoreAttention:
    """What is not among the lines, and where it is listed."""

    text: str
    href: str


def attention_lines(situation: Situation, zones: Mapping[UUID, str]) -> list[AttentionLine]:
    """The lines, in the order of the troubles. `zones` are those by which the times of schedules are to be told."""
    return [
        replace(_line(trouble, situation), zone=zones.get(schedule_id, "") if schedule_id else "")
        for trouble in situation.troubles.shown
        for schedule_id in [trouble.facts.schedule_id]
    ]


def more_attention(situation: Situation) -> MoreAttention | None:
    """“and 3 more”; None where the lines are all."""
    found = situation.troubles
    if not found.more:
        return None
    if found.more_schedules:
        # The list of schedules begins with those that need somebody.
        href = url_for("web.schedules")
    elif found.more_connections:
        # And that of connections as well.
        href = url_for("web.connections")
    else:
        href = url_for("web.queue", tab="running" if found.more_stuck else "failed")
    return MoreAttention(f"and {count(found.more)} more", href)


def _line(trouble: Trouble, situation: Situation) -> AttentionLine:
    if trouble.stuck is not None:
        return _of_stuck(trouble.stuck)
    if trouble.connection is not None:
        return _of_connection(trouble.connection)
    if trouble.failed is not None and trouble.failed.newest is not None:
        return _of_runs(trouble.failed, trouble.failed.newest)
    return _of_nobody(situation.waiting) if trouble.schedule is None else _of_itself(trouble.schedule, trouble)


def _of_itself(schedule: Glance, trouble: Trouble) -> AttentionLine:
    if schedule.problem is not None:
        return _of_schedule(schedule, schedule.problem)
    return _of_late(schedule, trouble) if trouble.missed is None else _of_missed(schedule, trouble.missed)


def _of_nobody(waiting: int) -> AttentionLine:
    runs = "1 run waits" if waiting == 1 else f"{count(waiting)} runs wait"
    return AttentionLine(
        title="No worker is running",
        text=f"{runs}, and nobody starts them. Start one with: belfry up",
        title_href=url_for("web.queue"),
        state="failed",
        button="Show the queue",
        href=url_for("web.queue"),
        key="worker",
        word="Down",
    )


def _of_stuck(found: StuckEvidence) -> AttentionLine:
    """What speaks for it, and the way to the page that asks whether to take it from its worker."""
    held = found.held
    run = url_for("web.run", run_id=held.run_id)
    may_remove = may(current_actor(), Permission.MANAGE_QUEUE)
    return AttentionLine(
        title=held.job_name,
        text=found.words,
        title_href=run,
        state="warning",
        button="Look…" if may_remove else "View log",
        href=url_for("web.stuck_run", run_id=held.run_id) if may_remove else f"{run}#log",
        key=str(held.run_id),
        since=held.began_at,
        word="Looks stuck",
    )


def _of_connection(found: BadConnection) -> AttentionLine:
    login, may_reconnect = found.login, may(current_actor(), Permission.MANAGE_CONNECTIONS)
    page = url_for("web.connection", connection_id=login.id)
    return AttentionLine(
        title=login.name,
        text=found.text,
        title_href=page,
        state="failed" if login.standing.is_broken else "warning",
        button="Reconnect…" if may_reconnect else "Look",
        href=url_for("web.new_login", connection_id=login.id) if may_reconnect else page,
        key=str(login.id),
        since=found.since,
        word=_CONNECTION_WORDS[login.standing],
    )


_CONNECTION_WORDS = {
    Standing.REFUSED: "Connection refused",
    Standing.EXPIRED: "Connection expired",
    Standing.EXPIRES_SOON: "Expires soon",
}


def _of_schedule(row: Glance, problem: str) -> AttentionLine:
    may_edit = may(current_actor(), Permission.EDIT_SCHEDULES)
    page = "web.edit_schedule" if may_edit else "web.schedule"
    return AttentionLine(
        title=row.name,
        text=problem,
        title_href=url_for("web.schedule", schedule_id=row.id),
        state="broken",
        button="Edit schedule" if may_edit else "Show schedule",
        href=url_for(page, schedule_id=row.id),
        key=str(row.id),
    )


def _of_late(one: Glance, trouble: Trouble) -> AttentionLine:
    href, facts = url_for("web.schedule", schedule_id=one.id), trouble.facts
    return AttentionLine(
        one.name, facts.text, href, facts.kind, "Show why", href, str(one.id), since=trouble.since
    )  # fmt: skip


def _of_missed(one: Glance, gap: GapRow) -> AttentionLine:
    href = url_for("web.schedule", schedule_id=one.id)
    return AttentionLine(
        one.name, missed_words(gap), href, "missed", "Show why", href, str(one.id), since=gap.first_slot_at
    )  # fmt: skip


def _of_runs(failed: FailedRow, newest: RunRow) -> AttentionLine:
    href = url_for("web.run", run_id=newest.id)
    may_retry = newest.can_retry and may(current_actor(), Permission.MANAGE_QUEUE)
    return AttentionLine(
        title=newest.schedule_name or newest.job_name,
        text=first_words(newest.error) or (REASON_WORDS[newest.reason] if newest.reason else "It failed."),
        title_href=href,
        state="failed",
        button="Retry" if may_retry else "View log",
        href=url_for("web.retry_run", run_id=newest.id) if may_retry else f"{href}#log",
        key=str(newest.id),
        is_post=may_retry,
        since=failed.since,
        count=failed.runs,
        is_cut=failed.is_cut,
    )
