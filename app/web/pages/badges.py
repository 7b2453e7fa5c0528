"""The badge of a run: its state, refined by how it came about. Words and colours of states live in the templates."""

from dataclasses import dataclass

from app.runs.queries import RunRow
from app.runs.recent import ListedRun
from app.runs.states import Reason, RunState

_BY_REASON = {Reason.TIMED_OUT: "timed_out", Reason.LOST: "lost", Reason.LOST_TOO_OFTEN: "lost"}


@dataclass(frozen=True)
class Badge:
    """A key that templates know, and a few words more."""

    state: str
    note: str = ""


def badge_of(run: RunRow | ListedRun) -> Badge:
    """How a run stands."""
    if run.state is RunState.SUCCEEDED and run.attempt > 1:
        return Badge("succeeded_after_retry", f"{run.attempt} tries")
    if run.state is RunState.FAILED and run.reason in _BY_REASON:
        return Badge(_BY_REASON[run.reason])
    if run.is_being_cancelled:
        return Badge(run.state.value, "being cancelled")
    return Badge(run.state.value, "longer than expected" if run.is_slow else "")
