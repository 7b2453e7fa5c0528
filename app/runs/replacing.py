"""The part of the ledger that makes room for a newer run of a schedule: what goes on is asked to stop."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import TextualSelect, Uuid, bindparam, insert, text
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.events.models import Event
from app.events.service import Topic
from app.runs.states import Reason, RunState


def replace_runs(session: Session, words: Mapping[str, str], *, now: datetime) -> None:
    """End the runs of these schedules that have not started, and ask those that have to stop.

    With them go the runs that they started and wait for. `words` says for each schedule what its runs say then. One
    statement decides for each run, so that one that starts at this moment is asked, and not ended.
    """
    given = json.dumps([{"key": key, "words": said} for key, said in words.items()])
    is_postgres = session.get_bind().dialect.name == "postgresql"
    query = _IN_POSTGRES if is_postgres else _IN_SQLITE
    told = [
        {
            "organization_id": run.organization_id,
            "topic": Topic.RUNS.value,
            "kind": f"run.{run.state if run.state == RunState.CANCELLED.value else 'cancel_requested'}",
            "subject_id": run.id,
            "data": {},
            "at": now,
        }
        for run in session.execute(query, {"given": given, "now": now})
    ]
    if told:
        session.execute(insert(Event), told)


# A run that waits for those it started has started itself, and ends when they have.
_GOES_ON = (
    f"(runs.state = '{RunState.RUNNING.value}' "
    f"OR (runs.state = '{RunState.WAITING.value}' AND runs.reason = '{Reason.CHILDREN.value}'))"
)


def _statement(given: str) -> TextualSelect:
    words = f"""
WITH RECURSIVE given (key, words) AS ({given}), concerned (id, words) AS (
    SELECT r.id, given.words FROM given JOIN runs AS r ON r.schedule_id = given.key AND r.finished_at IS NULL
    UNION
    SELECT child.id, concerned.words
    FROM concerned JOIN runs AS child ON child.parent_run_id = concerned.id AND child.finished_at IS NULL
)
UPDATE runs SET
    state = CASE WHEN {_GOES_ON} THEN runs.state ELSE '{RunState.CANCELLED.value}' END,
    reason = CASE WHEN {_GOES_ON} THEN runs.reason ELSE '{Reason.REPLACED.value}' END,
    error = CASE WHEN {_GOES_ON} THEN runs.error ELSE concerned.words END,
    finished_at = CASE WHEN {_GOES_ON} THEN NULL ELSE :now END,
    cancel_requested_at = CASE WHEN {_GOES_ON} THEN :now ELSE runs.cancel_requested_at END,
    cancel_reason = CASE WHEN {_GOES_ON} THEN '{Reason.REPLACED.value}' ELSE runs.cancel_reason END,
    cancel_words = CASE WHEN {_GOES_ON} THEN concerned.words ELSE runs.cancel_words END
FROM concerned
WHERE runs.id = concerned.id AND runs.finished_at IS NULL AND (runs.cancel_requested_at IS NULL OR NOT {_GOES_ON})
RETURNING runs.id, runs.organization_id, runs.state
"""  # noqa: S608 - constants
    return text(words).bindparams(bindparam("now", type_=UTCDateTime)).columns(id=Uuid, organization_id=Uuid)


_IN_POSTGRES = _statement(
    "SELECT CAST(p ->> 'key' AS uuid), p ->> 'words' FROM json_array_elements(CAST(:given AS json)) AS p"
)
_IN_SQLITE = _statement(
    "SELECT json_extract(p.value, '$.key'), json_extract(p.value, '$.words') FROM json_each(:given) AS p"
)
