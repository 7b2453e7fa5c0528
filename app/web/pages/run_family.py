"""The runs around one, as its page shows them: what it waits for, what its end started, and where it is from."""

from dataclasses import dataclass

from app.edge.runtime import request_session
from app.runs.queries import RunRow
from app.runs.relatives import counts_in_words, relatives_of
from app.runs.states import RunState, Trigger
from app.web.pages.run_rows import RunLine, run_lines


@dataclass(frozen=True)
class Origin:
    """A sentence on why a run exists; the part behind it is a link while that other run is still there."""

    text: str
    job_name: str = ""
    run: RunRow | None = None


@dataclass(frozen=True)
class RunFamily:
    """`counts` say in words how the children stand."""

    origin: Origin | None
    counts: str
    children: list[RunLine]
    followers: list[RunLine]


def run_family(run: RunRow) -> RunFamily:
    """What there is around a run of this organization."""
    around = relatives_of(request_session(), run)
    return RunFamily(
        origin=_origin(run, around.parent, around.cause),
        counts=counts_in_words(around.children),
        children=run_lines(around.children),
        followers=run_lines(around.followers),
    )


def _origin(run: RunRow, parent: RunRow | None, cause: RunRow | None) -> Origin | None:
    if run.trigger is Trigger.GROUP:
        return _of(parent, "Started with others by a run that waits for them all:")
    if run.trigger is not Trigger.CHAIN:
        return None
    if cause is None:
        return _of(cause, "Started because a run of another job ended:")
    word = "succeeded" if cause.state is RunState.SUCCEEDED else "failed"
    return _of(cause, f"Started because this run {word}:")


def _of(other: RunRow | None, text: str) -> Origin:
    if other is None:
        return Origin(f"{text} that run was cleaned up since.")
    return Origin(text, other.job_name, other)
