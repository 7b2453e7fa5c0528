"""The roles of a member, in order of what they may do. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """What a user may do in one organization; each role may do all that the ones before it may."""

    VIEWER = "viewer"  # sees
    OPERATOR = "operator"  # starts, switches and edits schedules
    ADMIN = "admin"  # defines jobs, retries and removes in the queue, invites and removes members
    OWNER = "owner"  # runs the organization itself


_ORDER = tuple(Role)


def rank(role: Role) -> int:
    """A higher number for whoever may do more."""
    return _ORDER.index(role)


def roles_up_to(role: Role) -> tuple[Role, ...]:
    """The roles that somebody with this role may give, smallest first."""
    return _ORDER[: rank(role) + 1]
