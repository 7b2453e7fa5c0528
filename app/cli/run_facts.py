"""What commands print of a run."""

from collections.abc import Mapping
from typing import Any

from app.cli.console import moment
from app.runs.queries import RunRow
from app.runs.states import RunState
from app.tenants.audit_masks import masked


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


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """What the newest attempt returned, a line for each value and for each named part of a list. Secrets are masked."""
    lines: list[str] = []
    # What begins with an underscore is for the next attempt, and says nothing to people; nor does what is empty.
    kept = {name: value for name, value in result.items() if not name.startswith("_") and value not in (None, [], {})}
    for name, value in masked("", kept).items():
        if isinstance(value, list) and all(isinstance(part, dict) and "name" in part for part in value):
            lines += [f"result, {part['name']}: {_flat(part)}" for part in value]
        else:
            lines.append(f"result, {name}: {_flat(value)}")
    return lines


def _flat(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{name} {part}" for name, part in value.items() if name != "name" and part not in (None, [], {}))
