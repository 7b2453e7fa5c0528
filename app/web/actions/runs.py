"""What the buttons on runs do: run again, retry, cancel, give up, remove. The queue page gets its part back."""

from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import DefinitionInvalid
from app.runs import repeats, service, steering
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.queue_answer import queue_again
from app.web.pages.run_again import again_form, again_page, repeatable_run
from app.web.permissions import route
from app.web.responses import see_other, toast
from app.web.started import started_words, this_press


@route(web, "/runs/<uuid:run_id>/retry", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def retry_run(run_id: UUID) -> Response:
    """Give a failed run another go, and show the new run."""
    session = request_session()
    retry_id = service.retry_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    on_commit(session, runtime().dispatch)
    view = {"label": "View", "url": url_for("web.run", run_id=retry_id)}
    if request.form.get("from") == "overview":
        return toast(see_other("web.overview"), "The run is queued again.", action=view)
    if not _is_from_queue():
        return toast(see_other("web.run", run_id=retry_id), "The run is queued again.")
    return toast(queue_again(request.form["here"]), "The run is queued again.", action=view)


@route(web, "/runs/<uuid:run_id>/again", permission=Permission.RUN, methods=["POST"])
def run_again(run_id: UUID) -> Response:
    """Run what has ended once more, with the same parameters or those of the form, and show the new run."""
    run, session = repeatable_run(run_id), request_session()
    form = again_form(run) if "parameters" in request.form else None
    try:
        new_id = repeats.run_again(
            session, actor=current_actor(), kinds=runtime().kinds, run_id=run_id, request_key=this_press().key,
            parameters=None if form is None else form.given(), now=request_now(),
        )  # fmt: skip
    except DefinitionInvalid as refused:
        # What an old run was told may no longer fit: then it is asked for anew.
        form = form or again_form(run)
        form.show_problems(refused)
        return again_page(run, form, status=status_of(refused))
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.run", run_id=new_id), started_words(new_id, run.job_name))


@route(web, "/runs/<uuid:run_id>/retry-now", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def retry_run_now(run_id: UUID) -> Response:
    """Let a run that waits for its next try start at once."""
    session = request_session()
    steering.retry_run_now(session, actor=current_actor(), run_id=run_id, now=request_now())
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.run", run_id=run_id), "The next try starts now.")


@route(web, "/runs/<uuid:run_id>/give-up", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def give_run_up(run_id: UUID) -> Response:
    """Let a run that waits for its next try end as failed."""
    session = request_session()
    steering.give_run_up(session, actor=current_actor(), run_id=run_id, now=request_now())
    # What its job starts then is ready, and a run may have waited for just this one.
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.run", run_id=run_id), "Given up. It is not tried again.")


@route(web, "/runs/<uuid:run_id>/cancel", permission=Permission.RUN, methods=["POST"])
def cancel_run(run_id: UUID) -> Response:
    """Cancel a run: one that waits at once, one that goes on as soon as its worker has stopped it."""
    session = request_session()
    is_over = steering.cancel_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    # A run may have waited for just this one.
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.run", run_id=run_id), "Cancelled." if is_over else "The run is being stopped.")


@route(web, "/runs/<uuid:run_id>/removal", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def remove_run(run_id: UUID) -> Response:
    """Take a run off the queue. It stays in the history."""
    session = request_session()
    service.remove_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    # A run may have waited for just this one.
    on_commit(session, runtime().dispatch)
    if not _is_from_queue():
        return toast(see_other("web.run", run_id=run_id), "Removed from the queue.")
    view = {"label": "View", "url": url_for("web.run", run_id=run_id)}
    return toast(queue_again(request.form["here"]), "Removed from the queue.", action=view)


def _is_from_queue() -> bool:
    return "here" in request.form
