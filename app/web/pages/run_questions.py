"""What is asked before one run is cancelled, taken off the queue or started beside another one. Actions do the rest."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Response, request, url_for

from app.core.ids import new_id
from app.core.lengths import duration
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.queries import get_job
from app.ops.cancel_words import cancel_words
from app.runs.in_hand import going_on_since
from app.runs.queries import RunNotFound, RunRow, get_run
from app.schedules.queries import get_schedule
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import fragment, page, see_other, wants_dialog
from app.web.session import local_address

_LONGEST_ADDRESS = 2_000


@dataclass(frozen=True)
class RunQuestion:
    """What is asked and told. The answer is sent to `url` with `fields`; whoever leaves it goes `back`."""

    title: str
    lines: list[str]
    button: str
    url: str
    back: str
    crumb: tuple[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    kind: str = "danger"


@route(web, "/runs/<uuid:run_id>/cancel", permission=Permission.RUN)
def confirm_run_cancel(run_id: UUID) -> Response:
    """What cancelling a run does, and what of it stays."""
    session, organization_id = request_session(), current_actor().organization_id
    run = get_run(session, organization_id=organization_id, run_id=run_id)
    back = url_for("web.run", run_id=run_id)
    if not run.can_cancel:
        return see_other("web.run", run_id=run_id)
    does = cancel_words(session, kinds=runtime().kinds, run=run)
    url = url_for("web.cancel_run", run_id=run_id)
    return _ask(RunQuestion(f"Cancel {run.job_name}?", [does], "Cancel run", url, back, (run.job_name, back)))


@route(web, "/runs/<uuid:run_id>/removal", permission=Permission.VIEW)
def confirm_run_removal(run_id: UUID) -> Response:
    """What removing a run means. Whoever has seen nothing of it, or can remove nothing, is led to the run."""
    organization_id = current_actor().organization_id
    try:
        run = get_run(request_session(), organization_id=organization_id, run_id=run_id)
    except RunNotFound:
        return see_other("web.run", run_id=run_id)
    if not run.can_remove or refusals().manage_queue:
        return see_other("web.run", run_id=run_id)
    return _ask_about_removal(run, url_for("web.remove_run", run_id=run_id), url_for("web.run", run_id=run_id))


@route(web, "/queue/all/<uuid:run_id>/removal", platform_admin=True)
def confirm_anybodys_removal(run_id: UUID) -> Response:
    """The same of a run of any organization."""
    url = url_for("web.remove_anybodys_run", run_id=run_id)
    back = url_for("web.queue", tab="dead", of="all")
    return _ask(RunQuestion("Remove 1 run?", _REMOVING, "Remove 1 run", url, back, ("Queue", back), _here("of=all")))


@route(web, "/schedules/<uuid:schedule_id>/run", permission=Permission.VIEW)
def confirm_schedule_run(schedule_id: UUID) -> Response:
    """Whether another run is to go on beside the one that does; without one the schedule's page has the button."""
    session, organization_id = request_session(), current_actor().organization_id
    since = going_on_since(session, organization_id=organization_id, schedule_id=schedule_id)
    if since is None or refusals().run:
        return see_other("web.schedule", schedule_id=schedule_id)
    name = get_schedule(session, organization_id=organization_id, schedule_id=schedule_id).name
    back = local_address(request.args.get("next")) or url_for("web.schedule", schedule_id=schedule_id)
    return _ask_beside(name, since, url_for("web.run_schedule", schedule_id=schedule_id), back, "Schedules")


@route(web, "/jobs/<uuid:job_id>/run", permission=Permission.VIEW)
def confirm_job_run(job_id: UUID) -> Response:
    """The same of a job; without a run that goes on the list has the button."""
    session, organization_id = request_session(), current_actor().organization_id
    since = going_on_since(session, organization_id=organization_id, job_id=job_id)
    if since is None or refusals().run:
        return see_other("web.jobs", _anchor=f"j-{job_id}")
    name = get_job(session, organization_id=organization_id, job_id=job_id).name
    return _ask_beside(name, since, url_for("web.run_job", job_id=job_id), url_for("web.jobs"), "Jobs")


def beside_words(since: datetime) -> str:
    """“A run of it has gone on for 3 min. This starts a second one alongside.”"""
    return f"A run of it has gone on for {duration(request_now() - since)}. This starts a second one alongside."


_REMOVING = ["It stays in the history, and among the removed for seven days. This cannot be undone."]


def _ask_about_removal(run: RunRow, url: str, run_href: str) -> Response:
    here = _here("")
    back = f"{url_for('web.queue')}?{urlencode(parse_qsl(here['here']))}" if here else run_href
    first = "It has not started, and will not." if run.waits else "It failed. To give it another go, retry it instead."
    crumb = ("Queue", back) if here else (run.job_name, back)
    title = f"Remove {run.job_name} from the queue?"
    return _ask(RunQuestion(title, [first, *_REMOVING], "Remove 1 run", url, back, crumb, here))


def _ask_beside(name: str, since: datetime, url: str, back: str, place: str) -> Response:
    fields = {"sure": "yes", "request_key": new_id().hex, "next": back}
    crumb = (place, url_for("web.jobs" if place == "Jobs" else "web.schedules"))
    return _ask(RunQuestion(f"Run {name} now?", [beside_words(since)], "Run now", url, back, crumb, fields, "primary"))


def _here(otherwise: str) -> dict[str, str]:
    """The list that the button stood in, for whoever has come from one."""
    here = request.args.get("here", otherwise)[:_LONGEST_ADDRESS]
    return {"here": here} if here else {}


def _ask(question: RunQuestion) -> Response:
    if wants_dialog():
        return fragment("runs/_question_dialog.html", asked=question)
    return page("runs/question.html", asked=question)
