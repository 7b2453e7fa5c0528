"""The roles of a member, in order of what they may do. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """What a user may do in one organization; each role may do all that the ones before it may."""

    VIEWER = "viewer"  # sees
    OPERATOR = "operator"  # starts, switches and edits schedules
    ADMIN = "admin"  # defines jobs, retries and removes in the queue
    OWNER = "owner"  # runs the organization itself
