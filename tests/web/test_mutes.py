"""Muting a schedule on its page, over the API's and the command's functions as well."""

import html
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.edge.runtime import EXTENSION
from app.notifications.models import MaintenanceWindow
from app.notifications.mutes import Mute, mute_of_job, mute_of_schedule
from app.tenants.models import AuditEntry
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


@pytest.fixture
def schedule_id(database: OpenDatabase, organization_id: UUID) -> UUID:
    with database.transaction() as session:
        return make_schedule(session, make_job(session, organization_id), name="Nightly").id


def mute(browser: Browser, schedule_id: UUID, hours: str = "24", **more: str):
    return browser.send(f"/schedules/{schedule_id}/mute", {"hours": hours, **more})


def muted(browser: Browser, schedule_id: UUID, clock: ManualClock) -> Mute | None:
    here = {"organization_id": browser.organization_id, "schedule_id": schedule_id, "now": clock.moment}
    with browser.application.extensions[EXTENSION].database.reading() as session:
        return mute_of_schedule(session, **here)


def until(browser: Browser, schedule_id: UUID, clock: ManualClock):
    found = muted(browser, schedule_id, clock)
    return None if found is None else found.until


def test_a_mute_begins_and_is_undone(owner: Browser, schedule_id: UUID, clock: ManualClock):
    mute(owner, schedule_id)
    page = html.unescape(owner.visit(f"/schedules/{schedule_id}").text)
    ends_at = until(owner, schedule_id, clock)
    mute(owner, schedule_id, "")

    assert "Muted until" in page
    assert ends_at == clock.moment + timedelta(hours=24)
    assert until(owner, schedule_id, clock) is None


def test_until_it_succeeds_has_a_longest_time_and_says_so(owner: Browser, schedule_id: UUID, clock: ManualClock):
    mute(owner, schedule_id, "success")

    page = html.unescape(owner.visit(f"/schedules/{schedule_id}").text)
    assert muted(owner, schedule_id, clock) == Mute(clock.moment + timedelta(days=7), until_success=True)
    assert "Muted until it succeeds, at the latest until" in page


def test_a_job_is_muted_on_its_page(owner: Browser, viewer: Browser, organization_id: UUID, database: OpenDatabase):
    with database.transaction() as session:
        job_id = make_job(session, organization_id, name="Read all").id
    here = {"organization_id": organization_id, "job_id": job_id}

    refused = viewer.send(f"/jobs/{job_id}/mute", {"hours": "1"})
    answer = owner.send(f"/jobs/{job_id}/mute", {"hours": "success"})
    page = html.unescape(owner.visit(f"/jobs/{job_id}").text)
    with database.reading() as session:
        begun = mute_of_job(session, now=session.scalars(select(MaintenanceWindow.starts_at)).one(), **here)
    owner.send(f"/jobs/{job_id}/mute")

    assert (refused.status_code, answer.headers["Location"]) == (403, f"/jobs/{job_id}")
    assert begun is not None
    assert begun.until_success
    assert "Muted until it succeeds" in page
    assert "Unmute" not in owner.visit(f"/jobs/{job_id}").text


def test_a_later_mute_replaces_the_one_before(owner: Browser, schedule_id: UUID, clock: ManualClock):
    mute(owner, schedule_id)
    mute(owner, schedule_id, "1")

    assert until(owner, schedule_id, clock) == clock.moment + timedelta(hours=1)


def test_a_mute_ends_by_itself(owner: Browser, schedule_id: UUID, clock: ManualClock):
    mute(owner, schedule_id, "1")

    clock.advance(hours=1)

    assert until(owner, schedule_id, clock) is None


def test_planned_maintenance_stays(
    owner: Browser, schedule_id: UUID, database: OpenDatabase, clock: ManualClock
):  # fmt: skip
    with database.transaction() as session:
        session.add(
            MaintenanceWindow(
                organization_id=owner.organization_id,
                starts_at=clock.moment,
                reason="Moving house",
                made_by="Ada",
                ends_at=clock.moment + timedelta(days=1),
                scope_kind="schedule",
                scope_value=str(schedule_id),
                created_at=clock.moment,
            )
        )

    mute(owner, schedule_id, "1")
    mute(owner, schedule_id, "")

    with database.reading() as session:
        assert session.scalars(select(MaintenanceWindow.reason)).all() == ["Moving house"]


@pytest.mark.parametrize("hours", ["999", "-1", "1.5", "x", "²", "Success"])
def test_what_is_not_offered_mutes_nothing(owner: Browser, schedule_id: UUID, clock: ManualClock, hours):
    assert mute(owner, schedule_id, hours).status_code == 303
    assert until(owner, schedule_id, clock) is None


def test_it_leads_back_to_a_page_of_ours_alone(owner: Browser, schedule_id: UUID):
    answer = mute(owner, schedule_id, next="https://example.com/")

    assert answer.headers["Location"] == f"/schedules/{schedule_id}"


def test_who_may_not_run_may_not_mute(viewer: Browser, schedule_id: UUID):
    assert mute(viewer, schedule_id).status_code == 403


def test_both_are_in_the_audit_of_the_schedule(owner: Browser, schedule_id: UUID):
    mute(owner, schedule_id)
    mute(owner, schedule_id, "")

    with owner.application.extensions[EXTENSION].database.reading() as session:
        mine = AuditEntry.subject_id == schedule_id
        actions = session.scalars(select(AuditEntry.action).where(mine).order_by(AuditEntry.id)).all()
    assert actions == ["schedule.muted", "schedule.unmuted"]
