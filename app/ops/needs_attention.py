"""What needs a person, the worst first: told by how each schedule fares now, not by what once failed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.questions import Question
from app.ops.connection_facts import standing_words
from app.ops.schedule_glances import Glance, by_attention
from app.ops.schedule_health import ScheduleHealth
from app.ops.stuck_runs import StuckEvidence
from app.runs.failed_rows import (
    NO_FAILURES,
    FailedRow,
    Failures,
    JobFailures,
    failures_of_jobs,
    failures_of_schedules,
    with_newest,
)
from app.schedules.gap_words import GAP_REASONS
from app.schedules.gaps import GapRow, missed_ranges
from app.schedules.of_connections import paused_by_connection
from app.syncs.connection_rows import BadLogin, bad_logins
from app.syncs.standing import Standing

MOST_TROUBLES = 5
# Of a worker with all hands full that went silent, so many of its runs stand for the others where more is wrong.
_FEWEST_STUCK = 2
# And so many connections that bring nothing in any more.
_FEWEST_BROKEN = 2
# In this order, which is that of the list of schedules.
_BROKEN = (ScheduleHealth.UNREADABLE, ScheduleHealth.FAILING, ScheduleHealth.LATE)


@dataclass(frozen=True)
class BadConnection:
    """A connection that is refused, or whose login has ended or ends soon; `words` say how it stands."""

    login: BadLogin
    words: str

    @property
    def kind(self) -> str:
        return _CONNECTION_KINDS[self.login.standing]

    @property
    def since(self) -> datetime | None:
        """Since when nothing comes in; None while something does."""
        if self.login.standing is Standing.REFUSED:
            return self.login.refused_at
        return self.login.ends_at if self.login.standing is Standing.EXPIRED else None

    @property
    def text(self) -> str:
        return f"{self.words}. Reconnect it{'' if self.login.standing.is_broken else ' before'}."


_CONNECTION_KINDS = {
    Standing.REFUSED: "connection_refused",
    Standing.EXPIRED: "connection_expired",
    Standing.EXPIRES_SOON: "connection_expires",
}


@dataclass(frozen=True)
class Trouble:
    """One thing that needs a person; without anything else, no worker is there.

    `since` is None where nobody knows. `stuck` is a run that holds a slot and looks stuck. Of a `schedule`, which
    cannot run where its glance says so, `failed` are the failed runs, and those of a job without a schedule; `missed`
    are slots of it that nobody executed.
    """

    since: datetime | None = None
    schedule: Glance | None = None
    failed: FailedRow | None = None
    missed: GapRow | None = None
    stuck: StuckEvidence | None = None
    connection: BadConnection | None = None

    @property
    def facts(self) -> "TroubleFacts":
        """The same for programs and terminals."""
        if self.stuck is not None:
            held = self.stuck.held
            return TroubleFacts("stuck", held.job_name, self.stuck.words, held.schedule_id, held.run_id)
        if self.connection is not None:
            bad = self.connection
            return TroubleFacts(bad.kind, bad.login.name, bad.text, connection_id=bad.login.id)
        if self.failed is not None and self.failed.newest is not None:
            run, found = self.failed.newest, self.failed
            named = run.schedule_name or run.job_name
            return TroubleFacts("failed", named, run.error or "", run.schedule_id, run.id, found.runs, found.is_cut)
        if self.schedule is None:
            return TroubleFacts("no_worker", "", "No worker is running, and runs wait. Start one with: belfry up")
        kind, text = self._of_schedule(self.schedule)
        return TroubleFacts(kind, self.schedule.name, text, self.schedule.id)

    def _of_schedule(self, schedule: Glance) -> tuple[str, str]:
        if schedule.problem is not None:
            return "broken", schedule.problem
        if self.missed is not None:
            return "missed", missed_words(self.missed)
        if schedule.health is ScheduleHealth.FAILING:
            return "failed", "Its last run failed."
        return "late", "It is due and has not started."


@dataclass(frozen=True)
class TroubleFacts:
    """What it is: `no_worker`, `connection_refused`, `connection_expired`, `connection_expires`, `stuck`, `broken`,
    `failed`, `missed` or `late`. `is_cut`: more runs failed.
    """

    kind: str
    name: str
    text: str
    schedule_id: UUID | None = None
    run_id: UUID | None = None
    failed_runs: int = 0
    is_cut: bool = False
    connection_id: UUID | None = None


@dataclass(frozen=True)
class Troubles:
    """Some of them, and how many more there are: schedules, jobs with failed runs of no schedule, and so on."""

    shown: tuple[Trouble, ...] = ()
    more_schedules: int = 0
    more_jobs: int = 0
    more_stuck: int = 0
    more_connections: int = 0

    @property
    def more(self) -> int:
        return self.more_schedules + self.more_jobs + self.more_stuck + self.more_connections


@dataclass(frozen=True)
class TroubleQuestions:
    """What is asked of the schedules that might be named, and of jobs, to go with other questions."""

    schedules: Sequence[Glance]
    failing: Question[list[Failures]] | None
    missed: Question[dict[UUID, list[GapRow]]] | None
    jobs: Question[JobFailures]
    logins: Question[list[BadLogin]]
    paused: Question[dict[UUID, int]]


@dataclass(frozen=True)
class TroubleAnswers:
    """What came back, and what is known besides. `is_unmanned`: runs wait and no worker is there."""

    schedules: Sequence[Glance]
    failing: list[Failures] | None
    missed: dict[UUID, list[GapRow]] | None
    jobs: JobFailures | None
    logins: Sequence[BadLogin]
    # How many schedules each connection holds back.
    paused: Mapping[UUID, int]
    stuck: Collection[StuckEvidence]
    is_unmanned: bool


def questions_about(
    glances: Sequence[Glance], *, organization_id: UUID, now: datetime, asks_postgres: bool
) -> TroubleQuestions:
    """All that is to be asked to name what needs somebody."""
    schedules = by_attention(one for one in glances if one.health in _BROKEN)
    failing = [one.id for one in schedules[:MOST_TROUBLES] if one.health is ScheduleHealth.FAILING]
    here: dict[str, Any] = {"organization_id": organization_id}
    these = here | {"schedule_ids": failing}
    return TroubleQuestions(
        schedules,
        failures_of_schedules(**these) if failing else None,
        missed_ranges(**these, asks_postgres=asks_postgres) if failing else None,
        failures_of_jobs(**here, limit=MOST_TROUBLES),
        bad_logins(organization_id, now=now),
        paused_by_connection(organization_id),
    )


def read_troubles(session: Session, found: TroubleAnswers, *, organization_id: UUID, now: datetime) -> Troubles:
    """Nothing works, then connections that bring nothing in, runs that hold a slot for nothing, schedules by how they
    fare, failed runs by hand, and logins that end soon.

    One statement more, or none.
    """
    wanted = MOST_TROUBLES - found.is_unmanned
    connections = [_bad_connection(one, found.paused, now) for one in found.logins]
    all_broken = [one for one in connections if one.login.standing.is_broken]
    others = len(found.stuck) + len(found.schedules)
    broken = all_broken[: max(_FEWEST_BROKEN, wanted - others)][:wanted]
    wanted -= len(broken)
    stuck = list(islice(found.stuck, min(wanted, max(_FEWEST_STUCK, wanted - len(found.schedules)))))
    schedules = found.schedules[: wanted - len(stuck)]
    jobs = found.jobs or NO_FAILURES
    by_hand = jobs.rows[: wanted - len(stuck) - len(schedules)]
    named = {one.id for one in schedules}
    failing = [one for one in found.failing or [] if one.subject_id in named]
    rows = with_newest(session, [*failing, *by_hand], organization_id=organization_id)
    failed = {row.subject_id: row for row in rows[: len(failing)]}
    told = [Trouble()] if found.is_unmanned else []
    told += [Trouble(connection=one, since=one.since) for one in broken]
    told += [Trouble(stuck=one, since=one.held.began_at) for one in stuck]
    told += _of_schedules(schedules, failed, found.missed or {}, now)
    told += [Trouble(failed=row, since=row.since) for row in rows[len(failing) :]]
    ending = connections[len(all_broken) :][: MOST_TROUBLES - len(told)]
    told += [Trouble(connection=one) for one in ending]
    return Troubles(
        tuple(told),
        more_schedules=len(found.schedules) - len(schedules),
        more_jobs=max(jobs.all - len(by_hand), 0),
        more_stuck=len(found.stuck) - len(stuck),
        more_connections=len(connections) - len(broken) - len(ending),
    )


def missed_words(gap: GapRow) -> str:
    """How many slots, and why."""
    slots = "1 slot was" if gap.slots == 1 else f"{gap.slots:,} slots were"
    return f"{slots} missed: {(gap.explanation or GAP_REASONS[gap.reason]).rstrip('.')}."


def _bad_connection(login: BadLogin, paused: Mapping[UUID, int], now: datetime) -> BadConnection:
    count = paused.get(login.id, 0)
    return BadConnection(login, standing_words(login.standing, ends_at=login.ends_at, paused=count, now=now))


def _of_schedules(
    shown: Sequence[Glance], failed: dict[UUID, FailedRow], missed: dict[UUID, list[GapRow]], now: datetime
) -> Iterator[Trouble]:
    for one in shown:
        if one.id in failed and failed[one.id].newest is not None:
            yield Trouble(schedule=one, failed=failed[one.id], since=failed[one.id].since)
        elif one.id in missed:
            yield Trouble(schedule=one, missed=missed[one.id][0], since=missed[one.id][0].first_slot_at)
        else:
            yield Trouble(schedule=one, since=_due_since(one, now))


def _due_since(one: Glance, now: datetime) -> datetime | None:
    return one.next_run_at if one.next_run_at is not None and one.next_run_at < now else None
