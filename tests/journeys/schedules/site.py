"""The pages in this process, over a clock that stands still until a test moves it. Nothing a browser sends moves it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from playwright.sync_api import BrowserContext
from werkzeug.serving import make_server

from app.core.ids import new_id
from app.edge.runtime import EXTENSION, Runtime
from app.factory import PAGE_CONNECTIONS, create_app
from app.jobs.kinds.base import JobKinds
from app.jobs.models import Job
from app.ops.bulk.carrier import BulkCarrier
from app.ops.capacity import live_slots
from app.queue.dispatch import make_dispatcher
from app.queue.scheduler import Scheduler
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.sign_in import start_session
from tests.conftest import make_settings, set_up
from tests.factories.tenants import Member, make_member
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase, open_everything

NO_KINDS: JobKinds = {}
START = "2027-01-05 12:00"
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Site:
    """An app with its address, its database, which tests may read and fill, and its clock."""

    url: str
    app: Flask
    database: OpenDatabase
    clock: ManualClock

    def enter(self, context: BrowserContext, **who: Any) -> Member:
        """Sign somebody new in, who sits in Berlin and, unless said otherwise, has an organization of their own."""
        email = f"ana-{new_id().hex[-6:]}@example.com"
        with self.database.transaction() as session:
            person = make_member(session, email=email, name="Ana Silva", timezone="Europe/Berlin", **who)
            token = start_session(
                session, user_id=person.user_id, email=email, user_agent="tests", now=self.clock.moment
            )
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
        found = client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        assert found is not None
        context.add_cookies([{"name": found.key, "value": found.value, "url": self.url}])
        return person

    def add_schedule(self, person: Member, job: Job, name: str, cron: str, zone: str = "UTC", **more: Any) -> UUID:
        """A schedule as that person makes it."""
        draft = ScheduleDraft(name, job.id, cron, timezone=zone, spread_key=name, **more)
        with self.database.transaction() as session:
            return create_schedule(session, actor=person.actor, draft=draft, now=self.clock.moment)

    def stored(self, schedule_id: UUID) -> Schedule:
        """A schedule as the database has it."""
        with self.database.reading() as session:
            return session.get_one(Schedule, schedule_id)

    def keep_time(self, until: datetime) -> None:
        """Let the scheduler go through the time until then, a quarter of an hour at a time."""
        parts: Runtime = self.app.extensions[EXTENSION]
        scheduler = Scheduler(
            database=self.database,
            clock=self.clock,
            schema=parts.schema,
            kinds=parts.kinds,
            dispatcher=make_dispatcher(parts.settings, self.database, self.clock, live_slots=live_slots),
            poll_seconds=60,
            sweep_seconds=60,
            hold_seconds=30.0,
            first_sweep_seconds=0.0,
            report=lambda _tick: None,
            # As much time passes for the process as for its database.
            elapsed=self._seconds,
        )
        while self.clock.moment < until:
            self.clock.advance(seconds=QUARTER.total_seconds())
            scheduler.tick()

    def carry(self) -> None:
        """Go on with the bulk actions that are under way."""
        parts: Runtime = self.app.extensions[EXTENSION]
        BulkCarrier(self.database, self.clock, parts.schema, lambda: None).carry()

    def _seconds(self) -> float:
        return self.clock.moment.timestamp()


@contextmanager
def open_site(folder: Path, start: str = START, kinds: JobKinds | None = NO_KINDS) -> Iterator[Site]:
    """Serve the pages out of an empty folder. Pages of jobs need the real kinds, which None stands for."""
    settings = make_settings(folder)
    set_up(settings)
    database, clock = open_everything(settings.database_url, connections=PAGE_CONNECTIONS), ManualClock(start)
    app = create_app(settings, database=database, kinds=kinds, clock=clock)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.port}", app, database, clock)
    server.shutdown()
    database.dispose()
