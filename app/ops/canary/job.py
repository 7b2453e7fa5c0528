"""The canary: a job that does nothing but come to its end, and its schedule. It is on from the start."""

from app.jobs.code import job, schedule
from app.notifications.signals import CANARY_SCHEDULE

MODULE = "app.ops.canary.job"


@job(
    "belfry_canary",
    title="Belfry's own canary",
    isolation="thread",
    timeout=20,
    tries=1,
    priority="high",
    idempotent=True,
    platform_only=True,
)
def canary() -> None:
    """Does nothing but come to its end: that it was planned, started and told shows that Belfry works."""


schedule(
    CANARY_SCHEDULE,
    "* * * * *",
    run="belfry_canary",
    missed="skip",
    overlap="skip",
    description="Shows each minute that Belfry works from end to end. Its runs are kept for a day.",
)
