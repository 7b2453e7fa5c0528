"""Deletes what nobody needs any more, across the whole installation, now and then and in small batches.

In the same hour it warns of logins that end.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.clock_watch import ClockWatch
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE, IDENTITY, Scope
from app.core.troubles import Trouble
from app.events.service import delete_events_before
from app.notifications.channel_changes import forget_channels
from app.ops.batches import delete_in_batches
from app.ops.bulk.service import forget_bulk_actions
from app.ops.heartbeats import forget_processes
from app.ops.old_runs import delete_runs_in_batches
from app.ops.old_schedules import forget_schedules
from app.runs.run_hours import forget_hours
from app.schedules.rhythm_rows import fill_minutes
from app.syncs.expiry import Ending, find_endings, tell_ending
from app.syncs.figure_retention import forget_changes, forget_landings
from app.syncs.shop_retention import forget_sales
from app.tenants.organizations import list_organizations
from app.tenants.replays import forget_answers
from app.tenants.tries import forget_old_tries

log = logging.getLogger(__name__)

FIRST_AFTER_SECONDS = 60.0
EVERY_SECONDS = 3_600.0
# By a clock that was set years ahead everything is old. A day is enough for somebody to notice.
HOLD_SECONDS = 86_400.0
# Facts are there to be noticed, not to be kept; the runs themselves say what became of them.
EVENTS_KEPT = timedelta(days=30)

Work = Callable[[Session, int], int]


@dataclass
class Housekeeper:
    """Tidies up every hour, in a thread of a process that keeps time. Several of them do no harm."""

    database: Database
    clock: Clock
    schema: SchemaGate
    # How long finished runs are kept; None keeps them for ever.
    runs_kept: timedelta | None
    # How long it is kept what figures once were; None for ever.
    changes_kept: timedelta | None = None
    _closed: threading.Event = field(default_factory=threading.Event, init=False)
    _watch: ClockWatch = field(default_factory=lambda: ClockWatch(hold_seconds=HOLD_SECONDS))

    def start(self) -> None:
        threading.Thread(target=self._loop, name="housekeeper", daemon=True).start()

    def close(self) -> None:
        """Begin no further batch."""
        self._closed.set()

    def complete(self) -> int:
        """Work out for schedules what the version that saved them did not know yet. Returns for how many."""
        return self._in_batches(ENGINE, lambda session, limit: fill_minutes(session, limit=limit))

    def warn(self) -> int:
        """Tell of logins that end soon, or have ended, each once. Returns how many warnings there were."""
        with self.database.reading(ENGINE) as session:
            now = self.clock.now(session)
            endings = find_endings(session, now=now)
        return sum(self._tell(ending, now) for ending in endings if not self._closed.is_set())

    def _tell(self, ending: Ending, now: datetime) -> bool:
        scope = Scope.tenant(ending.organization_id)
        return self.database.run(scope, lambda session: tell_ending(session, ending, now=now))

    def tidy(self) -> dict[str, int]:
        """Delete everything that is old enough. Returns how many of what, as far as it came before it was closed."""
        with self.database.reading(IDENTITY) as session:
            now = self._watch.look(lambda: self.clock.now(session))
            organizations = [row.id for row in list_organizations(session)]
        if self._watch.is_held:
            log.warning("nothing deleted", extra={"problem": "The database's clock was set within the last day."})
            return {}
        deleted = {
            "sign_in_tries": self._in_batches(IDENTITY, lambda s, limit: forget_old_tries(s, now=now, limit=limit)),
            "heartbeats": self._in_batches(ENGINE, lambda s, _limit: forget_processes(s, now=now)),
            "events": self._in_batches(
                ENGINE, lambda s, limit: delete_events_before(s, before=now - EVENTS_KEPT, limit=limit)
            ),
            "schedules": self._in_batches(ENGINE, lambda s, limit: forget_schedules(s, now=now, limit=limit)),
            "idempotency_keys": 0,
            "bulk_actions": 0,
            "run_hours": 0,
            "figure_changes": 0,
            "landings": 0,
            "shop_orders": 0,
            "log_lines": 0,
            "runs": 0,
        }
        for organization_id in organizations:
            for name, count in self._tidy_organization(organization_id, now).items():
                deleted[name] += count
        return deleted

    def _tidy_organization(self, organization_id: UUID, now: datetime) -> dict[str, int]:
        scope = Scope.tenant(organization_id)
        found = {
            "idempotency_keys": self._in_batches(
                scope, lambda s, limit: forget_answers(s, organization_id=organization_id, now=now, limit=limit)
            ),
            "bulk_actions": self._in_batches(
                scope, lambda s, limit: forget_bulk_actions(s, organization_id=organization_id, now=now, limit=limit)
            ),
            "run_hours": self._in_batches(
                ENGINE, lambda s, limit: forget_hours(s, organization_id=organization_id, now=now, limit=limit)
            ),
        }
        self._in_batches(scope, lambda s, _limit: forget_channels(s, organization_id=organization_id, now=now))
        found |= self._tidy_figures(organization_id, now)
        if self.runs_kept is None:
            return found
        deleted = delete_runs_in_batches(
            self.database,
            organization_id=organization_id,
            before=now - self.runs_kept,
            now=now,
            pause=self._closed.wait,
            is_over=self._closed.is_set,
        )
        return found | {"log_lines": deleted.lines, "runs": deleted.runs}

    def _tidy_figures(self, organization_id: UUID, now: datetime) -> dict[str, int]:
        scope = Scope.tenant(organization_id)
        here = {"organization_id": organization_id}
        found = {
            "landings": self._in_batches(scope, lambda s, limit: forget_landings(s, **here, now=now, limit=limit)),
            "shop_orders": self._in_batches(
                scope, lambda s, limit: forget_sales(s, **here, today=now.date(), limit=limit)
            ),
        }
        if self.changes_kept is None:
            return found
        before = now - self.changes_kept
        changes = self._in_batches(scope, lambda s, limit: forget_changes(s, **here, before=before, limit=limit))
        return found | {"figure_changes": changes}

    def _in_batches(self, scope: Scope, work: Work) -> int:
        def batch(limit: int) -> int:
            return self.database.run(scope, lambda session: work(session, limit))

        return delete_in_batches(batch, pause=self._closed.wait, is_over=self._closed.is_set)

    def _loop(self) -> None:
        trouble, wait = Trouble(log, "tidying up"), FIRST_AFTER_SECONDS
        while not self._closed.wait(wait):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self.complete()
                    self.warn()
                    deleted = self.tidy()
                    log.info("tidied up", extra={name: count for name, count in deleted.items() if count})
            wait = EVERY_SECONDS
