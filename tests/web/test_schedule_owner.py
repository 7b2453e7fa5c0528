"""Whose a schedule is, in its form: chosen among the members, and saved beside the rest."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.schedules.models import Schedule, ScheduleVersion
from app.tenants.models import AuditEntry
from tests.factories.work import make_job, make_schedule
from tests.web.conftest import Browser
from tests.web.filled_form import filled_form


@pytest.fixture
def schedule_id(database: Database, operator: Browser) -> UUID:
    """One of the operator's."""
    with database.transaction() as session:
        job = make_job(session, operator.organization_id, name="Export")
        whose = {"owner_id": operator.user_id, "owner": "operator@example.com"}
        return make_schedule(session, job, name="Nightly", cron="30 2 * * *", **whose).id


def opened(browser: Browser, schedule_id: UUID) -> dict[str, Any]:
    """The form as the browser would send it untouched."""
    return filled_form(browser.visit(f"/schedules/{schedule_id}/edit").text)


def read(database: Database, schedule_id: UUID) -> Schedule:
    with database.reading() as session:
        return session.get_one(Schedule, schedule_id)


def actions(database: Database) -> list[str]:
    with database.reading() as session:
        found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        return [action for action in found if action.startswith("schedule.")]


class TestTheForm:
    def test_gives_it_away_without_a_new_version(
        self, operator: Browser, viewer: Browser, schedule_id: UUID, database: Database
    ) -> None:
        fields = opened(operator, schedule_id) | {"owner": str(viewer.user_id)}

        saved = operator.send(f"/schedules/{schedule_id}", fields)

        row = read(database, schedule_id)
        assert saved.status_code == 303
        assert (row.owner_id, row.owner, row.version) == (viewer.user_id, "viewer@example.com", 1)
        assert actions(database) == ["schedule.handed_over"]
        with database.reading() as session:
            assert session.scalars(select(ScheduleVersion.version)).all() == []

    def test_saves_it_with_the_rest(
        self, operator: Browser, viewer: Browser, schedule_id: UUID, database: Database
    ) -> None:
        fields = opened(operator, schedule_id) | {"owner": "", "name": "Weekly"}

        operator.send(f"/schedules/{schedule_id}", fields)

        row = read(database, schedule_id)
        assert (row.owner_id, row.owner, row.name, row.version) == (None, None, "Weekly", 2)
        assert actions(database) == ["schedule.handed_over", "schedule.edited"]

    def test_leaves_alone_what_was_not_touched(
        self, operator: Browser, viewer: Browser, schedule_id: UUID, database: Database
    ) -> None:
        fields = opened(operator, schedule_id) | {"name": "Weekly"}
        operator.send(f"/schedules/{schedule_id}", opened(operator, schedule_id) | {"owner": str(viewer.user_id)})

        operator.send(f"/schedules/{schedule_id}", fields)

        row = read(database, schedule_id)
        assert (row.name, row.owner) == ("Weekly", "viewer@example.com")

    def test_tells_who_got_it_meanwhile_and_takes_the_second_answer(
        self, operator: Browser, viewer: Browser, owner: Browser, schedule_id: UUID, database: Database
    ) -> None:
        fields = opened(operator, schedule_id) | {"owner": str(viewer.user_id)}
        operator.send(f"/schedules/{schedule_id}", opened(operator, schedule_id) | {"owner": str(owner.user_id)})

        refused = operator.send(f"/schedules/{schedule_id}", fields)
        again = operator.send(f"/schedules/{schedule_id}", filled_form(refused.text))

        assert refused.status_code == 409
        assert "The schedule belongs to owner@example.com" in refused.text
        assert again.status_code == 303
        assert read(database, schedule_id).owner == "viewer@example.com"

    @pytest.mark.parametrize("owner_id", ["x", "01a1fde7-7ca7-79a4-ae65-7286d43a7ea7"])
    def test_takes_members_alone(
        self, operator: Browser, viewer: Browser, schedule_id: UUID, database: Database, owner_id: str
    ) -> None:
        fields = opened(operator, schedule_id) | {"owner": owner_id}

        refused = operator.send(f"/schedules/{schedule_id}", fields)

        assert refused.status_code == 422
        assert "Choose a member of the organization, or nobody." in refused.text
        assert read(database, schedule_id).owner_id == operator.user_id

    def test_is_undone(self, operator: Browser, viewer: Browser, schedule_id: UUID, database: Database) -> None:
        fields = opened(operator, schedule_id)
        operator.send(f"/schedules/{schedule_id}", fields | {"owner": str(viewer.user_id)})

        operator.send(f"/schedules/{schedule_id}", fields | {"owner_was": str(viewer.user_id)})

        assert read(database, schedule_id).owner == "operator@example.com"

    def test_does_not_ask_who_is_alone(self, operator: Browser, schedule_id: UUID) -> None:
        assert "owner" not in opened(operator, schedule_id)

    def test_of_a_new_one_offers_whoever_makes_it(
        self, operator: Browser, viewer: Browser, schedule_id: UUID, database: Database
    ) -> None:
        fields = filled_form(operator.visit("/schedules/new").text)
        job_id = str(read(database, schedule_id).job_id)

        operator.send("/schedules", fields | {"name": "Mine", "job_id": job_id})
        operator.send("/schedules", fields | {"name": "Theirs", "job_id": job_id, "owner": str(viewer.user_id)})

        with database.reading() as session:
            found = {row.name: row.owner for row in session.execute(select(Schedule.name, Schedule.owner))}
        assert fields["owner"] == [str(operator.user_id)]
        assert (found["Mine"], found["Theirs"]) == ("operator@example.com", "viewer@example.com")


class TestLeaving:
    def test_is_told_with_the_way_to_what_is_left(
        self, owner: Browser, operator: Browser, schedule_id: UUID, database: Database
    ) -> None:
        owner.send(f"/settings/team/members/{operator.user_id}/remove")

        text = owner.visit("/settings/team").text

        assert "1 schedule has no owner any more." in text
        assert "/schedules?owner=nobody" in text
        assert "Nobody, since operator@example.com left" in owner.visit(f"/schedules/{schedule_id}").text
