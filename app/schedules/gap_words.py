"""Why nobody executed a range of slots, in words. Pure."""

from datetime import datetime
from typing import Any

from app.schedules.policies import GapReason

GAP_REASONS = {
    GapReason.SCHEDULER_DOWN: "no scheduler was running",
    GapReason.PAUSED: "the schedule was switched off",
    GapReason.SCHEDULING_STOPPED: "all scheduling was stopped",
    GapReason.CLOCK_STEP: "the database's clock was set",
    GapReason.UNREADABLE: "the schedule could not be read",
}


def missed_facts(
    *, slots: int, first_slot_at: datetime, last_slot_at: datetime, reason: GapReason, explanation: str | None
) -> dict[str, Any]:
    """What the event says that tells of missed slots."""
    words = explanation or GAP_REASONS[reason]
    return {
        "slots": slots,
        "first_slot_at": first_slot_at.isoformat(),
        "last_slot_at": last_slot_at.isoformat(),
        "reason": reason.value,
        "text": f"{words[:1].upper()}{words[1:].rstrip('.')}.",
    }
