"""What lists say of runs beside their rows: who asked for them, and how long such runs usually take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.questions import ask_together, is_postgres
from app.runs.durations import typical_lengths
from app.runs.queries import RunRow
from app.runs.states import RunState
from app.tenants.queries import member_names

# What differs by less is as usual, and nobody cares about a second.
_LEAST_RATIO, _MOST_RATIO = 0.8, 1.25
_LEAST_DIFFERENCE = timedelta(seconds=1)


@dataclass(frozen=True)
class RunNotes:
    """Of some runs of one organization: names by user, and lengths by job. Neither has everybody."""

    names: dict[UUID, str]
    usual: dict[UUID, timedelta]

    def asked_by(self, run: RunRow) -> str | None:
        """The name of who asked for it; None where nobody did who is still here."""
        return None if run.requested_by is None else self.names.get(run.requested_by)

    def usual_of(self, run: RunRow) -> timedelta | None:
        """How long such a run usually takes; None where too few have ended well."""
        return self.usual.get(run.job_id)


NO_NOTES = RunNotes({}, {})


def read_notes(session: Session, rows: Sequence[RunRow], *, organization_id: UUID) -> RunNotes:
    """One statement at most, however many runs."""
    asked = [row.requested_by for row in rows if row.requested_by is not None]
    started = {row.job_id for row in rows if row.started_at is not None}
    here = {"organization_id": organization_id}
    names, usual = ask_together(
        session,
        member_names(**here, user_ids=asked) if asked else None,
        typical_lengths(**here, job_ids=started, asks_postgres=is_postgres(session)) if started else None,
    )
    return RunNotes(names or {}, usual or {})


def length_of(run: RunRow, *, now: datetime) -> timedelta | None:
    """How long it took, or has taken up to now; None for one that is not on its way."""
    if run.state is RunState.RUNNING and run.started_at is not None:
        return now - run.started_at
    return run.duration


def against_usual(took: timedelta | None, usual: timedelta | None) -> str:
    """“2.1×”; empty where it took about as long as usual, or nothing is known."""
    if took is None or not usual or abs(took - usual) < _LEAST_DIFFERENCE:
        return ""
    ratio = took / usual
    if _LEAST_RATIO < ratio < _MOST_RATIO:
        return ""
    return f"{ratio:.1f}×" if ratio < 10 else f"{ratio:,.0f}×"
