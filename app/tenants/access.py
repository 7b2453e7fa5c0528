"""Who may do what: actors, permissions and the smallest role that has each. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.core.errors import Forbidden
from app.tenants.roles import Role


class Permission(StrEnum):
    """Something that a role allows."""

    VIEW = "view"  # see jobs, schedules, runs and the queue
    RUN = "run"  # start a run by hand, and cancel one
    EDIT_SCHEDULES = "edit_schedules"  # make, change, switch and delete schedules
    EDIT_JOBS = "edit_jobs"  # make, change and delete jobs
    MANAGE_CONNECTIONS = "manage_connections"  # connect accounts, replace their logins, and disconnect them
    MANAGE_NOTIFICATIONS = "manage_notifications"  # make, change, test and delete channels, and say what is told
    MANAGE_QUEUE = "manage_queue"  # retry, give up and remove runs
    VIEW_AUDIT = "view_audit"  # see who did what, and take it out as a file
    MANAGE_TEAM = "manage_team"  # invite, remove and change members
    MANAGE_ORGANIZATION = "manage_organization"  # name it, and say in which time zone it lives


SMALLEST_ROLE = {
    Permission.VIEW: Role.VIEWER,
    Permission.RUN: Role.OPERATOR,
    Permission.EDIT_SCHEDULES: Role.OPERATOR,
    Permission.EDIT_JOBS: Role.ADMIN,
    Permission.MANAGE_CONNECTIONS: Role.ADMIN,
    Permission.MANAGE_NOTIFICATIONS: Role.ADMIN,
    Permission.MANAGE_QUEUE: Role.ADMIN,
    Permission.VIEW_AUDIT: Role.ADMIN,
    Permission.MANAGE_TEAM: Role.ADMIN,
    Permission.MANAGE_ORGANIZATION: Role.OWNER,
}

_ORDER = list(Role)


class PermissionMissing(Forbidden):
    """The actor's role does not allow this."""


@dataclass(frozen=True)
class Actor:
    """Who acts, in which organization, with which role. `label` is what the audit shows.

    Whoever came with an API token may do no more than its `scopes`; None stands for all that the role allows.
    """

    organization_id: UUID
    role: Role
    label: str
    user_id: UUID | None = None
    is_platform_admin: bool = False
    scopes: frozenset[Permission] | None = None


def may(actor: Actor, permission: Permission) -> bool:
    """Whether the actor's role allows it, and the token, if there is one."""
    return is_in_scope(actor, permission) and _ORDER.index(actor.role) >= _ORDER.index(SMALLEST_ROLE[permission])


def is_in_scope(actor: Actor, permission: Permission) -> bool:
    """Whether the actor's token allows it. Without a token nothing is narrowed."""
    return actor.scopes is None or permission in actor.scopes


def require(actor: Actor, permission: Permission) -> None:
    """Raises PermissionMissing, naming the scope or the role that is needed."""
    needed = SMALLEST_ROLE[permission].value
    if _ORDER.index(actor.role) >= _ORDER.index(SMALLEST_ROLE[permission]) and not is_in_scope(actor, permission):
        raise PermissionMissing(f"This token lacks the scope {permission.value}. Make one that has it.")
    if not may(actor, permission):
        raise PermissionMissing(
            f"Your role here is {actor.role.value}; this needs {needed} or higher. Ask an owner of the organization."
        )
