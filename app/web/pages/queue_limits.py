"""The limits of queues and organizations, for platform admins. What is done with the forms is in actions/limits.py."""

from flask import Response

from app.core.scopes import PLATFORM
from app.edge.runtime import request_session, working_as
from app.runs.organization_limits import list_organization_limits
from app.runs.queue_limits import get_limits
from app.web.blueprint import web
from app.web.forms.limits import LimitsForm, NewQueueForm, OrganizationLimitForm
from app.web.permissions import route
from app.web.responses import invalid


@route(web, "/queue/new", platform_admin=True)
def new_queue() -> Response:
    """The form of a queue to be."""
    return new_queue_page()


@route(web, "/queue/<name>/limits", platform_admin=True)
def queue_limits(name: str) -> Response:
    """The limits of a queue."""
    return limits_page(name)


@route(web, "/queue/organizations", platform_admin=True)
def organization_limits() -> Response:
    """The organizations that have a limit, and the form for another one."""
    return organizations_page()


def new_queue_page(*, status: int = 200, form: NewQueueForm | None = None) -> Response:
    """The form; after a refusal with its messages."""
    return invalid("queue/limits.html", status=status, queue=None, form=form or NewQueueForm(None))


def limits_page(name: str, *, status: int = 200, form: LimitsForm | None = None) -> Response:
    """The same of a queue that there is. Raises QueueUnknown."""
    with working_as(PLATFORM):
        row = get_limits(request_session(), name=name)
    return invalid("queue/limits.html", status=status, queue=row, form=form or LimitsForm.showing(row))


def organizations_page(*, status: int = 200, form: OrganizationLimitForm | None = None) -> Response:
    """Organizations with a limit; after a refusal with the messages of the form that was sent."""
    with working_as(PLATFORM):
        rows = list_organization_limits(request_session(), limited_alone=True)
    return invalid("queue/organizations.html", status=status, rows=rows, form=form or OrganizationLimitForm(None))
