"""What commands print of a run."""

from typing import Any

from app.cli.console import moment
from app.runs.queries import RunRow
from app.runs.states import RunState


def run_facts(row: RunRow) -> dict[str, Any]:
    """For programs, and line by line for people."""
    return {
        "id": str(row.id),
        "job": row.job_name,
        "schedule": row.schedule_name,
        "trigger": row.trigger.value,
        "state": row.state.value,
        "reason": row.reason.value if row.reason else None,
        "error": row.error,
        "due": moment(row.due_at),
        "started": moment(row.started_at),
        "finished": moment(row.finished_at),
        "lateness_seconds": row.lateness.total_seconds() if row.lateness else None,
        "tries": f"{row.attempt} of {row.tries}",
        "next_try": moment(row.ready_at) if row.state is RunState.WAITING_RETRY else None,
        "slow_since": moment(row.slow_at),
        "cancel_requested": moment(row.cancel_requested_at),
        "worker": row.worker,
        "requested_via": row.requested_via and row.requested_via.value,
        "again_of": row.again_of_run_id and str(row.again_of_run_id),
    }
