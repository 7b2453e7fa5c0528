"""How long each page takes on the server in a large organization, how often it asks the database, and how big it is.

Measured is the answer to the request of somebody signed in, by the application and its database, without the network.
"""

import argparse
import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.engine import Engine as DatabaseEngine

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.core.process import collect_seldom
from app.events.service import Topic, append_event
from app.factory import create_app
from app.ops.models import Heartbeat
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.tenants.roles import Role
from app.tenants.sign_in import start_session
from bench.figures import percentile, print_figures
from bench.history import Large, fill_large
from bench.installation import Installation, installation
from bench.services import Engine
from tests.factories.tenants import make_member

SCHEDULES = 5_000
RUNS = {Engine.EMBEDDED: 200_000, Engine.SERVICES: 1_000_000}
REQUESTS = 40
# What a list may take: milliseconds for 95 of 100 answers, statements, and bytes as they are sent.
BAR_MS, BAR_STATEMENTS, BAR_BYTES = 100, 12, 16 * 1_024
# The page of one thing is no list: it has a history, pictures, and what it is compared with.
BAR_STATEMENTS_OF_ONE = 20
PAGES_OF_ONE = ("schedule", "run", "failed run", "compared run")


@dataclass(frozen=True)
class Figures:
    """Of one page."""

    p95_ms: float
    statements: int
    size: int
    most_statements: int = BAR_STATEMENTS

    def misses(self) -> list[str]:
        """The bars that it does not keep."""
        found = {
            f"{self.p95_ms:.0f} ms": self.p95_ms > BAR_MS,
            f"{self.statements} statements": self.statements > self.most_statements,
            f"{self.size:,} bytes": self.size > BAR_BYTES,
        }
        return [words for words, is_missed in found.items() if is_missed]


def paths(place: Installation, large: Large) -> dict[str, str]:
    """What people open, by name."""
    schedule, failed, ended = _examples(place, large.organization_id)
    return {
        "overview": "/",
        "schedules": "/schedules",
        "schedules, searched": "/schedules?q=012",
        "schedules, last page": f"/schedules?page={large.schedules // 100}",
        "schedule rows": "/schedules/rows",
        "schedule tiles": "/schedules/tiles",
        "schedule": f"/schedules/{schedule}",
        "schedule history": f"/schedules/{schedule}/history",
        "slots of a day": f"/schedules/{schedule}/slots",
        "runs": "/runs",
        "runs, failed": "/runs?state=failed",
        "runs, missed": "/runs?state=missed",
        "runs, last hour": "/runs?last=1h",
        "runs, by trigger": "/runs?trigger=retry",
        "runs, searched": "/runs?q=nowhere",
        "runs of a schedule": f"/runs?schedule={schedule}",
        "run": f"/runs/{ended}",
        "failed run": f"/runs/{failed}",
        "compared run": f"/runs/{failed}/compare?with={ended}",
        "queue": "/queue",
        "queue, failed": "/queue?tab=failed",
        "jobs": "/jobs",
        "live": "/live",
    }


def main() -> None:
    """Fill, measure, print page by page, and the worst one at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    options = parser.parse_args()
    with installation(options.engine) as place:
        large = fill_large(place, schedules=options.schedules, runs=options.runs or RUNS[options.engine])
        client = signed_in(place, create_app(place.settings), large)
        collect_seldom()
        found = {}
        for name, path in paths(place, large).items():
            if options.only in name:
                found[name] = measure(place, large, client, path, options.requests)
                if name in PAGES_OF_ONE:
                    found[name] = replace(found[name], most_statements=BAR_STATEMENTS_OF_ONE)
                print(line_of(name, found[name]), flush=True)
        worst = max(found, key=lambda name: found[name].p95_ms)
        figures = {
            "schedules": large.schedules, "runs": large.runs, "worst_p95_ms": found[worst].p95_ms,
            "most_statements": max(page.statements for page in found.values()),
            "most_bytes": max(page.size for page in found.values()),
            "pages_beyond_a_bar": sum(bool(page.misses()) for page in found.values()),
        }  # fmt: skip
        print(f"worst: {worst}")
        print_figures("pages", options.engine, figures)


def line_of(name: str, page: Figures) -> str:
    """What was measured of a page, and which bars it does not keep."""
    missed = f"   beyond: {', '.join(page.misses())}" if page.misses() else ""
    return f"{name:24} p95 {page.p95_ms:7.1f} ms {page.statements:3} statements {page.size / 1024:6.1f} KiB{missed}"


def measure(place: Installation, large: Large, client: FlaskClient, path: str, requests: int) -> Figures:
    """Ask for a page so often, and let a run end before each time."""
    times, most, size = [], 0, 0
    _ask(client, path)
    keep_time(place)
    for _ in range(requests):
        _end_a_run(place, large)
        with _counted() as statements:
            began = time.perf_counter()
            size = _ask(client, path)
            times.append((time.perf_counter() - began) * 1_000)
        most = max(most, len(statements))
    return Figures(percentile(times, 95), most, size)


def keep_time(place: Installation) -> None:
    """As if a scheduler were there: what a banner asks besides is no part of a page."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        until = now + timedelta(seconds=1)
        session.add(
            Heartbeat(
                process_id=new_id(), name="bench", version="1.0", slots=5, schedules=True,
                started_at=now, beat_at=until, ticked_at=until,
            )
        )  # fmt: skip


def _end_a_run(place: Installation, large: Large) -> None:
    """As if one of its runs had just ended: what was read for the request before will not do for the next."""
    with place.database.transaction() as session:
        any_id = uuid4()
        mine = select(Run.id).where(Run.organization_id == large.organization_id, Run.id >= any_id).order_by(Run.id)
        append_event(
            session, organization_id=large.organization_id, topic=Topic.RUNS, kind="run.succeeded",
            subject_id=session.scalars(mine.limit(1)).first() or any_id, now=DatabaseClock().now(session),
        )  # fmt: skip


def _ask(client: FlaskClient, path: str) -> int:
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
    return len(gzip.compress(answer.data, 6))


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The statements of all databases meanwhile, but for those that say who is asking."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "set_config" not in statement and not statement.startswith(("BEGIN", "PRAGMA", "SET ")):
            seen.append(statement)

    event.listen(DatabaseEngine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(DatabaseEngine, "before_cursor_execute", note)


def _examples(place: Installation, organization_id: UUID) -> tuple[UUID, UUID, UUID]:
    """A schedule, a failed run and one that succeeded."""
    with place.database.reading() as session:
        schedule = select(Schedule.id).where(
            Schedule.organization_id == organization_id, Schedule.name == "Export 00007"
        )
        run = select(Run.id).where(Run.organization_id == organization_id).limit(1)
        failed = session.scalars(run.where(Run.state == RunState.FAILED.value)).one()
        ended = session.scalars(run.where(Run.state == RunState.SUCCEEDED.value)).one()
        return session.scalars(schedule).one(), failed, ended


def signed_in(place: Installation, app: Flask, large: Large) -> FlaskClient:
    """Of an owner who is signed in."""
    with place.database.transaction() as session:
        person = make_member(session, organization_id=large.organization_id, role=Role.OWNER)
        now = DatabaseClock().now(session)
        token = start_session(session, user_id=person.user_id, email=person.email, user_agent="bench", now=now)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    return client


if __name__ == "__main__":
    main()
