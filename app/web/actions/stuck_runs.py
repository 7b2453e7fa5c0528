"""What the buttons on runs that look stuck do, and those on the queue of all organizations."""

from collections.abc import Callable
from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import Conflict
from app.core.scopes import PLATFORM
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime, working_as
from app.ops.stuck_runs import remove_stuck_run as remove_own
from app.ops.stuck_runs import remove_stuck_runs
from app.runs.queues import Outcome, remove_runs, retry_runs
from app.runs.taking_away import TakenAway
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.queue_answer import queue_again
from app.web.permissions import route
from app.web.responses import see_other, toast

_REMOVED = "Removed. Its slot is free; code that may still run on its worker was not stopped."


class NotDone(Conflict):
    """What was asked for could not be done to the run, and why."""


@route(web, "/queue/runs/<uuid:run_id>/stuck", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def remove_stuck_run(run_id: UUID) -> Response:
    """Take a stuck run from its worker; with `then=retry` another one follows."""
    is_retried = _is_retried()
    taken = remove_own(
        request_session(), actor=current_actor(), run_id=run_id, is_retried=is_retried, now=request_now()
    )
    _dispatch()
    answer = see_other("web.queue", tab="removed")
    if taken.retry_id is None:
        return toast(answer, _REMOVED, action={"label": "View", "url": url_for("web.run", run_id=run_id)})
    return toast(
        answer, _retried_words(taken), action={"label": "View", "url": url_for("web.run", run_id=taken.retry_id)}
    )


@route(web, "/queue/all/<uuid:run_id>/stuck", platform_admin=True, methods=["POST"])
def remove_anybodys_stuck_run(run_id: UUID) -> Response:
    """The same with a run of any organization."""
    with working_as(PLATFORM) as session:
        outcome, taken = remove_stuck_runs(
            session, actor=current_actor(), run_ids=[run_id], is_retried=_is_retried(), now=request_now()
        )
    _refuse_skipped(outcome)
    _dispatch()
    found = taken[run_id]
    words = _REMOVED if found.retry_id is None else _retried_words(found)
    return toast(see_other("web.queue", tab="removed", of="all"), words)


@route(web, "/queue/all/<uuid:run_id>/retry", platform_admin=True, methods=["POST"])
def retry_anybodys_run(run_id: UUID) -> Response:
    """Give a failed run of any organization another go."""
    return _act(retry_runs, run_id, "The run is queued again.")


@route(web, "/queue/all/<uuid:run_id>/removal", platform_admin=True, methods=["POST"])
def remove_anybodys_run(run_id: UUID) -> Response:
    """Take a run of any organization off the queue."""
    return _act(remove_runs, run_id, "Removed from the queue.")


def _act(act: Callable[..., Outcome], run_id: UUID, words: str) -> Response:
    with working_as(PLATFORM) as session:
        outcome = act(session, actor=current_actor(), run_ids=[run_id], now=request_now())
    _refuse_skipped(outcome)
    _dispatch()
    return toast(queue_again(request.form.get("here", "of=all")), words)


def _refuse_skipped(outcome: Outcome) -> None:
    for _run_id, reason in outcome.skipped:
        raise NotDone(reason)


def _is_retried() -> bool:
    return request.form.get("then") == "retry"


def _retried_words(taken: TakenAway) -> str:
    waits = taken.starts_at is not None and taken.starts_at > request_now()
    later = " It starts when the old lease is over, so that it never runs twice at once." if waits else ""
    return f"Removed and queued again.{later}"


def _dispatch() -> None:
    # A slot is free, and a run may have waited for just this one.
    on_commit(request_session(), runtime().dispatch)
