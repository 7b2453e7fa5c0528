"""How often pages ask the database when everything is wrong at once, and much of what they know has to be read anew."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.config import EXAMPLE_JOBS, Settings
from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.events.service import Topic, append_event
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops import glance_book
from app.ops.code_definitions import load_definitions
from app.ops.code_loader import put_in_force
from app.runs import run_search
from app.runs.causes import cause_of
from app.schedules.connection_pauses import PAUSED_BY, REFUSED
from app.schedules.models import Schedule
from app.tenants.models import Membership
from app.tenants.roles import Role
from tests.factories.figures import make_connection
from tests.factories.notifications import (
    make_channel,
    make_incident,
    make_incident_message,
    make_incident_thing,
)
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry
from tests.factories.tenants import make_organization
from tests.factories.work import make_gap, make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.statements import counted
from tests.web.conftest import Browser, OpenBrowser

pytestmark = pytest.mark.usefixtures("real_kinds")

MOST = 12
HOUR = timedelta(hours=1)
SCHEDULES = 8
LISTS = (
    "/", "/schedules", "/schedules?q=s", "/schedules?sort=success", "/schedules?status=failing&page=2",
    "/schedules/rows", "/schedules/tiles", "/schedules/deleted", "/bulk", "/views",
    "/runs", "/runs?state=failed", "/runs?q=boom", "/runs?trigger=retry&last=7d", "/runs?{of_one}",
    "/runs?q=b&{of_one}",
    "/queue", "/queue?tab=failed", "/queue?tab=failed&cause={cause}", "/queue?tab=failed&q=boom&{of_one}",
    "/queue?tab=failed&{of_one}", "/queue?tab=running", "/queue?tab=retrying", "/queue?tab=removed", "/queue?tab=all",
    "/queue/workers", "/jobs", "/connections", "/notifications", "/notifications/deliveries",
    "/audit", "/settings/team", "/account/tokens", "/live",
    "/incidents", "/incidents?state=all&q=o&type=run_failed&assigned=me", "/incidents/{incident}",
    "/incidents/{incident}/retry", "/notifications/settings", "/notifications/texts", "/notifications/texts/run_failed",
)  # fmt: skip


@pytest.fixture
def connections() -> int:
    """Whether the tables are the right ones is asked on a connection of its own."""
    return 2


@pytest.fixture
def one_look() -> None:
    """And asked again, as in any process that goes on."""


@pytest.fixture
def broken(
    database: OpenDatabase, organization_id: UUID, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What a page can be asked for of an organization that has every trouble there is, and no process that works.

    It is large: what changed is looked for before all schedules are read anew.
    """
    monkeypatch.setattr(glance_book, "_LARGE", SCHEDULES)
    now = clock.moment
    with database.transaction() as session:
        job, other = (make_job(session, organization_id, name=name) for name in ("Job", "Other"))
        later = now + timedelta(days=3)
        schedules = [make_schedule(session, job, name=f"S {n}", next_run_at=later) for n in range(SCHEDULES)]
        schedules[0].problem = "It has no coming date."
        schedules[1].next_run_at = now - HOUR
        make_gap(session, schedules[5], now - 9 * HOUR, now - HOUR, slots=9)
        for schedule in schedules[3:5]:
            make_failed(session, job, now=now - HOUR, schedule_id=schedule.id, error="boom")
        make_by_hand(session, other, now)
        refused = make_connection(session, organization_id, name="Acme EU", state="refused", refused_at=now - HOUR)
        make_connection(session, organization_id, name="Acme JP", expires_at=now + timedelta(days=2))
        sync = make_job(session, organization_id, name="Sync", kind=KindName.SYNC)
        sync.service, sync.definition = "meta", {"service": "meta", "connection_id": str(refused.id)}
        make_schedule(session, sync, name="S 9", enabled=False, switched_by=f"{PAUSED_BY}{REFUSED}")
        of_one = urlencode({"schedule": schedules[3].id, "job": job.id})
        incident_id = make_told_incident(session, organization_id, refused.id, schedules[3].id, now)
    return {"of_one": of_one, "cause": cause_of("boom") or "", "incident": str(incident_id)}


def make_told_incident(session, organization_id: UUID, connection_id: UUID, schedule_id: UUID, now) -> UUID:
    """One that speaks of every kind of thing, was given to somebody and told."""
    told = {"connection_id": str(connection_id), "run_id": str(new_id()), "text": "boom"}
    moments = {"opened_at": now - 2 * HOUR, "last_at": now - HOUR}
    incident = make_incident(session, organization_id, facts=told, assigned_to=new_id(), things=3, **moments)
    for kind, subject_id in (("schedule", schedule_id), ("job", new_id()), ("connection", connection_id)):
        make_incident_thing(session, incident, subject_id, subject_kind=kind)
    make_incident_message(session, incident, make_channel(session, organization_id))
    return incident.id


def make_by_hand(session, job: Job, now) -> None:
    """A stuck run of a job that takes seconds, one that failed, one that waits, and one that waits for its next try."""
    for hours in range(2, 6):
        make_succeeded(session, job, now=now - hours * HOUR)
    make_running(session, job, now=now - HOUR)
    make_failed(session, job, now=now - HOUR, error="boom")
    make_run(session, job, now=now - HOUR)
    make_waiting_retry(session, job, now=now - HOUR, ready_at=now + HOUR)


@pytest.fixture
def in_code(app: Flask, settings: Settings, database: OpenDatabase, clock: ManualClock) -> None:
    """Schedules in code that have their troubles, too, and runs that wait in several queues."""
    definitions = load_definitions(replace(settings, job_modules=EXAMPLE_JOBS))
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], definitions=definitions)
    put_in_force(database, clock, definitions, is_asked_for=True)
    now = clock.moment
    with database.transaction() as session:
        found = session.scalars(select(Schedule).where(Schedule.code_id.is_not(None)).order_by(Schedule.id)).all()
        for number, schedule in enumerate(found):
            job = session.get_one(Job, schedule.job_id)
            job.queue = ("code", "sync")[number % 2]
            schedule.enabled, schedule.next_run_at = True, now - HOUR
            make_run(session, job, now=now - 2 * HOUR, schedule_id=schedule.id)
            make_failed(session, job, now=now - HOUR, schedule_id=schedule.id)
            make_gap(session, schedule, now - 9 * HOUR, now - HOUR, slots=9)


@pytest.fixture
def colleague(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    return open_browser(organization_id=organization_id, role=Role.ADMIN)


@pytest.fixture
def person(owner: Browser, database: OpenDatabase, clock: ManualClock) -> Browser:
    """One who belongs to two organizations, and wants each time by the clock of its schedule."""
    with database.transaction() as session:
        second = make_organization(session, name="Second")
        session.add(
            Membership(user_id=owner.user_id, organization_id=second, role=Role.OWNER.value, created_at=clock.moment)
        )
    owner.send("/account/times", {"times": "schedule", "back": "/"})
    return owner


def change(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> None:
    """Something happened to a run and to a schedule."""
    with database.transaction() as session:
        for topic in (Topic.RUNS, Topic.SCHEDULES):
            append_event(
                session, organization_id=organization_id, topic=topic, kind="something.changed",
                subject_id=new_id(), now=clock.moment,
            )  # fmt: skip


def ask_after_a_pause(browser: Browser, path: str) -> list[str]:
    """The statements of one answer of a process that has not looked at its tables for a while."""
    parts = browser.application.extensions[EXTENSION]
    parts.schema._looked_at = float("-inf")
    with counted(parts.database) as statements:
        assert browser.visit(path).status_code == 200
    return statements


@pytest.mark.parametrize("path", LISTS)
def test_a_list_keeps_to_its_statements(
    person: Browser, colleague: Browser, database: OpenDatabase, clock: ManualClock, broken: dict[str, str], path: str
) -> None:
    path = path.format(**broken)
    person.visit(path)

    # A minute later nothing that was read is believed any more, and the session has to be marked as seen.
    clock.advance(seconds=61)
    change(database, person.organization_id, clock)
    after_a_minute = ask_after_a_pause(person, path)
    # Somebody else had the schedules read a moment ago, so that only what changed since is.
    clock.advance(seconds=50)
    colleague.visit("/")
    clock.advance(seconds=15)
    change(database, person.organization_id, clock)
    after_a_change = ask_after_a_pause(person, path)

    assert len(after_a_minute) <= MOST, "\n\n".join(after_a_minute)
    assert len(after_a_change) <= MOST, "\n\n".join(after_a_change)


@pytest.mark.parametrize(
    "path", ["/runs?q=boom", "/runs?q=boom&trigger=manual&{of_one}", "/runs?trigger=retry&{of_one}"]
)
def test_a_search_that_has_to_look_twice_keeps_to_its_statements(
    person: Browser, database: OpenDatabase, clock: ManualClock, broken: dict[str, str],
    monkeypatch: pytest.MonkeyPatch, path: str,
) -> None:  # fmt: skip
    """What it finds among the first ones does not fill a page, and behind the last ones there are more."""
    monkeypatch.setattr(run_search, "SEARCHED_FIRST", 2)
    monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 4)
    path = path.format(**broken)
    person.visit(path)

    clock.advance(seconds=61)
    change(database, person.organization_id, clock)
    statements = ask_after_a_pause(person, path)

    assert len(statements) <= MOST, "\n\n".join(statements)


@pytest.mark.parametrize(
    "path", ["/queue?tab=running&of=all&q=o", "/queue?tab=all&of=all&q=o", "/admin/system", "/admin/schedules"]
)
def test_a_page_of_all_organizations_keeps_to_its_statements(
    platform_admin: Browser, database: OpenDatabase, clock: ManualClock, broken: dict[str, str], path: str
) -> None:
    platform_admin.visit(path)

    clock.advance(seconds=61)
    change(database, platform_admin.organization_id, clock)
    statements = ask_after_a_pause(platform_admin, path)

    assert len(statements) <= MOST, "\n\n".join(statements)


def test_the_schedules_in_code_keep_to_their_statements(
    platform_admin: Browser, database: OpenDatabase, clock: ManualClock, broken: dict[str, str], in_code: None
) -> None:
    """However many there are: each has a run behind it, one in line and a gap."""
    path = "/admin/schedules"
    before = platform_admin.visit(path).text

    clock.advance(seconds=61)
    change(database, platform_admin.organization_id, clock)
    statements = ask_after_a_pause(platform_admin, path)

    told = "No scheduler is running", "No worker serves its queue “code”", "its queue “sync”", "9 slots", "Failed"
    assert [words for words in told if words not in before] == []
    assert len(statements) <= MOST, "\n\n".join(statements)


def test_an_overview_tells_of_all_that_at_once(
    person: Browser, database: OpenDatabase, clock: ManualClock, broken: dict[str, str]
) -> None:
    text = person.visit("/").text

    told = (
        "No worker is running",
        "Looks stuck",
        "It has no coming date.",
        "boom",
        "1 schedule paused",
        "and 5 more",
        "First steps",
    )
    assert [words for words in told if words not in text] == []


def test_the_first_steps_keep_to_their_statements(person: Browser, clock: ManualClock) -> None:
    before = person.visit("/").text

    clock.advance(seconds=61)
    statements = ask_after_a_pause(person, "/")

    assert "Make a job" in before
    assert len(statements) <= MOST, "\n\n".join(statements)
