"""The ledger by its shortest way, for workers on PostgreSQL: one round trip for a claim, and one for a good end.

What is rarer, and all of SQLite, goes by a session, in ledger.py. Both ways write the same.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, null, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError

from app.core.clock import Clock
from app.core.failures import explain
from app.core.lane import Lane, Step, was_refused
from app.core.scopes import ENGINE, Scope
from app.core.together import Together
from app.runs.facts import ANYTHING, AttemptEnd, Started, Taking, started_from
from app.runs.models import Run
from app.runs.states import RunState
from app.runs.steps import any_of_these, claim, is_state, succeed

log = logging.getLogger(__name__)

_CLAIM = claim()
_SUCCEED = succeed()
_FORGET_HINTS = Step(
    update(Run)
    .where(Run.id == any_of_these(bindparam("run_ids", type_=ARRAY(Uuid))), is_state(RunState.READY))
    .values(hinted_at=null())
)


class Express:
    """What the threads of one worker want of the ledger at the same moment goes in one transaction."""

    def __init__(self, lane: Lane, *, clock: Clock, worker: str, lease_seconds: int, taking: Taking = ANYTHING) -> None:
        self._lane = lane
        self._clock = clock
        self._worker = worker
        self._lease_seconds = float(lease_seconds)
        self._taking = {
            "queues": None if taking.queues is None else [*taking.queues],
            "is_called_alone": taking.is_called_alone,
        }
        self._starts: Together[UUID, Any] = Together(self._start_all, may_ask_alone=was_refused)
        self._ends: Together[tuple[Started, str], bool] = Together(self._succeed_all, may_ask_alone=was_refused)

    def start(self, run_id: UUID) -> Started | None:
        """Move a ready run to running under a new token. None when it is not to be had; its hint is forgotten then."""
        row = self._starts.ask(run_id)
        # Each for itself: one that cannot be read is no concern of the others.
        return None if row is None else started_from(row._replace(definition=json.loads(row.definition)))

    def succeed(self, started: Started, end: AttemptEnd) -> bool:
        """End a run well. False when nothing was written: it is no longer this attempt's, or its job starts others."""
        return self._ends.ask((started, json.dumps(end.result or {})))

    def _start_all(self, run_ids: Sequence[UUID]) -> list[Any]:
        values = {
            "worker": self._worker,
            "lease_seconds": self._lease_seconds,
            "now": self._clock.moment,
            **self._taking,
        }
        # The same hint may have come twice.
        (rows,) = self._lane.ask((ENGINE, _CLAIM, {**values, "run_ids": [*set(run_ids)]}))
        begun = {row.id: row for row in rows}
        missing = [run_id for run_id in run_ids if run_id not in begun]
        if missing:
            self._forget_hints(missing)
        # Handed out once, also where two asked.
        return [begun.pop(run_id, None) for run_id in run_ids]

    def _forget_hints(self, run_ids: list[UUID]) -> None:
        try:
            self._lane.ask((ENGINE, _FORGET_HINTS, {"run_ids": run_ids}))
        except SQLAlchemyError as error:
            # Those that were started go on. Hints that nobody follows are forgotten after a while as well.
            log.warning("hints not forgotten", extra={"problem": explain(error) or repr(error)})

    def _succeed_all(self, ends: Sequence[tuple[Started, str]]) -> list[bool]:
        of_tenant: dict[UUID, list[tuple[Started, str]]] = defaultdict(list)
        for started, result in ends:
            of_tenant[started.organization_id].append((started, result))
        calls = []
        for organization_id, theirs in of_tenant.items():
            values = {
                "run_ids": [started.run_id for started, _ in theirs],
                "tokens": [started.token for started, _ in theirs],
                "results": [result for _, result in theirs],
                "now": self._clock.moment,
            }
            calls.append((Scope.tenant(organization_id), _SUCCEED, values))
        written = {(row.id, row.token) for rows in self._lane.ask(*calls) for row in rows}
        return [(started.run_id, started.token) in written for started, _ in ends]
