"""Addresses that only forms are sent to, when somebody opens one: each leads to the page that has the form."""

from uuid import UUID

from flask import Response

from app.edge.identity import current_actor
from app.tenants.access import Permission, may
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import see_other


@route(web, "/account/password", signed_in=True)
def back_from_password() -> Response:
    """The account has its form."""
    return see_other("web.account")


@route(web, "/jobs/<uuid:job_id>", permission=Permission.VIEW)
def back_from_job(job_id: UUID) -> Response:
    """The job's form, for those who may see it; the list for all others."""
    if may(current_actor(), Permission.EDIT_JOBS):
        return see_other("web.edit_job", job_id=job_id)
    return see_other("web.jobs")


@route(web, "/schedules/<uuid:schedule_id>/enabled", permission=Permission.VIEW)
def back_from_switching(schedule_id: UUID) -> Response:
    """The schedule's page has the switch."""
    return see_other("web.schedule", schedule_id=schedule_id)


@route(web, "/runs/<uuid:run_id>/retry", permission=Permission.VIEW)
def back_from_retry(run_id: UUID) -> Response:
    """The run's page has the button."""
    return see_other("web.run", run_id=run_id)


@route(web, "/admin/schedules/<code_id>/enabled", platform_admin=True)
def back_from_switching_code(code_id: str) -> Response:
    """The schedule's page has the switch."""
    return see_other("web.code_schedule", code_id=code_id)


@route(web, "/admin/schedules/<code_id>/revert", platform_admin=True)
def back_from_reverting_code(code_id: str) -> Response:
    """The schedule's page has the button."""
    return see_other("web.code_schedule", code_id=code_id)


@route(web, "/admin/schedules/<code_id>/notes", platform_admin=True)
def back_from_code_notes(code_id: str) -> Response:
    """The schedule's page has the form."""
    return see_other("web.code_schedule", code_id=code_id)
