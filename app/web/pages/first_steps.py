"""The checklist of a new organization, told by what is there and never by what was clicked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import url_for

from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session
from app.runs.filters import RunFilter
from app.runs.queries import RunRow
from app.runs.run_lists import list_runs
from app.runs.states import RunState
from app.tenants.first_steps import Company, read_company
from app.web.daemon import SchedulerHealth, health_of, news
from app.web.pages.rights import refusals


@dataclass(frozen=True)
class FirstStep:
    """One step. The button is there until it is done; `refusal` says why this person may not press it."""

    title: str
    text: str
    is_done: bool
    label: str
    href: str
    refusal: str = ""
    is_next: bool = False


def first_steps(
    *, has_jobs: bool, has_schedules: bool, has_green: bool, last_runs: Sequence[RunRow]
) -> list[FirstStep]:
    """The steps in order; none once all are done, or where this person put them away."""
    is_green = has_green or _has_green_run(last_runs)
    person = current_person()
    company = read_company(request_session(), organization_id=current_actor().organization_id, user_id=person.user_id)
    if company.is_hidden:
        return []
    steps = _steps(has_jobs, has_schedules, is_green, company)
    following = next((step for step in steps if not step.is_done), None)
    # The scheduler alone is no beginner's concern: every page tells when it is silent.
    if following is None or (following is steps[0] and all(step.is_done for step in steps[1:])):
        return []
    return [replace(step, is_next=step is following) for step in steps]


def _steps(has_jobs: bool, has_schedules: bool, is_green: bool, company: Company) -> list[FirstStep]:
    health = health_of(news().beat_at, now=request_now())
    may_not = refusals()
    needs_job = "" if has_jobs else "Make a job first."
    steps = [
        FirstStep(
            "A scheduler is alive",
            "It starts what is due. Start it with: belfry up",
            health is SchedulerHealth.OK,
            "Check again",
            url_for("web.overview"),
        ),
        FirstStep(
            "Make a job",
            "What is to be done: calls to an API, or a Python function.",
            has_jobs,
            "Make a job",
            url_for("web.new_job"),
            may_not.edit_jobs,
        ),
        FirstStep(
            "See the first green run",
            "Run it by hand, or wait until it is due.",
            is_green,
            "Go to jobs",
            url_for("web.jobs"),
            needs_job or may_not.run,
        ),
        FirstStep(
            "Put it on a schedule",
            "When it is to be done, in your time zone.",
            has_schedules,
            "Make a schedule",
            url_for("web.new_schedule"),
            needs_job or may_not.edit_schedules,
        ),
    ]
    return steps if company.is_personal else [*steps, _invitation(company, may_not.manage_team)]


def _invitation(company: Company, refusal: str) -> FirstStep:
    return FirstStep(
        "Invite a colleague",
        "Somebody else who sees what failed while you are away.",
        company.has_colleagues,
        "Go to the team",
        url_for("web.team"),
        refusal,
    )


def _has_green_run(last_runs: Sequence[RunRow]) -> bool:
    if any(run.state is RunState.SUCCEEDED for run in last_runs):
        return True
    wanted = RunFilter(state=RunState.SUCCEEDED)
    organization_id = current_actor().organization_id
    return bool(list_runs(request_session(), organization_id=organization_id, run_filter=wanted, limit=1).rows)
