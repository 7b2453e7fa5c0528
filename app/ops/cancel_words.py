"""What cancelling one run does, as page, API and terminal say it."""

from sqlalchemy.orm import Session

from app.jobs.kinds.base import JobKinds, KindName, StopWay
from app.jobs.stop_words import cancel_sentence
from app.runs.attempt_queries import newest_progress
from app.runs.queries import RunRow, definition_of_run
from app.runs.states import RunState


def cancel_words(session: Session, *, kinds: JobKinds, run: RunRow) -> str:
    """What cancelling it does, or has just begun to do; nothing for a run that is over."""
    if run.is_over:
        return ""
    does = cancel_sentence(_stop_way(session, kinds, run), waits=run.waits)
    return f"{does} {_done_words(session, run)}" if run.state is RunState.RUNNING else does


def _done_words(session: Session, run: RunRow) -> str:
    """What is there already, as far as the run said so."""
    said = newest_progress(session, organization_id=run.organization_id, run_id=run.id)
    if said is None:
        return "What it has written so far stays."
    return f"It has done {said} so far, and that stays."


def _stop_way(session: Session, kinds: JobKinds, run: RunRow) -> StopWay:
    # Only functions differ among themselves.
    if run.kind != KindName.CODE.value:
        return StopWay.NEXT_CALL
    kind = kinds.get(KindName.CODE)
    return StopWay.FORCE if kind is None else kind.stop_way(definition_of_run(session, run=run))
