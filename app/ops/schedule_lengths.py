"""How long a schedule's runs take: the last fifty, what is usual by them, and the longest of a month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.lengths import duration
from app.runs.outcomes import Outcome
from app.runs.run_lengths import Longest, RunLength, last_lengths
from app.runs.usual import Step, Usual, step_of, usual_of

LENGTHS_SHOWN = 50
LONG_AGO = timedelta(days=30)
GOOD = frozenset({Outcome.SUCCEEDED, Outcome.SUCCEEDED_AFTER_RETRY})


@dataclass(frozen=True)
class ScheduleLengths:
    """The last runs with their lengths, the oldest first. What is usual is told by those that succeeded."""

    runs: tuple[RunLength, ...]
    usual: Usual | None
    step: Step | None
    longest: Longest | None

    @property
    def good(self) -> tuple[RunLength, ...]:
        return tuple(run for run in self.runs if run.outcome in GOOD)

    @property
    def sentence(self) -> str:
        """“Typical 4 min, longest in 30 days 9 min.”; empty before anything succeeded."""
        if self.longest is None:
            return ""
        within = "in 30 days" if self.longest.is_all else f"of the last {self.longest.runs:,} runs"
        longest = f"longest {within} {duration(self.longest.took)}."
        if self.usual is None:
            return longest.capitalize()
        return f"Typical {duration(self.usual.typical)}, {longest}"


def read_lengths(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> ScheduleLengths:
    """How long the runs of a schedule take, in one statement."""
    found = last_lengths(
        session,
        organization_id=organization_id,
        schedule_id=schedule_id,
        limit=LENGTHS_SHOWN,
        longest_since=now - LONG_AGO,
    )
    good = [run.took for run in found.runs if run.outcome in GOOD]
    return ScheduleLengths(runs=found.runs, usual=usual_of(good), step=step_of(good), longest=found.longest)
