"""The page of quiet hours, the daily summary and maintenance."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.notifications.models import MaintenanceWindow, NotifySettings
from app.tenants.models import AuditEntry
from tests.factories.notifications import make_channel, make_settings, make_window
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

PAGE = "/notifications/settings"
QUIET = {"timezone": "Europe/Riga", "quiet_from": "22:00", "quiet_until": "07:00"}


def settled(database: OpenDatabase) -> NotifySettings | None:
    with database.reading() as session:
        return session.scalars(select(NotifySettings)).one_or_none()


def windows(database: OpenDatabase) -> list[MaintenanceWindow]:
    with database.reading() as session:
        return list(session.scalars(select(MaintenanceWindow)))


def actions(database: OpenDatabase) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("telling.%"))))


class TestQuietHours:
    def test_are_saved_with_their_clock(self, admin: Browser, viewer: Browser, database) -> None:
        answer = admin.send(PAGE, {**QUIET, "quiet_lets_through": ["stuck", "late"]})

        row, text = settled(database), viewer.visit(PAGE).text
        assert row is not None
        assert (answer.status_code, row.zone, row.quiet_from, row.quiet_until) == (303, "Europe/Riga", 1320, 420)
        assert "22:00 to 07:00, Europe/Riga. Told all the same: A run is late, A run is stuck." in text
        assert actions(database) == ["telling.settled"]

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"quiet_until": ""}, "Quiet hours have a beginning and an end."),
            ({"quiet_until": "22:00"}, "would tell nothing"),
            ({"quiet_from": "25:00"}, "Write a time of the day"),
            ({"timezone": "Mars/Base"}, "Mars/Base"),
            ({"summary_at": "08:00"}, "channel"),
            ({"quiet_lets_through": ["nonsense"]}, "Choose types that there are."),
        ],
    )
    def test_that_cannot_be_are_refused(self, admin: Browser, database, wrong: dict[str, str], words: str) -> None:
        answer = admin.send(PAGE, {**QUIET, **wrong})

        assert (answer.status_code, words in answer.text) == (422, True)
        assert settled(database) is None

    def test_leave_texts_as_they_are(self, admin: Browser, database, organization_id: UUID) -> None:
        with database.transaction() as session:
            make_settings(session, organization_id, texts={"late": {"title": "Late!", "body": ""}})

        admin.send(PAGE, QUIET)

        row = settled(database)
        assert row is not None
        assert (row.quiet_from, row.texts) == (1320, {"late": {"title": "Late!", "body": ""}})

    def test_are_settled_by_admins_alone(self, operator: Browser, database) -> None:
        assert operator.send(PAGE, QUIET).status_code == 403
        assert "Save settings" not in operator.visit(PAGE).text


class TestTheSummary:
    def test_names_who_tells_it(self, admin: Browser, database, organization_id: UUID) -> None:
        with database.transaction() as session:
            channel_id = make_channel(session, organization_id, name="#data")

        admin.send(PAGE, {"timezone": "UTC", "summary_at": "08:00", "summary_channel_ids": [str(channel_id)]})

        assert "Each day at 08:00, UTC, by #data." in admin.visit(PAGE).text


class TestMaintenance:
    def test_is_planned_on_ones_own_clock(self, admin: Browser, database, clock: ManualClock) -> None:
        begins = (clock.moment + timedelta(days=1)).strftime("%Y-%m-%dT10:00")
        ends = (clock.moment + timedelta(days=1)).strftime("%Y-%m-%dT12:00")
        words = {"scope_kind": "tag", "scope_name": "revenue", "reason": "<b>Moving</b>"}

        answer = admin.send("/notifications/maintenance", {"starts_at": begins, "ends_at": ends, **words})

        (window,) = windows(database)
        assert (answer.status_code, window.ends_at - window.starts_at) == (303, timedelta(hours=2))
        text = admin.visit(PAGE).text
        assert "Schedules tagged revenue" in text
        assert "&lt;b&gt;Moving" in text

    @pytest.mark.parametrize("kind", ["schedule", "job"])
    def test_is_planned_for_one_of_them_by_its_name(
        self, admin: Browser, database, organization_id: UUID, kind: str
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Nightly <job>")
            make_schedule(session, job, name="Nightly <schedule>")
        times = {"starts_at": "2090-01-01T10:00", "ends_at": "2090-01-01T12:00"}

        sent = times | {"scope_kind": kind, "scope_name": f"nightly <{kind}>"}
        answer = admin.send("/notifications/maintenance", sent)

        assert (answer.status_code, [window.scope_kind for window in windows(database)]) == (303, [kind])
        assert f"{kind.capitalize()} Nightly &lt;{kind}&gt;" in admin.visit(PAGE).text

    @pytest.mark.parametrize(
        ("kind", "name"), [("schedule", "Nobody's"), ("schedule", ""), ("tag", "a b"), ("job", "x" * 300)]
    )
    def test_of_what_is_not_there_is_refused_at_its_field(self, admin: Browser, database, kind: str, name: str) -> None:
        times = {"starts_at": "2090-01-01T10:00", "ends_at": "2090-01-01T12:00"}

        answer = admin.send("/notifications/maintenance", times | {"scope_kind": kind, "scope_name": name})

        assert (answer.status_code, windows(database)) == (422, [])
        assert 'id="scope_name-error"' in answer.text

    @pytest.mark.parametrize(
        ("begins", "ends", "words"),
        [
            ("", "", "Choose a day and a time."), ("soon", "later", "Choose a day and a time."),
            ("2090-01-01T10:00", "2090-01-01T09:00", "It ends after it begins"),
            ("2090-01-01T10:00", "2090-03-01T09:00", "within 31 days"),
            ("2000-01-01T10:00", "2000-01-01T12:00", "over already"),
        ],
    )  # fmt: skip
    def test_that_cannot_be_is_refused(self, admin: Browser, database, begins: str, ends: str, words: str) -> None:
        answer = admin.send("/notifications/maintenance", {"starts_at": begins, "ends_at": ends})

        assert (answer.status_code, words in answer.text, windows(database)) == (422, True, [])

    def test_ends_when_somebody_says_so(
        self, admin: Browser, viewer: Browser, stranger: Browser, database, organization_id: UUID, clock: ManualClock
    ) -> None:
        hour = timedelta(hours=1)
        with database.transaction() as session:
            make_window(session, organization_id, starts_at=clock.moment - hour, ends_at=clock.moment + hour)
        path = f"/notifications/maintenance/{windows(database)[0].id}/end"

        refused = [browser.send(path).status_code for browser in (viewer, stranger)]
        done = [admin.send(path).status_code for _ in range(2)]

        assert (refused[0], done, windows(database)[0].ends_at) == (403, [303, 404], clock.moment)
        assert "No maintenance is planned" in admin.visit(PAGE).text
