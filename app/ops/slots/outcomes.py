"""What can become of a slot, and the words for it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.core.lengths import duration
from app.runs.states import RunState, Trigger
from app.schedules.gap_words import GAP_REASONS
from app.schedules.gaps import GapRow
from app.schedules.policies import LATE_AFTER, GapReason


class SlotOutcome(StrEnum):
    """What became of a slot: exactly one of these."""

    SUCCEEDED = "succeeded"  # its run did
    FAILED = "failed"  # its run did, with every try used up
    CANCELLED = "cancelled"  # somebody or a policy ended its run
    RUNNING = "running"  # its run goes on
    WAITING = "waiting"  # its run is yet to start, or to start again
    SKIPPED = "skipped"  # a policy kept it from running
    MISSED = "missed"  # no scheduler planned it in time
    PAUSED = "paused"  # the schedule was switched off
    STOPPED = "stopped"  # all scheduling was stopped
    DUE = "due"  # no scheduler has come by since
    BEFORE = "before"  # the schedule was made later
    NOT_KEPT = "not_kept"  # so old that its run was deleted, if there was one
    UNACCOUNTED = "unaccounted"  # nobody knows: this must not happen


_OF_RUN = {
    RunState.SUCCEEDED: SlotOutcome.SUCCEEDED,
    RunState.FAILED: SlotOutcome.FAILED,
    RunState.CANCELLED: SlotOutcome.CANCELLED,
    RunState.RUNNING: SlotOutcome.RUNNING,
    RunState.READY: SlotOutcome.WAITING,
    RunState.WAITING: SlotOutcome.WAITING,
    RunState.WAITING_RETRY: SlotOutcome.WAITING,
    RunState.SKIPPED: SlotOutcome.SKIPPED,
    RunState.MISSED: SlotOutcome.MISSED,
}
_OF_GAP = {GapReason.PAUSED: SlotOutcome.PAUSED, GapReason.SCHEDULING_STOPPED: SlotOutcome.STOPPED}
_WORDS = {
    RunState.READY: "it waits to start",
    RunState.WAITING: "it waits for other runs",
    RunState.WAITING_RETRY: "it will be tried again",
}


@dataclass(frozen=True, slots=True)
class SlotRun:
    """The run of a slot, as far as the ledger shows it."""

    id: UUID
    slot_at: datetime
    state: RunState
    trigger: Trigger
    error: str | None
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def lateness(self) -> timedelta | None:
        return None if self.started_at is None else self.started_at - self.slot_at

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot and what became of it, with the reason in words."""

    slot_at: datetime
    outcome: SlotOutcome
    reason: str
    run: SlotRun | None = None


def row_of_run(run: SlotRun) -> SlotRow:
    """A slot that has a run."""
    return SlotRow(run.slot_at, _OF_RUN[run.state], _run_words(run), run)


def outcome_of_gap(gap: GapRow) -> SlotOutcome:
    """What became of the slots of a gap."""
    return _OF_GAP.get(gap.reason, SlotOutcome.MISSED)


def gap_words(gap: GapRow) -> str:
    """Why nobody executed them."""
    return (gap.explanation or GAP_REASONS[gap.reason]).rstrip(".")


def _run_words(run: SlotRun) -> str:
    said = run.error or _WORDS.get(run.state, "")
    if run.lateness is None:
        return said
    caught_up = "caught up, " if run.trigger is Trigger.CATCH_UP else ""
    started = "on time" if run.lateness <= LATE_AFTER else f"{caught_up}{duration(run.lateness)} late"
    tries = f"{run.attempt} tries" if run.attempt > 1 else ""
    return "; ".join(filter(None, (started, tries, said)))
