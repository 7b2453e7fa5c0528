"""Why nobody executed a range of slots, in words. Pure."""

from app.schedules.policies import GapReason

GAP_REASONS = {
    GapReason.SCHEDULER_DOWN: "no scheduler was running",
    GapReason.PAUSED: "the schedule was switched off",
    GapReason.SCHEDULING_STOPPED: "all scheduling was stopped",
    GapReason.CLOCK_STEP: "the database's clock was set",
    GapReason.UNREADABLE: "the schedule could not be read",
}
