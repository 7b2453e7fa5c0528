"""What somebody who helps has to know of an installation, as one file: figures and states, and nothing secret.

Only what is named here gets in: no address with a password, no key, no name of a person, organization, schedule or job.
"""

import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.version import VERSION
from app.ops.heartbeats import ProcessRow
from app.ops.installation import read_installation
from app.runs.models import Run
from app.runs.states import ACTIVE

# A setting is told only if it is one of these.
TOLD_SETTINGS = (
    "env", "auto_migrate", "web_processes", "trusted_proxies", "scheduler_enabled", "poll_seconds", "workers",
    "lease_seconds", "heartbeat_seconds", "sweep_seconds", "stop_seconds", "function_memory_mib", "function_processes",
    "retention_days", "api_requests_per_minute", "default_timezone", "is_demo",
)  # fmt: skip


def read_diagnostics(session: Session, settings: Settings, *, now: datetime) -> dict[str, Any]:
    """The file as JSON holds it: texts, numbers, lists and objects. Works as PLATFORM."""
    found = read_installation(session, settings, now=now)
    return {
        "told_at": _moment(now),
        "belfry": {"version": VERSION, "versions": list(found.versions)},
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "release": platform.release(),
            "processors": os.cpu_count(),
            "implementation": sys.implementation.name,
        },
        "database": asdict(found.database),
        "broker": found.broker.partition(" at ")[0],
        "settings": {name: _plain(getattr(settings, name)) for name in TOLD_SETTINGS},
        "problems": list(found.health.problems),
        "remarks": list(found.health.remarks),
        "scheduling": {
            "keeps_time": found.keeps_time(now),
            "is_stopped": found.stop is not None,
            "stopped_at": None if found.stop is None else _moment(found.stop.stopped_at),
            "held_until": None if found.hold is None else _moment(found.hold.held_until),
            "next_due_at": _moment(found.next_due_at),
        },
        "queues": {"paused": [row.name for row in found.paused_queues], "active_runs": _active_runs(session)},
        "processes": [_process(row, now) for row in found.processes],
        "pages": [_process(row, now) for row in found.pages],
        "retention": {
            "runs_days": settings.retention_days,
            "events_days": found.retention.events.days,
            "next_tidying_at": _moment(found.retention.next_tidying_at),
        },
    }


def _active_runs(session: Session) -> list[dict[str, Any]]:
    live = Run.state.in_([state.value for state in ACTIVE])
    query = select(Run.queue, Run.state, func.count()).where(live).group_by(Run.queue, Run.state).order_by(Run.queue)
    return [{"queue": queue, "state": state, "runs": runs} for queue, state, runs in session.execute(query)]


def _process(row: ProcessRow, now: datetime) -> dict[str, Any]:
    return {
        "name": row.name,
        "version": row.version,
        "schedules": row.schedules,
        "slots": row.slots,
        "queues": row.queues,
        "running": row.running,
        "memory_mib": row.memory_mib,
        "problem": row.problem,
        "is_stopping": row.is_stopping,
        "started_at": _moment(row.started_at),
        "silent_seconds": round((now - row.beat_at).total_seconds(), 1),
        "ticked_at": _moment(row.ticked_at),
        "tick_ms": row.tick_ms,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | None) else str(value)
