"""What needs somebody, as lines of the first page: what, since when, and the one button that helps."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from app.edge.identity import current_actor
from app.ops.overview import Situation, Trouble
from app.ops.schedule_glances import Glance
from app.runs.queries import RunRow
from app.schedules.queries import ScheduleRow
from app.tenants.access import Permission, may
from app.web.formatting import count
from app.web.run_words import REASON_WORDS, first_words


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


def attention_lines(situation: Situation) -> list[AttentionLine]:
    """The lines, in the order of the troubles."""
    return [_line(trouble, situation) for trouble in situation.troubles]


def _line(trouble: Trouble, situation: Situation) -> AttentionLine:
    if trouble.runs:
        return _of_runs(trouble.runs, trouble.since)
    if trouble.schedule is not None:
        return _of_schedule(trouble.schedule)
    if trouble.late is not None:
        return _of_late(trouble.late, trouble.since)
    return _of_nobody(situation.waiting)


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


def _of_schedule(row: ScheduleRow) -> AttentionLine:
    may_edit = may(current_actor(), Permission.EDIT_SCHEDULES)
    page = "web.edit_schedule" if may_edit else "web.schedule"
    return AttentionLine(
        title=row.name,
        text=row.problem or "",
        title_href=url_for("web.schedule", schedule_id=row.id),
        state="broken",
        button="Edit schedule" if may_edit else "Show schedule",
        href=url_for(page, schedule_id=row.id),
        key=str(row.id),
    )


def _of_late(one: Glance, since: datetime | None) -> AttentionLine:
    href = url_for("web.schedule", schedule_id=one.id)
    text = "It is due and has not started."
    return AttentionLine(one.name, text, href, "late", "Show why", href, str(one.id), since=since)


def _of_runs(runs: tuple[RunRow, ...], since: datetime | None) -> AttentionLine:
    newest = runs[0]
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
        since=since,
        count=len(runs),
    )
