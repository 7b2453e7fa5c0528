"""Starting a run by hand: which press of a button it is, and what is said of it when it was made."""

from datetime import datetime
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.runs.manual_runs import Press, press_of
from app.runs.queries import RunRow, get_run
from app.runs.states import RunState
from app.web.formatting import state_label

_LONGEST_KEY = 64
_NOT_BEGUN = (RunState.READY, RunState.WAITING)


def this_press(session: Session | None = None, organization_id: UUID | None = None) -> Press:
    """Which press of a button the request is, in its organization unless another is said: two clicks are one run.

    Without a key every click is its own.
    """
    key = request.form.get("request_key", "")[:_LONGEST_KEY]
    if not key:
        return Press(new_id().hex)
    here = organization_id or current_actor().organization_id
    return press_of(session or request_session(), organization_id=here, request_key=key, now=request_now())


def must_ask(press: Press, since: datetime | None) -> bool:
    """Whether to ask before a run is started beside one that goes on `since` then."""
    return since is not None and not press.is_again and request.form.get("sure") != "yes"


def started_words(
    run_id: UUID, name: str, *, session: Session | None = None, organization_id: UUID | None = None
) -> str:
    """A sentence for the notice that follows the click: it waits for a worker, or was skipped and why."""
    here = organization_id or current_actor().organization_id
    return _words(get_run(session or request_session(), organization_id=here, run_id=run_id), name)


def _words(run: RunRow, name: str) -> str:
    if run.state is RunState.SKIPPED:
        return f"{name} was skipped. {run.error or ''}".strip()
    if run.state in _NOT_BEGUN:
        return f"{name} queued."
    # The second click of two, whose run has come this far meanwhile.
    return f"{name} was started a moment ago. Its run: {state_label(run.state).lower()}."
