"""The ledger by its shortest way, for workers on PostgreSQL: one round trip for a claim, and one for a good end.

What is rarer, and all of SQLite, goes by a session, in ledger.py. Both ways write the same.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, null, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError

from app.core.clock import Clock
from app.core.failures import explain
from app.core.lane import Call, Lane, Step, Values, was_refused
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


@dataclass(frozen=True)
class GoodEnd:
    """A run that has ended well, and its result as a JSON text."""

    started: Started
    result: str


# The run that somebody wants to start, or the one that has ended.
_Question = UUID | GoodEnd


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
        self._questions: Together[_Question, Any] = Together(self.ask_all, may_ask_alone=was_refused)

    def start(self, run_id: UUID) -> Started | None:
        """Move a ready run to running under a new token. None when it is not to be had; its hint is forgotten then."""
        row = self._questions.ask(run_id)
        # Each for itself: one that cannot be read is no concern of the others.
        return None if row is None else started_from(row._replace(definition=json.loads(row.definition)))

    def succeed(self, started: Started, end: AttemptEnd) -> bool:
        """End a run well. False when nothing was written: it is no longer this attempt's, or its job starts others."""
        return bool(self._questions.ask(GoodEnd(started, json.dumps(end.result or {}))))

    def ask_all(self, questions: Sequence[_Question]) -> list[Any]:
        """For each run that is to start its row or None, and for each end whether it was written; one transaction.

        Claims and ends that came while the lane was busy go together, and not those of a kind after the other.
        """
        run_ids = [one for one in questions if isinstance(one, UUID)]
        ends = [one for one in questions if isinstance(one, GoodEnd)]
        claims = [self._claim_of(run_ids)] if run_ids else []
        answers = self._lane.ask(*claims, *self._calls_of(ends))
        begun = {row.id: row for row in answers[0]} if claims else {}
        missing = [run_id for run_id in run_ids if run_id not in begun]
        if missing:
            self._forget_hints(missing)
        written = {(row.id, row.token) for rows in answers[len(claims) :] for row in rows}
        # A run is handed out once, also where two asked.
        return [
            (one.started.run_id, one.started.token) in written if isinstance(one, GoodEnd) else begun.pop(one, None)
            for one in questions
        ]

    def _claim_of(self, run_ids: list[UUID]) -> Call:
        # The same hint may have come twice.
        values = {
            "run_ids": [*set(run_ids)],
            "worker": self._worker,
            "lease_seconds": self._lease_seconds,
            "now": self._clock.moment,
            **self._taking,
        }
        return ENGINE, _CLAIM, values

    def _calls_of(self, ends: list[GoodEnd]) -> list[Call]:
        """One for each organization, whose role writes its results."""
        of_tenant: dict[UUID, list[GoodEnd]] = defaultdict(list)
        for end in ends:
            of_tenant[end.started.organization_id].append(end)
        return [(Scope.tenant(tenant), _SUCCEED, self._values_of(theirs)) for tenant, theirs in of_tenant.items()]

    def _values_of(self, ends: list[GoodEnd]) -> Values:
        return {
            "run_ids": [end.started.run_id for end in ends],
            "tokens": [end.started.token for end in ends],
            "results": [end.result for end in ends],
            "now": self._clock.moment,
        }

    def _forget_hints(self, run_ids: list[UUID]) -> None:
        try:
            self._lane.ask((ENGINE, _FORGET_HINTS, {"run_ids": run_ids}))
        except SQLAlchemyError as error:
            # Those that were started go on. Hints that nobody follows are forgotten after a while as well.
            log.warning("hints not forgotten", extra={"problem": explain(error) or repr(error)})
