"""What an attempt reads and writes in its organization while it runs, as that organization and nobody else."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database
from app.core.patience import patiently
from app.core.scopes import Scope
from app.runs.facts import Started
from app.runs.holding import hold_run
from app.runs.models import Attempt
from app.runs.states import AttemptState


@dataclass(frozen=True)
class OwnData:
    """The database as one attempt sees it. One that is away for a moment is waited for, but for transactions."""

    database: Database
    clock: Clock
    started: Started
    patience_seconds: float

    def now(self, session: Session | None) -> datetime:
        if session is not None:
            return self.clock.now(session)

        def ask() -> datetime:
            with self.database.reading(self._scope) as reading:
                return self.clock.now(reading)

        return patiently(ask, seconds=self.patience_seconds)

    def transaction(self) -> AbstractContextManager[Session]:
        return self.database.transaction(self._scope)

    def hold(self, session: Session) -> None:
        hold_run(session, run_id=self.started.run_id, token=self.started.token)

    def left_behind(self) -> Mapping[str, Any]:
        def ask() -> Mapping[str, Any]:
            with self.database.reading(self._scope) as session:
                return _left_behind(session, self.started)

        return patiently(ask, seconds=self.patience_seconds)

    @property
    def _scope(self) -> Scope:
        return Scope.tenant(self.started.organization_id)


def _left_behind(session: Session, started: Started) -> Mapping[str, Any]:
    query = (
        select(Attempt.state, Attempt.result)
        .where(Attempt.run_id == started.run_id, Attempt.token < started.token)
        .order_by(Attempt.token.desc())
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return found.result if found is not None and found.state == AttemptState.RELEASED.value else {}
