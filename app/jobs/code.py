"""What modules with jobs import: everything that defining jobs and schedules in code takes, and nothing else."""

from app.core.http import OutboundRequest
from app.jobs.kinds.base import Level
from app.jobs.kinds.code.catalog import job
from app.jobs.kinds.code.context import FunctionContext as Context
from app.jobs.kinds.code.context import JobFailed, RetryLater
from app.jobs.kinds.code.declared import ALL_JOBS, group, schedule

__all__ = ["ALL_JOBS", "Context", "JobFailed", "Level", "OutboundRequest", "RetryLater", "group", "job", "schedule"]
