"""The checklist of a new organization, told by what is there and never by what was clicked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import url_for

from app.core.questions import ask_together
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session
from app.jobs.queries import own_job
from app.notifications.reach import Reach, reach_of, reach_questions
from app.runs.queries import RunRow, good_run
from app.runs.states import RunState
from app.tenants.first_steps import Company, company
from app.web.daemon import SchedulerHealth, health_of, news
from app.web.pages.rights import refusals

# What is left to do until somebody is told: why, the button, and where it leads.
_TELLING = {
    Reach.NO_CHANNEL: ("By Discord, Telegram, e-mail, or what your team uses.", "Add a channel", "web.choose_channel"),
    Reach.UNUSED: ("No channel is used: each is off or does not work.", "Go to notifications", "web.notifications"),
    Reach.NO_RULE: ("No rule tells a channel of failed runs.", "Add a rule", "web.new_rule"),
    Reach.UNPROVEN: ("Nothing has arrived yet. Send a test to see that it does.", "Send a test", "web.notifications"),
    Reach.WORKS: ("Failed runs are told, and messages arrive.", "Go to notifications", "web.notifications"),
}


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


@dataclass(frozen=True)
class Beginnings:
    """What the list of all schedules and the last runs do not tell by themselves."""

    company: Company
    has_own_job: bool
    has_green: bool
    reach: Reach


def read_beginnings(*, has_schedule: bool, has_green: bool, last_runs: Sequence[RunRow]) -> Beginnings:
    """How far an organization is; what is known to be there already is not asked for. One statement."""
    here = {"organization_id": current_actor().organization_id}
    is_green = has_green or any(run.state is RunState.SUCCEEDED for run in last_runs)
    found, has_job, is_green_by_now, *told = ask_together(
        request_session(),
        company(**here, user_id=current_person().user_id),
        None if has_schedule else own_job(**here),
        None if is_green else good_run(**here),
        *reach_questions(**here),
    )
    return Beginnings(
        found, has_own_job=has_schedule or has_job, has_green=is_green or is_green_by_now, reach=reach_of(*told)
    )


def first_steps(found: Beginnings, *, has_schedules: bool) -> list[FirstStep]:
    """The steps in order; none once all are done, or where this person put them away."""
    if found.company.is_hidden:
        return []
    steps = _steps(found.has_own_job, has_schedules, found.has_green)
    steps.append(_telling(found.reach, refusals().manage_notifications))
    if not found.company.is_personal:
        steps.append(_invitation(found.company, refusals().manage_team))
    following = next((step for step in steps if not step.is_done), None)
    # The scheduler alone is no beginner's concern: every page tells when it is silent.
    if following is None or (following is steps[0] and all(step.is_done for step in steps[1:])):
        return []
    return [replace(step, is_next=step is following) for step in steps]


def _steps(has_jobs: bool, has_schedules: bool, is_green: bool) -> list[FirstStep]:
    health = health_of(news().beat_at, now=request_now())
    may_not = refusals()
    needs_job = "" if has_jobs else "Make a job first."
    return [
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


def _telling(reach: Reach, refusal: str) -> FirstStep:
    text, label, endpoint = _TELLING[reach]
    return FirstStep("Be told when something breaks", text, reach is Reach.WORKS, label, url_for(endpoint), refusal)


def _invitation(company: Company, refusal: str) -> FirstStep:
    return FirstStep(
        "Invite a colleague",
        "Somebody else who sees what failed while you are away.",
        company.has_colleagues,
        "Go to the team",
        url_for("web.team"),
        refusal,
    )
