"""Recently deleted schedules in the browser, and the way back from the audit."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.core.db import Database
from app.schedules.models import Schedule
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser


@pytest.fixture
def schedule_id(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Website check")
        at = clock.moment + timedelta(minutes=30)
        return make_schedule(session, job, name="Meta Ads daily", cron="30 * * * *", next_run_at=at).id


def delete(browser: Browser, schedule_id: UUID) -> None:
    assert browser.send(f"/schedules/{schedule_id}/delete").status_code == 303


def is_there(database: Database, schedule_id: UUID) -> bool:
    with database.reading() as session:
        return session.get_one(Schedule, schedule_id).deleted_at is None


class TestRecentlyDeleted:
    def test_lists_who_deleted_it_and_brings_it_back(
        self, operator: Browser, schedule_id: UUID, database: Database
    ) -> None:
        delete(operator, schedule_id)
        text = operator.visit("/schedules/deleted").text
        assert operator.member is not None

        response = operator.send(f"/schedules/deleted/{schedule_id}/restore", {"next": "/schedules/deleted"})

        assert "Meta Ads daily" in text
        assert f"by {operator.member.email}" in text
        assert response.location == "/schedules/deleted"
        assert "Meta Ads daily is back. Next run in 30 min." in operator.visit("/schedules/deleted").text
        assert is_there(database, schedule_id)

    def test_is_linked_to_from_the_list_also_where_it_is_empty(self, operator: Browser, schedule_id: UUID) -> None:
        before = operator.visit("/schedules").text
        delete(operator, schedule_id)

        assert 'href="/schedules/deleted"' in before
        assert 'href="/schedules/deleted"' in operator.visit("/schedules").text

    def test_says_what_keeps_one_from_coming_back(
        self, operator: Browser, schedule_id: UUID, database: Database
    ) -> None:
        delete(operator, schedule_id)
        with database.transaction() as session:
            gone = session.get_one(Schedule, schedule_id)
            session.add(make_schedule(session, make_job(session, gone.organization_id, name="x"), name=gone.name))

        text = operator.visit("/schedules/deleted").text

        assert "Another schedule is called “Meta Ads daily” by now." in text
        assert operator.send(f"/schedules/deleted/{schedule_id}/restore").status_code == 409

    def test_shows_a_viewer_the_list_and_no_way_back(
        self, operator: Browser, viewer: Browser, schedule_id: UUID
    ) -> None:
        delete(operator, schedule_id)

        assert "disabled title=" in viewer.visit("/schedules/deleted").text
        assert viewer.send(f"/schedules/deleted/{schedule_id}/restore").status_code == 403

    def test_is_not_for_strangers(self, operator: Browser, stranger: Browser, schedule_id: UUID) -> None:
        delete(operator, schedule_id)

        assert "Meta Ads daily" not in stranger.visit("/schedules/deleted").text
        assert stranger.send(f"/schedules/deleted/{schedule_id}/restore").status_code == 404

    def test_is_empty_at_first(self, viewer: Browser) -> None:
        assert "Nothing was deleted lately" in viewer.visit("/schedules/deleted").text

    def test_goes_on_with_older_ones(
        self, operator: Browser, schedule_id: UUID, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, session.get_one(Schedule, schedule_id).organization_id, name="Many")
            for number in range(52):
                make_schedule(session, job, deleted_at=clock.moment - timedelta(minutes=number))

        older = re.search(r'href="(/schedules/deleted\?before=[^"]+)"', operator.visit("/schedules/deleted").text)

        assert older is not None
        assert operator.visit(older[1].replace("&amp;", "&")).text.count('id="d-') == 2
        for before in ("nonsense", f"2027-01-01~{uuid4()}"):
            assert operator.visit(f"/schedules/deleted?before={before}").status_code == 200


class TestTheAudit:
    def test_offers_the_way_back_while_there_is_one(
        self, admin: Browser, schedule_id: UUID, database: Database
    ) -> None:
        delete(admin, schedule_id)
        action = f'action="/schedules/deleted/{schedule_id}/restore"'
        before = admin.visit("/audit").text
        admin.send(f"/schedules/deleted/{schedule_id}/restore")

        after = admin.visit("/audit").text

        assert (action in before, action in after) == (True, False)
        assert "Restored a deleted schedule" in after

    def test_leads_to_a_bulk_action(self, admin: Browser, schedule_id: UUID) -> None:
        asked = admin.send("/schedules/selection", {"action": "schedules.disable", "id": str(schedule_id)}).location
        there = str(asked).partition("/start")[0]
        admin.send(f"{there}/start", {"action": "schedules.disable"})

        text = admin.visit("/audit").text

        assert f'href="{there}"' in text
        assert "Disable 1 schedule" in text
