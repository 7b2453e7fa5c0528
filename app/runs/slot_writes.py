"""The part of the ledger that opens the runs of slots: many at once, with their cursors, gaps and events.

A batch is a handful of statements however many schedules it holds: one for each would cost more than all the rest.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.runs.replacing import replace_runs
from app.runs.states import Reason, RunState, Trigger
from app.schedules.slot_accounts import SlotGap


@dataclass(frozen=True, slots=True)
class SlotRun:
    """The run of a slot: ready, or waiting or skipped with the reason."""

    slot_at: datetime
    trigger: Trigger
    state: RunState = RunState.READY
    reason: Reason | None = None
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class SlotWrite:
    """What is written of one schedule. `key` is its id as the database wrote it.

    With `replaces`, the runs of it that have no end yet make room, and say this.
    """

    key: str
    following: datetime | None
    runs: tuple[SlotRun, ...]
    gaps: tuple[SlotGap, ...]
    replaces: str | None = None


class InTheWay(NamedTuple):
    """The runs of a schedule that have no end yet: the one that ends first, and one that waits for its like."""

    first: str
    waiting: str | None


def write_slots(session: Session, writes: Sequence[SlotWrite], *, now: datetime) -> None:
    """Move the cursors, open the runs whose slot has none yet, append their events and record the gaps."""
    replaced = {write.key: write.replaces for write in writes if write.replaces is not None}
    if replaced:
        # First, because the new runs are not among those that make room.
        replace_runs(session, replaced, now=now)
    write = _write_to_postgres if session.get_bind().dialect.name == "postgresql" else _write_to_sqlite
    write(session, writes, now)


def active_runs(session: Session, keys: Sequence[str]) -> dict[str, InTheWay]:
    """Of each of these schedules that has runs without an end: which ones are in the way."""
    if session.get_bind().dialect.name == "postgresql":
        rows = session.execute(_ACTIVE_IN_POSTGRES, {"keys": _array(keys)})
    else:
        rows = session.execute(_ACTIVE_IN_SQLITE, {"keys": json.dumps(keys)})
    found: dict[str, InTheWay] = {}
    for row in rows:
        known = found.get(row.schedule_id)
        if known is None:
            found[row.schedule_id] = InTheWay(row.id, row.id if row.waits else None)
        elif row.waits:
            found[row.schedule_id] = known._replace(waiting=row.id)
        elif known.first == known.waiting:
            found[row.schedule_id] = known._replace(first=row.id)
    return found


_WAITS = f"state = '{RunState.WAITING.value}' AND reason = '{Reason.OVERLAP.value}'"
# A run has an end exactly when its state is terminal, and by its end the index leads straight to the few without.
_ACTIVE_IN_POSTGRES = text(
    f"SELECT CAST(schedule_id AS text) AS schedule_id, CAST(id AS text) AS id, {_WAITS} AS waits FROM runs "  # noqa: S608
    "WHERE schedule_id = ANY(CAST(:keys AS uuid[])) AND finished_at IS NULL"
)
_ACTIVE_IN_SQLITE = text(
    f"SELECT schedule_id, id, {_WAITS} AS waits FROM runs "  # noqa: S608 - constants
    "WHERE schedule_id IN (SELECT value FROM json_each(:keys)) AND finished_at IS NULL"
)

# What a run copies of its job is copied by the database: a definition may be long, and nobody here needs it.
_RUN_COLUMNS = (
    "id, organization_id, job_id, schedule_id, slot_at, due_at, trigger, kind, definition, job_name, tries, "
    "retry_delay_seconds, retry_backoff, retry_longest_delay_seconds, retry_has_jitter, retry_not_on, when_lost, "
    "soft_limit_seconds, time_limit_seconds, queue, priority, connection_key, state, reason, error, attempt, token, "
    "ready_at, created_at, finished_at"
)
_OF_JOB = (
    "j.kind, j.definition, j.name, j.tries, j.retry_delay_seconds, j.retry_backoff, j.retry_longest_delay_seconds, "
    "j.retry_has_jitter, j.retry_not_on, j.when_lost, j.soft_limit_seconds, j.time_limit_seconds, "
    "coalesce(j.queue, j.kind), j.priority, "
    # What `account_turns.key_of` says; of a definition that cannot be read it may be anything.
    f"CASE WHEN j.kind = '{KindName.SYNC.value}' THEN substr({{connection_id}}, 1, 80) END"
)
_OF_JOB_IN_POSTGRES = _OF_JOB.format(connection_id="j.definition ->> 'connection_id'")
_OF_JOB_IN_SQLITE = _OF_JOB.format(connection_id="json_extract(j.definition, '$.connection_id')")

_HAS_NO_END = f"IN ('{RunState.READY.value}', '{RunState.WAITING.value}')"

# One statement, because each would look up the same rows again. All of it or nothing: a cursor never moves alone.
_SLOTS_IN_POSTGRES = text(
    f"""
WITH moved AS (
    UPDATE schedules AS s SET next_run_at = p.following
    FROM unnest(CAST(:keys AS uuid[]), CAST(:followings AS timestamptz[])) AS p (key, following) WHERE s.id = p.key
    RETURNING s.id, s.organization_id, s.job_id
), opened AS (
    INSERT INTO runs ({_RUN_COLUMNS})
    SELECT p.run_id, m.organization_id, m.job_id, m.id, p.slot_at, p.slot_at, p.trigger, {_OF_JOB_IN_POSTGRES},
        p.state, p.reason, p.error, 0, 0, :now, :now, CASE WHEN p.state {_HAS_NO_END} THEN NULL ELSE :now END
    FROM unnest(
        CAST(:run_keys AS uuid[]), CAST(:run_ids AS uuid[]), CAST(:slots AS timestamptz[]), CAST(:triggers AS text[]),
        CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:errors AS text[])
    ) AS p (key, run_id, slot_at, trigger, state, reason, error)
    JOIN moved AS m ON m.id = p.key
    JOIN jobs AS j ON j.organization_id = m.organization_id AND j.id = m.job_id
    ON CONFLICT DO NOTHING
    RETURNING id, organization_id, state
)
INSERT INTO events (organization_id, topic, kind, subject_id, data, at)
SELECT organization_id, 'runs', 'run.' || state, id, CAST('{{}}' AS json), :now FROM opened
"""  # noqa: S608 - constants
)
_GAPS_IN_POSTGRES = text(
    """
INSERT INTO gaps (id, organization_id, schedule_id, first_slot_at, last_slot_at, slots, reason, explanation, at)
SELECT p.id, s.organization_id, s.id, p.first_slot_at, p.last_slot_at, p.slots, p.reason, p.explanation, :now
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:keys AS uuid[]), CAST(:firsts AS timestamptz[]), CAST(:lasts AS timestamptz[]),
    CAST(:counts AS integer[]), CAST(:reasons AS text[]), CAST(:explanations AS text[])
) AS p (id, key, first_slot_at, last_slot_at, slots, reason, explanation)
JOIN schedules AS s ON s.id = p.key
"""
)

# Here the rows come as one JSON text: a statement for each would begin by preparing the checks of every foreign key.
_CURSORS_IN_SQLITE = text(
    "UPDATE schedules SET next_run_at = json_extract(p.value, '$.following') FROM json_each(:rows) AS p "
    "WHERE schedules.id = json_extract(p.value, '$.key')"
)
_RUNS_IN_SQLITE = text(
    f"""
INSERT INTO runs ({_RUN_COLUMNS})
SELECT json_extract(p.value, '$.run_id'), s.organization_id, s.job_id, s.id, json_extract(p.value, '$.slot'),
    json_extract(p.value, '$.slot'), json_extract(p.value, '$.trigger'), {_OF_JOB_IN_SQLITE},
    json_extract(p.value, '$.state'),
    json_extract(p.value, '$.reason'), json_extract(p.value, '$.error'), 0, 0, :now, :now,
    CASE WHEN json_extract(p.value, '$.state') {_HAS_NO_END} THEN NULL ELSE :now END
FROM json_each(:rows) AS p
CROSS JOIN schedules AS s ON s.id = json_extract(p.value, '$.key')
CROSS JOIN jobs AS j ON j.organization_id = s.organization_id AND j.id = s.job_id
WHERE true
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
)
# A slot that had a run already opens none, and then there is nothing to tell.
_EVENTS_IN_SQLITE = text(
    """
INSERT INTO events (organization_id, topic, kind, subject_id, data, at)
SELECT r.organization_id, 'runs', 'run.' || r.state, r.id, '{}', :now
FROM json_each(:rows) AS p CROSS JOIN runs AS r ON r.id = json_extract(p.value, '$.run_id')
"""
)
_GAPS_IN_SQLITE = text(
    """
INSERT INTO gaps (id, organization_id, schedule_id, first_slot_at, last_slot_at, slots, reason, explanation, at)
SELECT json_extract(p.value, '$.id'), s.organization_id, s.id, json_extract(p.value, '$.first'),
    json_extract(p.value, '$.last'), json_extract(p.value, '$.slots'), json_extract(p.value, '$.reason'),
    json_extract(p.value, '$.explanation'), :now
FROM json_each(:rows) AS p CROSS JOIN schedules AS s ON s.id = json_extract(p.value, '$.key')
"""
)


def _write_to_postgres(session: Session, writes: Sequence[SlotWrite], now: datetime) -> None:
    runs = [(write.key, run) for write in writes for run in write.runs]
    session.execute(
        _SLOTS_IN_POSTGRES,
        {
            "now": now,
            "keys": _array(write.key for write in writes),
            "followings": _instants(write.following for write in writes),
            "run_keys": _array(key for key, _ in runs),
            "run_ids": _array(str(new_id()) for _ in runs),
            "slots": _instants(run.slot_at for _, run in runs),
            "triggers": _array(run.trigger.value for _, run in runs),
            "states": _array(run.state.value for _, run in runs),
            "reasons": _array(run.reason and run.reason.value for _, run in runs),
            "errors": _array(_quoted(run.explanation) for _, run in runs),
        },
    )
    gaps = [(write.key, gap) for write in writes for gap in write.gaps]
    if gaps:
        session.execute(
            _GAPS_IN_POSTGRES,
            {
                "now": now,
                "ids": _array(str(new_id()) for _ in gaps),
                "keys": _array(key for key, _ in gaps),
                "firsts": _instants(gap.first_slot_at for _, gap in gaps),
                "lasts": _instants(gap.last_slot_at for _, gap in gaps),
                "counts": _array(str(gap.slots) for _, gap in gaps),
                "reasons": _array(gap.why.reason.value for _, gap in gaps),
                "explanations": _array(_quoted(gap.why.explanation) for _, gap in gaps),
            },
        )


def _write_to_sqlite(session: Session, writes: Sequence[SlotWrite], now: datetime) -> None:
    cursors = [{"key": write.key, "following": _stored(write.following)} for write in writes]
    session.execute(_CURSORS_IN_SQLITE, {"rows": json.dumps(cursors)})
    runs = json.dumps([_run_row(write.key, run) for write in writes for run in write.runs])
    session.execute(_RUNS_IN_SQLITE, {"rows": runs, "now": _stored(now)})
    session.execute(_EVENTS_IN_SQLITE, {"rows": runs, "now": _stored(now)})
    gaps = [_gap_row(write.key, gap) for write in writes for gap in write.gaps]
    if gaps:
        session.execute(_GAPS_IN_SQLITE, {"rows": json.dumps(gaps), "now": _stored(now)})


def _run_row(key: str, run: SlotRun) -> dict[str, Any]:
    return {
        "key": key,
        "run_id": new_id().hex,
        "slot": _stored(run.slot_at),
        "trigger": run.trigger.value,
        "state": run.state.value,
        "reason": run.reason and run.reason.value,
        "error": run.explanation,
    }


def _gap_row(key: str, gap: SlotGap) -> dict[str, Any]:
    return {
        "key": key,
        "id": new_id().hex,
        "first": _stored(gap.first_slot_at),
        "last": _stored(gap.last_slot_at),
        "slots": gap.slots,
        "reason": gap.why.reason.value,
        "explanation": gap.why.explanation,
    }


def _array(items: Iterable[str | None]) -> str:
    """An array as PostgreSQL reads it from text: the driver takes ten times as long to write a list of values."""
    return "{" + ",".join("NULL" if item is None else item for item in items) + "}"


def _instants(moments: Iterable[datetime | None]) -> str:
    return _array(None if moment is None else moment.isoformat() for moment in moments)


def _quoted(words: str | None) -> str | None:
    """Free text as an item of an array."""
    return None if words is None else '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _stored(moment: datetime | None) -> str | None:
    """An instant as SQLite keeps it: text in UTC without an offset, so that it sorts."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
