"""Every module that adds operations to the blueprint, imported once: an operation exists when it is listed here."""

from app.api import openapi
from app.api.blueprint import api
from app.api.resources import (
    code_schedules,
    default_schedules,
    invitations,
    jobs,
    me,
    members,
    organizations,
    processes,
    queues,
    runs,
    schedule_times,
    scheduler,
    schedules,
    tokens,
    utils,
    workflows,
)

MODULES = (
    code_schedules,
    default_schedules,
    invitations,
    jobs,
    me,
    members,
    openapi,
    organizations,
    processes,
    queues,
    runs,
    schedule_times,
    scheduler,
    schedules,
    tokens,
    utils,
    workflows,
)

__all__ = ["MODULES", "api"]
