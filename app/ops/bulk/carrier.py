"""Carries bulk actions out beside the scheduler, in short transactions, each as the organization it belongs to."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE, Scope
from app.core.troubles import Trouble
from app.ops.bulk.carrying import Piece, carry_piece
from app.ops.bulk.queries import Waiting, going_across_tenants

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
# Others get their turn between two pieces.
BREATH_SECONDS = 0.05
_MOST_IN_A_ROUND = 50


@dataclass
class BulkCarrier:
    """Looks every second, in a thread of a process that keeps time. Several of them share what there is."""

    database: Database
    clock: Clock
    schema: SchemaGate
    dispatch: Callable[[], object]
    _closed: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="bulk", daemon=True).start()

    def close(self) -> None:
        """Begin no further piece."""
        self._closed.set()

    def carry(self) -> int:
        """Carry out everything that is to be gone on with now, each in turn. Returns how many things got an outcome."""
        settled = 0
        while not self._closed.is_set():
            failures: list[Exception] = []
            done = [self._try_piece(waiting, failures) for waiting in self._waiting()]
            settled += sum(piece.settled for piece in done)
            if failures:
                raise failures[0]
            if not any(piece.settled for piece in done):
                break
        return settled

    def _waiting(self) -> list[Waiting]:
        with self.database.reading(ENGINE) as session:
            return going_across_tenants(session, now=self.clock.now(session), limit=_MOST_IN_A_ROUND)

    def _try_piece(self, waiting: Waiting, failures: list[Exception]) -> Piece:
        try:
            return self._carry_piece(waiting)
        except Exception as error:  # noqa: BLE001 - raised when all others had their turn
            failures.append(error)
            return Piece()

    def _carry_piece(self, waiting: Waiting) -> Piece:
        if self._closed.is_set():
            return Piece()
        scope = Scope.tenant(waiting.organization_id, waiting.user_id)
        piece = self.database.run(
            scope,
            lambda session: carry_piece(
                session, organization_id=waiting.organization_id, bulk_id=waiting.id, now=self.clock.now(session)
            ),
        )
        if piece.makes_runs:
            self.dispatch()
        self._closed.wait(BREATH_SECONDS)
        return piece

    def _loop(self) -> None:
        trouble = Trouble(log, "carrying out bulk actions")
        while not self._closed.wait(EVERY_SECONDS):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self.carry()
