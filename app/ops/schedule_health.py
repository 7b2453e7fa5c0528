"""How a schedule fares, in one word: what a person would have to look after first."""

from enum import StrEnum

from app.jobs.kinds.sync.connection import needs_connection
from app.runs.queries import RunRow
from app.runs.states import RunState
from app.schedules.queries import ScheduleRow


class ScheduleHealth(StrEnum):
    """The first of these that is true."""

    UNREADABLE = "unreadable"  # its line or zone cannot be read any more, so it does not run
    NEEDS_CONNECTION = "needs connection"  # there is nothing to sync from yet, so its slots are skipped
    DISABLED = "disabled"  # switched off
    FAILING = "failing"  # its last run failed or was missed
    OK = "ok"  # its last run went well, or nothing has gone wrong so far


def health_of(schedule: ScheduleRow, last: RunRow | None) -> ScheduleHealth:
    """The health of a schedule whose last run, not counting skipped ones, is given."""
    if schedule.problem is not None:
        return ScheduleHealth.UNREADABLE
    if needs_connection(schedule.job_kind):
        return ScheduleHealth.NEEDS_CONNECTION
    if not schedule.enabled:
        return ScheduleHealth.DISABLED
    has_failed = last is not None and last.state in {RunState.FAILED, RunState.MISSED}
    return ScheduleHealth.FAILING if has_failed else ScheduleHealth.OK
