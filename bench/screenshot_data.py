"""What the pictures show: some days, lived through by the real planner, ledger and commands.

Made up are how long a run takes, which of them fail, and when somebody changes something.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.jobs.kinds.base import KindName, Level
from app.jobs.policies import Backoff, RetryPolicy
from app.jobs.service import JobDraft, create_job
from app.ops.kinds import job_kinds
from app.runs import ledger, logs, planner
from app.runs.facts import AttemptEnd
from app.runs.logs import NewLine
from app.runs.models import Run
from app.runs.retries import Next
from app.runs.service import edit_schedule
from app.runs.states import AttemptState, Reason, RunState
from app.schedules.models import Schedule
from app.schedules.policies import Overlap
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.access import Actor
from bench.installation import Installation

DAYS = 3
STEP = timedelta(minutes=5)
ONE_TRY = RetryPolicy(1, 0, Backoff.FIXED)
ADDRESS = "https://api.example.com"
# For so long no scheduler was there.
AWAY = (timedelta(hours=3, minutes=50), timedelta(hours=2, minutes=40))


@dataclass(frozen=True)
class Line:
    """A job with its schedule: how long it usually takes, and which share of its runs fails."""

    job: str
    name: str
    cron: str
    zone: str
    seconds: float
    failing: float = 0.0
    said: str = "503 Service Unavailable"
    tags: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def address(self) -> str:
        return f"{ADDRESS}/{self.job.lower().replace(' ', '-')}"


@dataclass(frozen=True)
class Change:
    """What somebody changed of the first schedule, and how long ago."""

    ago: timedelta
    by: str
    cron: str
    overlap: Overlap = Overlap.SKIP
    notes: str = ""


LINES = (
    Line("Order export", "Orders to the warehouse", "0 * * * *", "America/New_York", 18, 0.06, tags=("warehouse",)),
    Line("Price feed", "Prices, every three hours", "0 */3 * * *", "America/New_York", 41, 0.3, tags=("shop",)),
    Line("Shop is up", "Shop check", "*/15 * * * *", "UTC", 2, tags=("shop",)),
    Line("Weekly report", "Report on Monday", "0 9 * * 1", "Asia/Tokyo", 95),
    Line("Stock levels", "Stock, weekdays", "0 9 * * 1-5", "Europe/London", 12, tags=("warehouse",)),
    Line("Invoices", "Invoices to bookkeeping", "30 2 * * *", "America/New_York", 64, 1.0, "401 Unauthorized"),
    Line("Ratings", "Ratings from the marketplaces", "20 */6 * * *", "Europe/Berlin", 150, 0.1, tags=("shop",)),
    Line("Newsletter", "Newsletter figures", "0 7 * * 5", "Europe/Berlin", 30, enabled=False),
)
CHANGES = (
    Change(timedelta(hours=43), "ben@example.com", "*/30 * * * *"),
    Change(
        timedelta(hours=1, minutes=20),
        "ana@example.com",
        "*/30 * * * *",
        Overlap.QUEUE_ONE,
        "The warehouse closes at 20:00.",
    ),
)


def fill(place: Installation, actor: Actor) -> None:
    """Jobs, schedules and the last days of their runs."""
    chance, made = random.Random(7), {}
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        start = now - timedelta(days=DAYS)
        for line in LINES:
            made[line.name] = _make(session, place, actor, line, start)
    before = start
    for moment in _moments(start, now):
        with place.database.transaction() as session:
            for change in CHANGES:
                if before < now - change.ago <= moment:
                    _change(session, actor, made[LINES[0].name], change, now - change.ago)
            planner.tick(session, now=moment)
            for run_id in session.scalars(select(Run.id).where(Run.state == RunState.READY.value)):
                _live_through(session, run_id, moment, chance)
        before = moment


def _moments(start: datetime, now: datetime) -> Iterator[datetime]:
    # On whole minutes, so that nothing looks late that is not.
    moment = start.replace(minute=0, second=0, microsecond=0)
    while moment < now:
        moment = min(moment + STEP, now)
        if not now - AWAY[0] <= moment <= now - AWAY[1]:
            yield moment


def _make(session: Session, place: Installation, actor: Actor, line: Line, at: datetime) -> ScheduleDraft:
    step = {"name": "Call", "method": "POST", "url": line.address}
    job = JobDraft(line.job, KindName.WORKFLOW, {"steps": [step]}, retry=ONE_TRY)
    job_id = create_job(session, actor=actor, kinds=job_kinds(place.settings), draft=job, now=at)
    draft = ScheduleDraft(line.name, job_id, line.cron, line.zone, line.name, tags=line.tags, enabled=line.enabled)
    create_schedule(session, actor=actor, draft=draft, now=at)
    return draft


def _change(session: Session, actor: Actor, draft: ScheduleDraft, change: Change, at: datetime) -> None:
    found = session.scalars(select(Schedule).where(Schedule.name == draft.name)).one()
    edit_schedule(
        session,
        actor=replace(actor, label=change.by),
        schedule_id=found.id,
        draft=replace(draft, cron=change.cron, overlap=change.overlap, notes=change.notes),
        version=found.version,
        now=at,
    )


def _live_through(session: Session, run_id: UUID, tick_at: datetime, chance: random.Random) -> None:
    """Start a run shortly after its slot and end it well or badly."""
    run = session.get_one(Run, run_id)
    name = session.get_one(Schedule, run.schedule_id).name
    line = next(line for line in LINES if line.name == name)
    begin = max(run.due_at, run.ready_at) + timedelta(milliseconds=chance.randint(40, 300))
    started = ledger.start(session, run_id=run_id, worker="belfry-1:412", lease_until=tick_at, now=begin)
    assert started is not None
    is_slow = chance.random() < 0.03
    end_at = begin + timedelta(seconds=line.seconds * chance.uniform(0.85, 1.2) * (3.5 if is_slow else 1))
    held = {"run_id": run_id, "token": started.token}
    if chance.random() < line.failing:
        said = f"POST {line.address} answered {line.said}"
        _log(session, run, f"{said} in 9.8 s, 88 bytes", Level.ERROR, begin + timedelta(seconds=9.8), held)
        end = AttemptEnd(AttemptState.FAILED, error=f"{said}; expected 200-299.")
        then = Next(RunState.FAILED, Reason.ERROR)
        ledger.put_down(session, end=end, then=then, now=begin + timedelta(seconds=9.9), **held)
    else:
        _log(
            session, run, f"POST {line.address} answered 202 Accepted in 412 ms, 1,204 bytes", Level.INFO, end_at, held
        )
        ledger.succeed(session, end=AttemptEnd(AttemptState.SUCCEEDED, result={"status": 202}), now=end_at, **held)


def _log(session: Session, run: Run, text: str, level: Level, at: datetime, held: dict) -> None:
    logs.append_lines(session, organization_id=run.organization_id, lines=[NewLine(text, level, at)], **held)
