"""What is said when somebody started a run by hand: it waits for a worker, or was skipped and why."""

from uuid import UUID

from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.runs.queries import get_run
from app.runs.states import RunState


def started_words(run_id: UUID, name: str) -> str:
    """A sentence for the notice that follows the click."""
    run = get_run(request_session(), organization_id=current_actor().organization_id, run_id=run_id)
    return f"{name} was skipped. {run.error or ''}".strip() if run.state is RunState.SKIPPED else f"{name} queued."
