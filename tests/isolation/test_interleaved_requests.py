"""Two tenants whose requests share two connections. What one of them left behind must never reach the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import open_database
from app.factory import create_app
from app.tenants.sign_in import start_session
from tests.factories.tenants import make_member, make_organization
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

REQUESTS = 10_000
THREADS = 6
NAMES = ("heron-canary", "otter-canary")


@pytest.fixture
def app(settings, database: OpenDatabase, clock: ManualClock) -> Iterator[Flask]:
    """An app that has two connections and not one more, and lets a tenant ask as often as it likes."""
    patient = replace(settings, api_requests_per_minute=REQUESTS)
    narrow = open_database(settings.database_url, connections=2)
    yield create_app(patient, database=narrow, kinds={}, clock=clock)
    narrow.dispose()


Opener = Callable[[], FlaskClient]


@pytest.fixture
def tenants(app: Flask, database: OpenDatabase, clock: ManualClock) -> dict[str, tuple[Opener, UUID]]:
    """By name: how to open a browser of the tenant, and the id of its schedule."""
    return {name: furnish(app, database, clock, name) for name in NAMES}


def furnish(app: Flask, database: OpenDatabase, clock: ManualClock, name: str) -> tuple[Opener, UUID]:
    with database.transaction() as session:
        organization_id = make_organization(session, name=name)
        member = make_member(session, organization_id=organization_id, email=f"{name}@example.com", name=name)
        job = make_job(session, organization_id, name=name)
        schedule = make_schedule(session, job, name=name)
        make_run(session, job, now=clock.moment, schedule_id=schedule.id)
        token = start_session(session, user_id=member.user_id, email=name, user_agent="tests", now=clock.moment)

    def open_browser() -> FlaskClient:
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
        return browser

    return open_browser, schedule.id


@pytest.mark.slow
class TestTwoTenantsOnTwoConnections:
    def test_never_see_each_other_in_ten_thousand_requests(self, tenants):
        each = REQUESTS // THREADS + 1

        with ThreadPoolExecutor(THREADS) as pool:
            leaks = list(pool.map(lambda number: count_leaks(tenants, first=number, requests=each), range(THREADS)))

        assert leaks == [(0, 0)] * THREADS


def count_leaks(tenants, *, first: int, requests: int) -> tuple[int, int]:
    """How many answers held the other tenant's name, and how many did not hold one's own where it belongs."""
    browsers = {name: open_browser() for name, (open_browser, _) in tenants.items()}
    seen = missing = 0
    for number in range(first, first + requests):
        mine, others = NAMES if number % 2 else NAMES[::-1]
        path, status, is_mine_shown = steps(own=tenants[mine][1], foreign=tenants[others][1])[number % 7]
        answer = browsers[mine].get(path)
        assert answer.status_code == status, f"{path} answered {answer.status_code}"
        seen += others in answer.text
        missing += is_mine_shown and mine not in answer.text
    return seen, missing


def steps(*, own: UUID, foreign: UUID) -> list[tuple[str, int, bool]]:
    # Seven, so that with two tenants in turn each of them comes to each step.
    return [
        ("/api/schedules", 200, True),
        (f"/api/schedules/{foreign}", 404, False),
        (f"/api/schedules/{own}", 200, True),
        ("/api/runs", 200, True),
        ("/live", 200, False),
        (f"/schedules/{foreign}", 404, False),
        ("/runs", 200, True),
    ]
