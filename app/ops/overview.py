"""How an organization fares, at one glance: for the first page, the API and the command line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.questions import ask_together, is_postgres
from app.ops.heartbeats import processes, slots_alive
from app.ops.needs_attention import TroubleAnswers, Troubles, questions_about, read_troubles
from app.ops.organization_hours import OrganizationHours, hours_around
from app.ops.schedule_glances import Glance, failing_before
from app.ops.schedule_health import ScheduleHealth
from app.ops.stuck_runs import evidence_of, stuck_questions
from app.runs.run_hours import HOUR, NOTHING, RATE_WINDOW, Counts, hours_since
from app.runs.states import RunState
from app.runs.statistics import queue_counts
from app.schedules.load import LoadMap

# Of more failing schedules than this, nobody asks since when each one is.
_MOST_COMPARED = 200


@dataclass(frozen=True)
class Situation:
    """The figures. `ended` and `ended_before` are of the last seven days and of the seven before those."""

    enabled: int
    total: int
    ended: Counts
    ended_before: Counts
    failing: int
    failing_new: int
    running: int
    waiting: int
    slots: int
    dead: int
    next_run: Glance | None
    troubles: Troubles
    hours: OrganizationHours


def read_situation(
    session: Session,
    glances: Sequence[Glance],
    *,
    organization_id: UUID,
    load: LoadMap,
    is_stopped: bool,
    today: datetime,
    now: datetime,
) -> Situation:
    """How it stands, over all schedules, which the caller has read. `today` is when the reader's day began.

    Two statements.
    """
    here: dict[str, Any] = {"organization_id": organization_id}
    asks_postgres = is_postgres(session)
    failing = [one.id for one in glances if one.health is ScheduleHealth.FAILING]
    compared = failing[:_MOST_COMPARED]
    about = questions_about(glances, **here, now=now, asks_postgres=asks_postgres)
    held = stuck_questions(**here, now=now, asks_postgres=asks_postgres)
    ended, counts, heard_of, old, failed, missed, jobs, logins, paused, *evidence = ask_together(
        session,
        hours_since(**here, since=now - 2 * RATE_WINDOW),
        queue_counts(**here),
        processes(now=now, with_ended=True),
        failing_before(compared, today) if compared else None,
        about.failing,
        about.missed,
        about.jobs,
        about.logins,
        about.paused,
        *held,
    )
    week = int((now - RATE_WINDOW).timestamp()) // HOUR
    slots = slots_alive(heard_of, now=now)
    coming = [one for one in glances if one.next_run_at is not None]
    answers = TroubleAnswers(
        schedules=about.schedules,
        failing=failed,
        missed=missed,
        jobs=jobs if counts[RunState.FAILED] else None,
        logins=logins,
        paused=paused,
        stuck=[one for one in evidence_of(*evidence, processes=heard_of, now=now).values() if one.is_stuck],
        is_unmanned=counts[RunState.READY] > 0 and slots == 0,
    )
    return Situation(
        enabled=sum(one.enabled for one in glances),
        total=len(glances),
        ended=_sum(counts for hour, counts in ended.items() if hour >= week),
        ended_before=_sum(counts for hour, counts in ended.items() if hour < week),
        failing=len(failing),
        failing_new=len(compared) - len(old or ()),
        running=counts[RunState.RUNNING],
        waiting=counts[RunState.READY],
        slots=slots,
        dead=counts[RunState.FAILED],
        next_run=None if is_stopped else min(coming, key=lambda one: one.next_run_at or now, default=None),
        troubles=read_troubles(session, answers, **here, now=now),
        hours=hours_around(ended, load, is_stopped=is_stopped, now=now),
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, NOTHING)
