"""The page of a connection's figures: how new they are, what is odd about them, and what people say of that."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select

from app.jobs.kinds.base import KindName
from app.runs.models import Run
from app.syncs.models import StreamState
from app.tenants.models import AuditEntry
from tests.factories.figures import make_connection
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


@pytest.fixture
def connection_id(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    """One whose campaigns are in doubt, through the day before yesterday."""
    with database.transaction() as session:
        connection = make_connection(session, organization_id, name="Acme EU")
        here = {"organization_id": organization_id, "connection_id": connection.id}
        through = date.fromordinal(clock.moment.date().toordinal() - 2)
        doubt = {"doubt": "loss", "doubted_since": clock.moment}
        session.add(StreamState(name="campaigns", level="campaign", high_water=through, **doubt, **here))
        job = make_job(session, organization_id, kind=KindName.SYNC)
        job.service, job.definition = "meta", {"service": "meta", "connection_id": str(connection.id)}
        make_schedule(session, job, next_run_at=clock.moment)
        return connection.id


def stream(database: OpenDatabase) -> StreamState:
    with database.reading() as session:
        return session.scalars(select(StreamState)).one()


def actions(database: OpenDatabase) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("connection.%"))))


class TestThePage:
    def test_says_what_is_odd_and_how_new_it_is(self, viewer: Browser, connection_id: UUID) -> None:
        text = viewer.visit(f"/connections/{connection_id}/streams").text

        assert "Most figures that were there are missing" in text
        assert "nothing is promised" in text
        assert "Save the promise" not in text
        assert f'href="/data?source={connection_id}"' in text

    def test_names_the_days_that_were_lost(self, viewer: Browser, database: OpenDatabase, connection_id: UUID) -> None:
        with database.transaction() as session:
            lost = [["2022-01-11", "2023-10-31"], ["2024-02-01", "2024-02-01"]]
            session.scalars(select(StreamState)).one().mark = {"lost_days": lost}

        text = viewer.visit(f"/connections/{connection_id}/streams").text

        assert "11 Jan 2022 – 31 Oct 2023, 1 Feb 2024<" in text

    def test_is_not_there_for_strangers(self, stranger: Browser, connection_id: UUID) -> None:
        assert stranger.visit(f"/connections/{connection_id}/streams").status_code == 404
        assert stranger.send(f"/connections/{connection_id}/streams/campaigns/normal").status_code == 404
        assert stranger.send(f"/connections/{connection_id}/sync").status_code == 404

    def test_lets_viewers_change_nothing(self, viewer: Browser, connection_id: UUID) -> None:
        for path in ("streams/campaigns/normal", "streams/campaigns/promise", "sync"):
            assert viewer.send(f"/connections/{connection_id}/{path}").status_code == 403


class TestWhatIsNormal:
    def test_ends_the_doubt_once_and_is_noted(self, operator: Browser, database, connection_id: UUID) -> None:
        for _ in range(2):
            operator.send(f"/connections/{connection_id}/streams/campaigns/normal")

        assert (stream(database).doubt, actions(database)) == (None, ["connection.called_normal"])
        assert "Most figures that were there" not in operator.visit(f"/connections/{connection_id}/streams").text

    def test_is_nothing_of_a_stream_that_is_none(self, operator: Browser, connection_id: UUID) -> None:
        assert operator.send(f"/connections/{connection_id}/streams/nothing/normal").status_code == 404


class TestAPromise:
    def test_is_kept_and_shown(self, operator: Browser, database, connection_id: UUID) -> None:
        operator.send(f"/connections/{connection_id}/streams/campaigns/promise", {"by": "07:00"})

        text = operator.visit(f"/connections/{connection_id}/streams").text
        assert (stream(database).promised_minute, actions(database)) == (420, ["connection.promised"])
        assert "promised by 07:00 · stale" in text
        assert 'value="07:00"' in text

    def test_of_no_time_says_so_beside_the_field(self, operator: Browser, database, connection_id: UUID) -> None:
        answer = operator.send(f"/connections/{connection_id}/streams/campaigns/promise", {"by": "25:00"})

        assert (answer.status_code, stream(database).promised_minute) == (422, None)
        assert "Write the time as 07:00" in answer.text

    def test_is_taken_back_with_an_empty_field(self, operator: Browser, database, connection_id: UUID) -> None:
        for by in ("07:00", ""):
            operator.send(f"/connections/{connection_id}/streams/campaigns/promise", {"by": by})

        assert stream(database).promised_minute is None


def test_syncing_again_starts_one_run_for_two_clicks(operator: Browser, database, connection_id: UUID) -> None:
    for _ in range(2):
        operator.send(f"/connections/{connection_id}/sync", {"request_key": "k" * 32})

    with database.reading() as session:
        assert session.scalars(select(Run.state)).all() == ["ready"]
