"""Runs that are ready and do not start: schedules that are late, and queues that fall behind."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from app.core.lengths import duration
from app.events.service import Topic
from app.ops.watches.marks import Happening, Look, Marks, Subject, Watch
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.switches import is_open

# Pages call a run late after a minute. Nobody is called for that: most of those start within the next one.
TELL_LATE_AFTER = timedelta(minutes=5)
# A queue falls behind when so many of its runs have been ready for so long, and is itself again when none has.
BEHIND_AFTER = timedelta(minutes=10)
FEWEST_BEHIND = 10
# So many schedules, the longest late first: when there are more of them, that is not what somebody has to be told.
MOST_LATE = 1_000


def look_for_late(session: Session, marks: Marks, *, now: datetime) -> Look:
    """Schedules of which a run that never started has been ready for too long. One statement.

    In a queue that somebody paused nothing is late.
    """
    query = (
        select(
            Run.organization_id,
            Run.schedule_id,
            # Ids grow with time.
            func.min(cast(Run.id, String)).label("run_id"),
            func.min(Run.due_at).label("due_at"),
            func.count().label("runs"),
        )
        .where(in_state(RunState.READY), Run.ready_at < now - TELL_LATE_AFTER)
        .where(Run.schedule_id.is_not(None), Run.attempt == 0, is_open())
        .group_by(Run.organization_id, Run.schedule_id)
        .order_by(func.min(Run.ready_at))
        .limit(MOST_LATE)
    )
    rows = session.execute(query).all()
    seen = {
        Subject(row.organization_id, str(row.schedule_id)): Happening(
            Topic.RUNS, "run.late", UUID(row.run_id),
            {
                "schedule_id": str(row.schedule_id), "slot_at": row.due_at.isoformat(),
                "text": _late_words(row.due_at, row.runs),
            },
        )
        for row in rows
    }  # fmt: skip
    over = {one: Happening(Topic.SCHEDULES, "schedule.in_time", UUID(one.key)) for one in marks.get(Watch.LATE, set())}
    return Look(Watch.LATE, seen, is_all=len(rows) < MOST_LATE, over=over)


def look_for_backlogs(session: Session, marks: Marks, *, now: datetime) -> Look:
    """Queues of organizations in which runs have been ready for long. One statement."""
    query = (
        select(
            Run.organization_id, Run.queue, func.count().label("runs"), func.min(Run.ready_at).label("since")
        )
        .where(in_state(RunState.READY), Run.ready_at < now - BEHIND_AFTER, is_open())
        .group_by(Run.organization_id, Run.queue)
    )  # fmt: skip
    told = marks.get(Watch.BACKLOG, set())
    seen = {}
    for row in session.execute(query):
        subject = Subject(row.organization_id, row.queue)
        if row.runs >= FEWEST_BEHIND or subject in told:
            text = (
                f"{row.runs:,} runs have been ready for {duration(BEHIND_AFTER)} or longer, the first of them for "
                f"{duration(now - row.since)}. Start more workers, or look what holds them back."
            )
            data = {"queue": row.queue, "waiting": row.runs, "text": text}
            seen[subject] = Happening(Topic.NOTIFICATIONS, "queue.backlog", row.organization_id, data)
    over = {
        one: Happening(Topic.NOTIFICATIONS, "queue.relieved", one.organization_id, {"queue": one.key}) for one in told
    }
    return Look(Watch.BACKLOG, seen, over=over)


def _late_words(due_at: datetime, runs: int) -> str:
    others = "" if runs == 1 else f" {runs - 1:,} more of its runs {'waits' if runs == 2 else 'wait'} as well."
    return f"It was due at {due_at:%Y-%m-%d %H:%M} UTC and has not started.{others}"
