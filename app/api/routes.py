"""Every module that adds operations to the blueprint, imported once: an operation exists when it is listed here."""

from app.api import openapi
from app.api.blueprint import api
from app.api.resources import (
    chains,
    code_schedules,
    default_schedules,
    invitations,
    jobs,
    me,
    members,
    organization_limits,
    organizations,
    processes,
    queue_limits,
    queues,
    runs,
    schedule_previews,
    schedule_times,
    scheduler,
    schedules,
    tokens,
    utils,
    why,
    workflows,
)

MODULES = (
    chains,
    code_schedules,
    default_schedules,
    invitations,
    jobs,
    me,
    members,
    openapi,
    organization_limits,
    organizations,
    processes,
    queue_limits,
    queues,
    runs,
    schedule_previews,
    schedule_times,
    scheduler,
    schedules,
    tokens,
    utils,
    why,
    workflows,
)

__all__ = ["MODULES", "api"]
