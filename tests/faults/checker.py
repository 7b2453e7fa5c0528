"""The one judge of all faults: compares the ledger with the slots there had to be and with what the jobs wrote down."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.runs.models import Attempt, Run
from app.runs.states import TERMINAL, AttemptState, RunState
from app.schedules.models import Gap
from tests.faults.expectations import Expectation, Slots
from tests.faults.journal import Journal

# A job that loses its worker so often is stopped, and says so.
MOST_LOSSES = 3
ENDED = {state.value for state in TERMINAL}


@dataclass
class Verdict:
    """What was found. The first six have to be nothing; the findings say which they were."""

    lost: int = 0
    concurrent: int = 0
    overdue: int = 0
    duplicates: int = 0
    invented: int = 0
    unearned: int = 0
    slots: int = 0
    runs: int = 0
    executions: int = 0
    lost_attempts: int = 0
    given_up: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, int]:
        """What should not have been."""
        names = ("lost", "concurrent", "overdue", "duplicates", "invented", "unearned")
        return {name: count for name in names if (count := getattr(self, name))}

    def count(self, what: str, culprits: Iterable[object]) -> None:
        """Add to one of the numbers, and remember the first few by name."""
        found = list(culprits)
        setattr(self, what, getattr(self, what) + len(found))
        self.findings += [f"{what}: {culprit}" for culprit in found[:5]]


def judge(
    session: Session, *, journal: Journal, expectations: Sequence[Expectation], repeatable: set[UUID], until: datetime
) -> Verdict:
    """Look at every slot up to `until` and at every run there is. `repeatable` are the jobs that may run again."""
    verdict = Verdict(concurrent=journal.overlaps, executions=journal.starts.total())
    runs = list(session.scalars(select(Run)))
    _judge_slots(session, verdict, runs, expectations, until)
    # What has come since then may still be under way.
    late = [run for run in runs if run.due_at <= until and run.state not in ENDED]
    verdict.count("overdue", (f"{run.id} is {run.state}" for run in late))
    _judge_runs(verdict, runs, journal, repeatable, *_attempts(session))
    return verdict


def _attempts(session: Session) -> tuple[Counter[UUID], Counter[UUID]]:
    """How often each run was tried, and how often such a try was lost."""
    tried = session.execute(select(Attempt.run_id, func.count()).group_by(Attempt.run_id))
    is_lost = Attempt.state == AttemptState.LOST.value
    lost = session.execute(select(Attempt.run_id, func.count()).where(is_lost).group_by(Attempt.run_id))
    return Counter(dict(tried.all())), Counter(dict(lost.all()))


def _judge_slots(
    session: Session, verdict: Verdict, runs: Sequence[Run], expectations: Sequence[Expectation], until: datetime
) -> None:
    ran: dict[UUID, list[datetime]] = defaultdict(list)
    for run in runs:
        if run.schedule_id is not None and run.slot_at is not None and run.slot_at <= until:
            ran[run.schedule_id].append(run.slot_at)
    gaps: dict[UUID, list[Gap]] = defaultdict(list)
    for gap in session.scalars(select(Gap)):
        gaps[gap.schedule_id].append(gap)
    for expectation in expectations:
        name, slots = expectation.schedule_id, expectation.slots(until)
        verdict.slots += len(slots.required)
        covered = Counter(ran[name])
        for gap in gaps[name]:
            covered.update(_covered_by(gap, slots, verdict))
        verdict.count("lost", (f"{name} {at}" for at in slots.required - covered.keys()))
        verdict.count("invented", (f"{name} {at}" for at in covered.keys() - slots.allowed))
        verdict.count("invented", (f"{name} {at} while it was off" for at in slots.off & set(ran[name])))
        verdict.count("duplicates", (f"{name} {at}" for at, times in covered.items() if times > 1))


def _covered_by(gap: Gap, slots: Slots, verdict: Verdict) -> set[datetime]:
    """The slots in a gap, whose own count has to be theirs."""
    required, allowed = (
        {at for at in some if gap.first_slot_at <= at <= gap.last_slot_at} for some in (slots.required, slots.allowed)
    )
    if not len(required) <= gap.slots <= len(allowed):
        verdict.count("invented", [f"a gap of {gap.slots} slots where there were {len(allowed)}: {gap.schedule_id}"])
    return allowed


def _judge_runs(
    verdict: Verdict,
    runs: Sequence[Run],
    journal: Journal,
    repeatable: set[UUID],
    tried: Counter[UUID],
    losses: Counter[UUID],
) -> None:
    verdict.runs, verdict.lost_attempts = len(runs), losses.total()
    verdict.count("invented", (f"{name} ran unknown to the ledger" for name in journal.starts.keys() - tried.keys()))
    for run in runs:
        has_succeeded = run.state == RunState.SUCCEEDED.value
        if has_succeeded and not journal.ends[run.id]:
            verdict.count("unearned", [f"{run.id} succeeded without an end"])
        if journal.starts[run.id] > (tried[run.id] if run.job_id in repeatable else 1):
            verdict.count("duplicates", [f"{run.id} was started {journal.starts[run.id]} times"])
        if run.state != RunState.FAILED.value:
            continue
        if not losses[run.id]:
            verdict.count("lost", [f"{run.id} failed without a loss: {run.error}"])
        elif run.job_id in repeatable and losses[run.id] < MOST_LOSSES:
            verdict.count("lost", [f"{run.id} was given up after {losses[run.id]} losses: {run.error}"])
        else:
            verdict.given_up += 1
