"""What platform admins do to queues and the limits of organizations."""

from flask import Response

from app.core.db import on_commit
from app.core.errors import Conflict, Invalid, NotFound
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.runs import queue_limits
from app.runs.organization_limits import limit_organization
from app.tenants.organizations import find_organization
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.limits import LimitsForm, NewQueueForm, OrganizationLimitForm
from app.web.pages.queue_limits import limits_page, new_queue_page, organizations_page
from app.web.permissions import route
from app.web.responses import see_other, toast


@route(web, "/queue/new", platform_admin=True, methods=["POST"])
def make_queue() -> Response:
    """Make a queue."""
    form, session = NewQueueForm(), request_session()
    if not form.validate():
        return new_queue_page(status=422, form=form)
    name = text_of(form.name)
    try:
        queue_limits.create_queue(session, actor=current_actor(), name=name, limits=form.limits, now=request_now())
    except (Invalid, Conflict) as error:
        form.show_error(error)
        return new_queue_page(status=status_of(error), form=form)
    return toast(see_other("web.queue"), f"Made the queue {name}. Jobs may name it now.")


@route(web, "/queue/<name>/limits", platform_admin=True, methods=["POST"])
def limit_a_queue(name: str) -> Response:
    """Give a queue other limits, and let start at once what they allow."""
    form, session = LimitsForm(), request_session()
    if not form.validate():
        return limits_page(name, status=422, form=form)
    version: int | None = form.version.data
    try:
        queue_limits.change_queue(
            session, actor=current_actor(), name=name, limits=form.limits, version=version, now=request_now()
        )
    except (Invalid, Conflict) as error:
        form.show_error(error)
        return limits_page(name, status=status_of(error), form=form)
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.queue"), f"The queue {name} has {form.limits.words} now.")


@route(web, "/queue/<name>/delete", platform_admin=True, methods=["POST"])
def delete_a_queue(name: str) -> Response:
    """Delete a queue that nothing uses."""
    queue_limits.delete_queue(request_session(), actor=current_actor(), name=name, now=request_now())
    return toast(see_other("web.queue"), f"Deleted the queue {name}.")


@route(web, "/queue/organizations", platform_admin=True, methods=["POST"])
def limit_an_organization() -> Response:
    """Let so many runs of an organization go on at once."""
    form, session = OrganizationLimitForm(), request_session()
    if not form.validate():
        return organizations_page(status=422, form=form)
    try:
        found = find_organization(session, name=text_of(form.organization).strip())
        row = limit_organization(
            session,
            actor=current_actor(),
            organization_id=found.id,
            concurrency=form.concurrency.data,
            now=request_now(),
        )
    except (Invalid, Conflict, NotFound) as error:
        form.show_error(error)
        return organizations_page(status=status_of(error), form=form)
    on_commit(session, runtime().dispatch)
    words = "no limit" if row.concurrency is None else f"{row.concurrency} runs at once"
    return toast(see_other("web.organization_limits"), f"{row.name} has {words} now.")
