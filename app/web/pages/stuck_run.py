"""The evidence that a run is stuck, with what can be done about it. What the buttons do is in actions/stuck_runs.py."""

from dataclasses import dataclass
from uuid import UUID

from flask import Response, url_for

from app.core.scopes import PLATFORM
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, working_as
from app.ops.stuck_runs import StuckEvidence, read_evidence
from app.runs.queries import RunNotFound, get_run
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import fragment, page, wants_dialog


@dataclass(frozen=True)
class StuckView:
    """One run in a worker's hands: what is known, where the buttons lead, and why this person may not press them."""

    evidence: StuckEvidence
    removal_href: str
    cancel_href: str
    back: str
    refusal: str
    cancel_refusal: str


@route(web, "/queue/runs/<uuid:run_id>/stuck", permission=Permission.VIEW)
def stuck_run(run_id: UUID) -> Response:
    """What speaks for it that a run of this organization is stuck."""
    session, organization_id = request_session(), current_actor().organization_id
    get_run(session, organization_id=organization_id, run_id=run_id)
    found = read_evidence(session, organization_id=organization_id, now=request_now(), run_ids=[run_id]).get(run_id)
    if found is None:
        return _over(url_for("web.run", run_id=run_id))
    refused = refusals()
    view = StuckView(
        found,
        removal_href=url_for("web.remove_stuck_run", run_id=run_id),
        cancel_href=url_for("web.cancel_run", run_id=run_id),
        back=url_for("web.queue", tab="running"),
        refusal=refused.manage_queue,
        cancel_refusal=refused.run,
    )
    return _show(view)


@route(web, "/queue/all/<uuid:run_id>/stuck", platform_admin=True)
def anybodys_stuck_run(run_id: UUID) -> Response:
    """The same of a run of any organization, for platform admins."""
    with working_as(PLATFORM) as session:
        found = read_evidence(session, organization_id=None, now=request_now(), run_ids=[run_id]).get(run_id)
    if found is None:
        raise RunNotFound("This run is not running, so it is not stuck.")
    removal_href, back = (
        url_for("web.remove_anybodys_stuck_run", run_id=run_id),
        url_for("web.queue", tab="running", of="all"),
    )
    return _show(StuckView(found, removal_href, cancel_href="", back=back, refusal="", cancel_refusal=""))


def _show(view: StuckView) -> Response:
    if wants_dialog():
        return fragment("queue/_stuck_dialog.html", view=view)
    return page("queue/stuck.html", view=view)


def _over(run_href: str) -> Response:
    back = url_for("web.queue", tab="running")
    if wants_dialog():
        return fragment("queue/_stuck_over.html", run_href=run_href, back=back, in_dialog=True)
    return page("queue/stuck_over.html", run_href=run_href, back=back)
