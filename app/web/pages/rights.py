"""Why a button is off for the person who looks at the page. What an endpoint demands stands beside the endpoint."""

from dataclasses import dataclass

from app.edge.identity import current_actor
from app.tenants.access import SMALLEST_ROLE, Permission, may


@dataclass(frozen=True)
class Refusals:
    """For each thing a page offers, why this person may not do it; empty when they may."""

    run: str
    edit_schedules: str
    edit_jobs: str
    manage_connections: str
    manage_notifications: str
    manage_queue: str
    manage_team: str


def refusals() -> Refusals:
    """What the person of this request may not do, in words."""
    return Refusals(
        run=_refusal(Permission.RUN),
        edit_schedules=_refusal(Permission.EDIT_SCHEDULES),
        edit_jobs=_refusal(Permission.EDIT_JOBS),
        manage_connections=_refusal(Permission.MANAGE_CONNECTIONS),
        manage_notifications=_refusal(Permission.MANAGE_NOTIFICATIONS),
        manage_queue=_refusal(Permission.MANAGE_QUEUE),
        manage_team=_refusal(Permission.MANAGE_TEAM),
    )


def _refusal(permission: Permission) -> str:
    actor = current_actor()
    if may(actor, permission):
        return ""
    return f"Your role here is {actor.role.value}; this needs {SMALLEST_ROLE[permission].value} or higher."
