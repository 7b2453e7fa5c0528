"""An installation to be mistreated: its crew of processes, work that writes down what it does, and the judge."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, cycle, islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, insert, select
from sqlalchemy.exc import OperationalError

from app.core.clock import DatabaseClock
from app.core.config import read_settings
from app.core.ids import new_id
from app.core.patience import patiently
from app.jobs.kinds.base import KindName
from app.jobs.policies import Backoff, RetryPolicy
from app.jobs.service import JobDraft, create_job
from app.ops.kinds import job_kinds
from app.runs.models import Run
from app.runs.states import TERMINAL
from app.schedules.models import Schedule, is_planned
from tests.factories.tenants import make_member
from tests.fakes.database import OpenDatabase
from tests.faults.checker import Verdict, judge
from tests.faults.crew import Crew
from tests.faults.expectations import Expectation, Rule
from tests.faults.journal import Journal, read_journal

MOMENT = timedelta(microseconds=1)
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 120.0
# Whole hours, half hours and quarters away from UTC, so that minutes of the wall and of the day differ.
ZONES = ("UTC", "Europe/Riga", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")
MANY_TRIES = RetryPolicy(tries=20, delay_seconds=1, backoff=Backoff.FIXED)


@dataclass(frozen=True)
class Jobs:
    """Jobs that work for different times; half of them may be repeated."""

    repeatable: list[UUID]
    once: list[UUID]

    @property
    def all(self) -> list[UUID]:
        """One of each sort in turn."""
        return [job for pair in zip(self.repeatable, self.once, strict=True) for job in pair]


class Place:
    """Nothing in here waits for a time to pass; everything waits for what has to come."""

    def __init__(self, folder: Path, environment: Mapping[str, str], database: OpenDatabase) -> None:
        self.folder = folder
        self.database = database
        self.crew = Crew(folder, environment)
        self.expectations: list[Expectation] = []
        self.repeatable: set[UUID] = set()
        self.clock_file = folder / "clock"
        self.set_clock(ahead=timedelta())
        self._numbers = count()
        self._kinds = job_kinds(read_settings(dict(environment), folder=folder))
        with database.transaction() as session:
            self.actor = make_member(session).actor

    def now(self) -> datetime:
        """By the one clock that decides."""
        with self.database.reading() as session:
            return DatabaseClock().now(session) + self._ahead

    def set_clock(self, *, ahead: timedelta) -> None:
        """Set the database's clock, for those of the crew who are told to look at the file."""
        self._ahead = ahead
        written = self.clock_file.with_suffix(".new")
        written.write_text(str(ahead.total_seconds()))
        written.replace(self.clock_file)

    def make_jobs(self, *seconds: float) -> Jobs:
        """For each duration one job that may be repeated and one that must not be."""
        made = Jobs(
            [self._make_job("work_again", some) for some in seconds],
            [self._make_job("work_once", some) for some in seconds],
        )
        self.repeatable |= set(made.repeatable)
        return made

    def _make_job(self, function: str, seconds: float) -> UUID:
        definition = {"function": function, "arguments": {"folder": str(self.folder), "seconds": seconds}}
        draft = JobDraft(f"Job {next(self._numbers)}", KindName.CODE, definition, retry=MANY_TRIES)
        with self.database.transaction() as session:
            now = DatabaseClock().now(session)
            return create_job(session, actor=self.actor, kinds=self._kinds, draft=draft, now=now)

    def make_due(self, number: int, jobs: Jobs) -> list[Expectation]:
        """So many schedules whose slot is the minute that goes on now; the next one is an hour away."""
        slot = self.now().replace(second=0, microsecond=0)
        zones = islice(cycle(ZONES), number)
        rules = [
            Rule(f"{slot.astimezone(ZoneInfo(zone)).minute} * * * *", zone, slot - MOMENT, slot - MOMENT)
            for zone in zones
        ]
        return self.make_schedules(rules, jobs, cursor=slot)

    def make_schedules(self, rules: list[Rule], jobs: Jobs, *, cursor: datetime) -> list[Expectation]:
        """A schedule for each rule, whose first slot nobody planned yet is the cursor."""
        made = [Expectation(new_id(), [rule]) for rule in rules]
        rows = [
            self._columns(expectation, job_id, cursor)
            for expectation, job_id in zip(made, cycle(jobs.all), strict=False)
        ]
        # On one file, four schedulers at once may keep a fifth writer waiting for longer than it waits by itself.
        patiently(lambda: self._insert(rows), seconds=PATIENCE_SECONDS)
        self.expectations += made
        return made

    def _insert(self, rows: list[dict[str, object]]) -> None:
        with self.database.transaction() as session:
            session.execute(insert(Schedule), rows)

    def _columns(self, expectation: Expectation, job_id: UUID, cursor: datetime) -> dict[str, object]:
        (rule,) = expectation.rules
        return {
            "id": expectation.schedule_id,
            "organization_id": self.actor.organization_id,
            "job_id": job_id,
            "name": f"Schedule {next(self._numbers)}",
            "cron": rule.cron,
            "timezone": rule.timezone,
            "spread_key": "k",
            "clock_change": "once",
            "overlap": "allow",
            "missed": "latest",
            "missed_max_age_seconds": 86_400,
            "enabled": True,
            "next_run_at": cursor,
            "version": 1,
            "created_at": cursor,
            "updated_at": cursor,
        }

    @property
    def journal(self) -> Journal:
        return read_journal(self.folder)

    @property
    def finished(self) -> int:
        """How many runs have ended, one way or another. While the database is away nobody knows of any."""
        return self._count(
            select(func.count()).select_from(Run).where(Run.state.in_([state.value for state in TERMINAL]))
        )

    @property
    def planned(self) -> int:
        """How many runs there are."""
        return self._count(select(func.count()).select_from(Run))

    def _count(self, query: Select[int]) -> int:
        try:
            with self.database.reading() as session:
                return session.scalar(query) or 0
        except OperationalError:
            return 0

    def is_planned(self, until: datetime) -> bool:
        """Whether every slot up to then is planned."""
        return self._is_empty(select(Schedule.id).where(*is_planned(), Schedule.next_run_at <= until))

    def is_quiet(self, until: datetime) -> bool:
        """Whether every slot up to then is planned, and every run of those has ended."""
        ended = [state.value for state in TERMINAL]
        return self.is_planned(until) and self._is_empty(
            select(Run.id).where(Run.state.not_in(ended), Run.due_at <= until)
        )

    def _is_empty(self, query: Select[UUID]) -> bool:
        try:
            with self.database.reading() as session:
                return session.scalar(query.limit(1)) is None
        except OperationalError:
            return False

    def tend_until(self, holds: Callable[[], bool], *, seconds: float) -> bool:
        """Look after the crew until something holds. False when it did not in all that time."""
        give_up = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > give_up:
                return False
            self.crew.tend()
            time.sleep(LOOK_SECONDS)
        return True

    def judge(self, *, seconds: float, until: datetime | None = None) -> Verdict:
        """Let everything come to its end, stop everybody, and look at what has become of it all, by now if not told."""
        until = until or self.now()
        self.tend_until(lambda: self.is_quiet(until), seconds=seconds)
        self.crew.close()
        with self.database.reading() as session:
            return judge(
                session,
                journal=self.journal,
                expectations=self.expectations,
                repeatable=self.repeatable,
                until=until,
            )

    def close(self) -> None:
        self.crew.close()
        self.database.dispose()
