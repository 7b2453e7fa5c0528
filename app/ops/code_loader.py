"""Loads what code defines when a process starts, as soon as the database has its tables."""

import logging
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.config import Settings
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import Scope
from app.core.troubles import Trouble
from app.core.version import VERSION
from app.jobs.kinds.code.loading import CodeProblem
from app.ops.code_definitions import Definitions, load_definitions
from app.ops.code_sync import SyncReport, sync_definitions
from app.tenants.models import SYSTEM_ORGANIZATION_ID

log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0


@dataclass
class CodeLoader:
    """Loads once, in a thread of its own. Several processes at once do no harm."""

    database: Database
    clock: Clock
    schema: SchemaGate
    settings: Settings
    _closed: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        threading.Thread(target=self._load, name="code loader", daemon=True).start()

    def close(self) -> None:
        """Try no more."""
        self._closed.set()

    def _load(self) -> None:
        definitions = load_definitions(self.settings)
        tell_loaded(definitions)
        trouble = Trouble(log, "loading definitions from code")
        is_done = False
        while not is_done and not self._closed.is_set():
            with trouble.absorbing() as go:
                is_done = go.was_made = self.schema.is_current() and self._sync(definitions)
            if not is_done:
                self._closed.wait(AGAIN_SECONDS)

    def _sync(self, definitions: Definitions) -> bool:
        # On somebody's own machine there is no old code beside new, and going back is as good as going on.
        is_asked_for = not self.settings.is_production
        report = put_in_force(self.database, self.clock, definitions, is_asked_for=is_asked_for)
        if report.newer is not None:
            log.warning("older code stands back", extra={"newer": report.newer, "to_go_back": "belfry jobs sync"})
        elif report.has_changed:
            log.info(report.words)
        _tell_problems(report.refused)
        return True


def put_in_force(database: Database, clock: Clock, definitions: Definitions, *, is_asked_for: bool) -> SyncReport:
    """Bring the database to what the code says, in a transaction of its own."""
    loaded_by = f"{socket.gethostname()}, version {VERSION}"
    return database.run(
        Scope.tenant(SYSTEM_ORGANIZATION_ID),
        lambda session: sync_definitions(
            session,
            definitions=definitions,
            loaded_by=loaded_by,
            is_asked_for=is_asked_for,
            now=clock.now(session),
        ),
    )


def tell_loaded(definitions: Definitions) -> None:
    """Log what was found, and what cannot be used of it."""
    number = len(definitions.schedules)
    log.info("Loaded %d schedule definition%s from code", number, "" if number == 1 else "s")
    _tell_problems(definitions.problems)


def _tell_problems(problems: Sequence[CodeProblem]) -> None:
    for problem in problems:
        log.error("not usable in code: %s", problem)
