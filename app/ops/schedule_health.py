"""How a schedule fares, in one word: what a person would have to look after first."""

from enum import StrEnum

from app.runs.states import RunState

# Ends that say something about a schedule: one that was skipped or cancelled says nothing.
OVER = (RunState.SUCCEEDED, RunState.FAILED, RunState.MISSED)


class ScheduleHealth(StrEnum):
    """The worse ones come first."""

    UNREADABLE = "unreadable"  # its line or zone cannot be read any more, so it does not run
    CONNECTION_REFUSED = "connection refused"  # switched off when the service refused the login that it reads with
    NEEDS_CONNECTION = "needs connection"  # there is nothing to sync from yet, so its slots are skipped
    FAILING = "failing"  # the last of its runs that came to an end failed or was missed
    LATE = "late"  # something of it is due for more than a minute and has not started
    NEVER_RUN = "never run"  # it is on, and none of its runs has come to an end yet
    OK = "ok"  # its last run went well
    DISABLED = "disabled"  # switched off

    @property
    def needs_attention(self) -> bool:
        """Whether somebody ought to look."""
        return self in _WANTS_SOMEBODY


_WANTS_SOMEBODY = {
    ScheduleHealth.UNREADABLE, ScheduleHealth.CONNECTION_REFUSED, ScheduleHealth.FAILING, ScheduleHealth.LATE,
}  # fmt: skip


class ScheduleStatus(StrEnum):
    """What a list of schedules can be narrowed to: those that are on, or one health."""

    ENABLED = "enabled"  # switched on, however it fares
    UNREADABLE = ScheduleHealth.UNREADABLE.value
    CONNECTION_REFUSED = ScheduleHealth.CONNECTION_REFUSED.value
    NEEDS_CONNECTION = ScheduleHealth.NEEDS_CONNECTION.value
    FAILING = ScheduleHealth.FAILING.value
    LATE = ScheduleHealth.LATE.value
    NEVER_RUN = ScheduleHealth.NEVER_RUN.value
    OK = ScheduleHealth.OK.value
    DISABLED = ScheduleHealth.DISABLED.value

    def takes(self, *, enabled: bool, health: ScheduleHealth) -> bool:
        """Whether a schedule is one of those."""
        return enabled if self is ScheduleStatus.ENABLED else self.value == health.value


def health_of(
    *,
    has_problem: bool,
    needs_connection: bool,
    enabled: bool,
    last_over: RunState | None,
    is_late: bool,
    is_refused: bool = False,
) -> ScheduleHealth:
    """The health of a schedule, by how its last run ended and whether something of it waits for too long."""
    if has_problem:
        return ScheduleHealth.UNREADABLE
    if is_refused or needs_connection:
        return ScheduleHealth.CONNECTION_REFUSED if is_refused else ScheduleHealth.NEEDS_CONNECTION
    if not enabled:
        return ScheduleHealth.DISABLED
    if last_over is RunState.FAILED or last_over is RunState.MISSED:
        return ScheduleHealth.FAILING
    if is_late:
        return ScheduleHealth.LATE
    return ScheduleHealth.NEVER_RUN if last_over is None else ScheduleHealth.OK
