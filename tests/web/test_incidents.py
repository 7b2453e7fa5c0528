"""The list of incidents, the page of one, and what its buttons do."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.core.ids import new_id
from app.notifications.incident_models import Incident
from app.notifications.models import Delivery
from app.ops.models import BulkAction
from app.runs.causes import cause_of
from app.schedules.models import Schedule
from app.tenants.models import AuditEntry
from tests.factories.notifications import (
    make_channel,
    make_incident,
    make_incident_message,
    make_incident_thing,
)
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}"


@pytest.fixture
def incident_id(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    """An open one of a schedule that failed an hour ago, of which a channel was told."""
    ago = clock.moment - timedelta(hours=1)
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Import")
        schedule = make_schedule(session, job, name="Orders of the night", next_run_at=clock.moment)
        run_id = make_failed(session, job, now=clock.moment, schedule_id=schedule.id)
        told = {"text": HOSTILE, "run_id": str(run_id)}
        incident = make_incident(session, organization_id, opened_at=ago, last_at=ago, facts=told, happened=1234)
        make_incident_thing(session, incident, schedule.id, name="Orders of the night")
        make_incident_thing(session, incident, new_id(), subject_kind="job", name="Gone", is_in_trouble=False)
        make_incident_message(session, incident, make_channel(session, organization_id, name="#data"))
        return incident.id


def stored(database: OpenDatabase, incident_id: UUID) -> Incident:
    with database.reading() as session:
        return session.get_one(Incident, incident_id)


def actions(database: OpenDatabase) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("incident.%"))))


class TestTheList:
    def test_has_what_is_open_and_counts_it_in_the_menu(self, viewer: Browser, incident_id: UUID) -> None:
        text = viewer.visit("/incidents").text

        assert "Orders failed" in text
        assert "1,234" in text
        assert '<span class="count" data-state="failed" data-count="incidents" ><span>1</span>' in text

    def test_shows_what_is_over_behind_its_tab(
        self, viewer: Browser, database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            now = clock.moment
            make_incident(session, organization_id, state="closed", opened_at=now - timedelta(hours=2), closed_at=now)

        assert "Nothing is wrong" in viewer.visit("/incidents").text
        assert "Lasted 2 h" in viewer.visit("/incidents?state=closed").text

    @pytest.mark.parametrize(
        ("query", "is_there"),
        [
            ("q=ORDERS", True), ("q=100%25", False), ("type=stuck", False), ("type=run_failed", True),
            ("assigned=me", False), ("assigned=nobody", True), ("type=nonsense&assigned=x&state=y", True),
            ("q=%00", True), ("before=nonsense", True),
        ],
    )  # fmt: skip
    def test_is_narrowed(self, viewer: Browser, incident_id: UUID, query: str, is_there: bool) -> None:
        answer = viewer.visit(f"/incidents?{query}")

        assert (answer.status_code, "Orders failed" in answer.text) == (200, is_there)

    def test_goes_on_page_by_page(self, viewer: Browser, database, organization_id: UUID, clock: ManualClock) -> None:
        with database.transaction() as session:
            for number in range(51):
                at = clock.moment - timedelta(minutes=number)
                make_incident(session, organization_id, title=f"Number {number:02}", opened_at=at, last_at=at)

        first = viewer.visit("/incidents").text
        older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        second = viewer.visit(older).text

        assert ("Number 49" in first, "Number 50" in first) == (True, False)
        assert ("Number 49" in second, "Number 50" in second, "Newest" in second) == (False, True, True)

    def test_is_not_another_organizations(self, stranger: Browser, incident_id: UUID) -> None:
        assert "Orders failed" not in stranger.visit("/incidents?state=all").text
        assert stranger.visit(f"/incidents/{incident_id}").status_code == 404


class TestThePage:
    def test_says_what_it_concerns_and_what_was_told(self, viewer: Browser, incident_id: UUID) -> None:
        text = viewer.visit(f"/incidents/{incident_id}").text

        told = "Orders of the night", "Gone", "Works again", "#data", "It began", "First message"
        assert [words for words in told if words not in text] == []
        assert HOSTILE not in text
        assert text.count('href="/schedules/') >= 1

    def test_says_who_was_told_and_when(self, viewer: Browser, database, incident_id: UUID, clock) -> None:
        with database.transaction() as session:
            session.execute(update(Delivery).values(sent_at=clock.moment))

        text = viewer.visit(f"/incidents/{incident_id}").text
        assert "Told #data at" in text

    def test_is_named_by_its_schedule(self, viewer: Browser, database, incident_id: UUID) -> None:
        with database.reading() as session:
            (schedule_id,) = session.scalars(select(Schedule.id))

        assert f'href="/incidents/{incident_id}"' in viewer.visit(f"/schedules/{schedule_id}").text

    def test_offers_viewers_nothing(self, viewer: Browser, incident_id: UUID) -> None:
        text = viewer.visit(f"/incidents/{incident_id}").text

        assert "Add the note" not in text
        assert "Acknowledge (Your role here is viewer" in text

    @pytest.mark.parametrize("rest", ["acknowledge", "unacknowledge", "snooze", "assignee", "notes", "close", "retry"])
    def test_lets_viewers_change_nothing(self, viewer: Browser, database, incident_id: UUID, rest: str) -> None:
        assert viewer.send(f"/incidents/{incident_id}/{rest}", {"text": "x"}).status_code == 403
        assert actions(database) == []


class TestWhatPeopleDo:
    def test_acknowledging_is_once_and_can_be_undone(self, operator: Browser, database, incident_id: UUID) -> None:
        for _ in range(2):
            operator.send(f"/incidents/{incident_id}/acknowledge")
        assert stored(database, incident_id).state == "acknowledged"
        operator.send(f"/incidents/{incident_id}/unacknowledge")

        assert stored(database, incident_id).state == "open"
        assert actions(database) == ["incident.acknowledged", "incident.unacknowledged"]

    def test_a_snooze_ends(self, operator: Browser, database, incident_id: UUID, clock: ManualClock) -> None:
        operator.send(f"/incidents/{incident_id}/snooze", {"for": "4h"})
        assert stored(database, incident_id).snoozed_until == clock.moment + timedelta(hours=4)
        assert "Snoozed until" in operator.visit("/incidents").text

        operator.send(f"/incidents/{incident_id}/snooze")
        assert stored(database, incident_id).snoozed_until is None

    def test_a_snooze_for_no_time_there_is_is_refused(self, operator: Browser, database, incident_id: UUID) -> None:
        answer = operator.send(f"/incidents/{incident_id}/snooze", {"for": "900y"})

        assert (answer.status_code, "Choose for how long." in answer.text) == (422, True)
        assert stored(database, incident_id).snoozed_until is None

    def test_it_is_given_to_members_alone(
        self, operator: Browser, stranger: Browser, database, incident_id: UUID
    ) -> None:
        here = f"/incidents/{incident_id}/assignee"
        refused = [operator.send(here, {"user": who}).status_code for who in (str(stranger.user_id), "nonsense")]
        operator.send(here, {"user": str(operator.user_id)})

        assert (refused, stored(database, incident_id).assigned_to) == ([422, 422], operator.user_id)
        assert "Orders failed" in operator.visit("/incidents?assigned=me").text

    def test_a_note_stays_text(self, operator: Browser, incident_id: UUID) -> None:
        empty = operator.send(f"/incidents/{incident_id}/notes", {"text": " "})
        operator.send(f"/incidents/{incident_id}/notes", {"text": f"Seen {HOSTILE}"})

        assert (empty.status_code, "Write a note" in empty.text) == (422, True)
        assert "Seen &lt;script&gt;" in operator.visit(f"/incidents/{incident_id}").text

    def test_what_is_closed_stays_closed(self, operator: Browser, database, incident_id: UUID) -> None:
        assert "Close this incident?" in operator.visit(f"/incidents/{incident_id}/close").text
        operator.send(f"/incidents/{incident_id}/close")
        again = operator.send(f"/incidents/{incident_id}/acknowledge")

        assert (stored(database, incident_id).state, again.status_code) == ("closed", 303)
        assert "is over." in operator.visit(f"/incidents/{incident_id}").text
        assert operator.visit(f"/incidents/{incident_id}/close").status_code == 303

    def test_its_runs_are_retried_by_who_may(
        self, operator: Browser, admin: Browser, database, incident_id: UUID
    ) -> None:
        refused = operator.send(f"/incidents/{incident_id}/retry")
        asked = admin.visit(f"/incidents/{incident_id}/retry").text
        done = admin.send(f"/incidents/{incident_id}/retry")
        again = admin.visit(f"/incidents/{incident_id}/retry").text

        with database.reading() as session:
            (bulk_id,) = session.scalars(select(BulkAction.id))
        assert (refused.status_code, done.location) == (403, f"/bulk/{bulk_id}")
        assert ("Retry 1 failed run?" in asked, "Nothing to retry" in again) == (True, True)
        assert "Retrying 1 run" in admin.visit(f"/incidents/{incident_id}").text


class TestARunThatFailed:
    def test_says_who_was_told_of_it(self, viewer: Browser, database, organization_id: UUID, clock) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Import")
            run_id = make_failed(session, job, now=clock.moment, error="boom")
            cause = f"job:{job.id}:{cause_of('boom')}"
            incident = make_incident(session, organization_id, cause_key=cause, title="Import failed")
            make_incident_message(
                session, incident, make_channel(session, organization_id, name="#data"), sent_at=clock.moment
            )

        text = viewer.visit(f"/runs/{run_id}").text
        assert [
            words for words in ("Import failed", "Told #data at", f"/incidents/{incident.id}") if words not in text
        ] == []

    def test_says_why_nobody_was(self, viewer: Browser, database, organization_id: UUID, clock) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            run_id = make_failed(session, job, now=clock.moment, error="boom")
            make_incident(session, organization_id, cause_key=f"job:{job.id}:{cause_of('boom')}")

        assert "Nobody was told. There is no channel to tell it by." in viewer.visit(f"/runs/{run_id}").text
