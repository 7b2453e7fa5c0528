"""What somebody should know of the runs they selected before they retry or remove all of them."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.text import first_words
from app.ops.models import BulkItem
from app.runs.models import Run
from app.runs.states import RunState

_MOST_CAUSES = 5
_SHOWN = 120


@dataclass(frozen=True)
class SelectedRuns:
    """How many of them stand how, and what the failed ones failed of: an error of each cause, the commonest first."""

    total: int
    states: dict[RunState, int]
    causes: list[tuple[str, int]]

    @property
    def found(self) -> int:
        return sum(self.states.values())


def read_selected_runs(session: Session, *, organization_id: UUID, bulk_id: UUID, total: int) -> SelectedRuns:
    """Two statements, however many there are."""
    chosen = (
        BulkItem.organization_id == organization_id,
        BulkItem.bulk_action_id == bulk_id,
        Run.organization_id == organization_id,
        Run.id == BulkItem.object_id,
    )
    states = session.execute(select(Run.state, func.count()).where(*chosen).group_by(Run.state))
    failed = select(Run.cause, func.count(), func.max(Run.error)).where(*chosen, Run.state == RunState.FAILED.value)
    causes: Counter[str] = Counter()
    for _cause, runs, error in session.execute(failed.group_by(Run.cause)):
        # An error as it was, with its numbers: what is the same in all of them says nothing to a person.
        causes[first_words(error, longest=_SHOWN) or "no error was told"] += runs
    return SelectedRuns(total, {RunState(state): runs for state, runs in states}, causes.most_common())


def told_before_runs(kind: str, found: SelectedRuns) -> list[str]:
    """What is said before it is done to them, a sentence each."""
    lines = [_failed_words(words, runs) for words, runs in found.causes[:_MOST_CAUSES]]
    rest = sum(runs for _words, runs in found.causes[_MOST_CAUSES:])
    if rest:
        lines.append(f"{rest:,} of other causes.")
    lines += _retrying(found) if kind == "runs.retry" else _removing(found)
    gone = found.total - found.found
    if gone:
        lines.append(f"{gone:,} of them {'is' if gone == 1 else 'are'} not here any more.")
    return lines


def _failed_words(error: str, runs: int) -> str:
    """“3 failed like this: The shop did not answer (17).”"""
    return f"{runs:,} failed{'' if runs == 1 else ' like this'}: {error}"


def _retrying(found: SelectedRuns) -> list[str]:
    others = found.found - found.states.get(RunState.FAILED, 0)
    lines = [f"{others:,} did not fail, and stay{'s' if others == 1 else ''} as they are."] if others else []
    return [*lines, "Each is retried as its job is defined now, with what was chosen for that run alone."]


def _removing(found: SelectedRuns) -> list[str]:
    running = found.states.get(RunState.RUNNING, 0)
    lines = [f"{running:,} of them {'runs' if running == 1 else 'run'}, and cannot be removed."] if running else []
    return [*lines, "This cannot be undone. The runs stay in the history, and among the removed for seven days."]
