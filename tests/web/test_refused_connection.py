"""What pages say of a connection whose login is refused, and of the schedules that were disabled with it."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app.core.db import Database
from app.jobs.kinds.base import KindName
from app.schedules.connection_pauses import PAUSED_BY, REFUSED
from tests.factories.figures import make_connection
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser


@pytest.fixture
def refused(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    at = clock.moment - timedelta(hours=1)
    with database.transaction() as session:
        connection = make_connection(session, organization_id, name="Acme EU", state="refused", refused_at=at)
        job = make_job(session, organization_id, kind=KindName.SYNC)
        job.service, job.definition = "meta", {"service": "meta", "connection_id": str(connection.id)}
        make_schedule(session, job, name="Daily", enabled=False, switched_by=f"{PAUSED_BY}{REFUSED}")
        return connection.id


def test_is_on_the_overview_with_the_button_that_helps(owner: Browser, viewer: Browser, refused: UUID) -> None:
    texts = [person.visit("/").text for person in (owner, viewer)]

    assert ["Refused, 1 schedule paused. Reconnect it." in text for text in texts] == [True, True]
    assert [f'href="/connections/{refused}/login"' in text for text in texts] == [True, False]
    assert (">Reconnect…</a>" in texts[0], ">Look</a>" in texts[1]) == (True, True)


def test_is_named_where_its_schedules_are(viewer: Browser, refused: UUID) -> None:
    listed = viewer.visit("/schedules").text
    daily = re.search(r'href="(/schedules/[0-9a-f-]{36})">Daily<', listed)
    assert daily is not None
    shown = viewer.visit(daily[1]).text

    for text in (listed, shown):
        assert f'<a href="/connections/{refused}"><span class="badge" data-state="connection_refused">' in text
        assert "Needs connection" not in text
