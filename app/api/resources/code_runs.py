"""`/admin/code-runs`: runs of what code defines, which belong to the installation and to no organization of people."""

from uuid import UUID

from app.api.models import Paging
from app.api.paging import cut
from app.api.resource import Page, resource
from app.api.run_shapes import RunDetailOut, RunOut, shown_run, shown_runs
from app.edge.identity import acting_for_installation
from app.runs.queries import get_run
from app.runs.relatives import list_children


@resource("GET", "/admin/code-runs/<uuid:run_id>", platform_admin=True, answer=RunDetailOut)
def show_code_run(run_id: UUID) -> RunDetailOut:
    """A run of a job that code defines, with its attempts."""
    with acting_for_installation() as (session, actor):
        return shown_run(session, get_run(session, organization_id=actor.organization_id, run_id=run_id))


@resource(
    "GET", "/admin/code-runs/<uuid:run_id>/children", platform_admin=True, query=Paging, answer=RunOut, is_list=True
)
def list_code_run_children(run_id: UUID, query: Paging) -> Page[RunOut]:
    """The runs that a run of a group started and waits for, by the names of their jobs."""
    with acting_for_installation() as (session, actor):
        get_run(session, organization_id=actor.organization_id, run_id=run_id)
        rows = list_children(session, organization_id=actor.organization_id, run_id=run_id)
        shown = shown_runs(session, rows)
    return cut(shown, query, key=lambda one: (one.job_name, str(one.id)))
