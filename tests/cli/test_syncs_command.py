"""`belfry syncs`."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select

from app.jobs.kinds.base import KindName
from app.syncs.models import StreamState
from app.tenants.models import Organization
from tests.cli.conftest import Terminal
from tests.factories.figures import make_connection
from tests.factories.work import make_job


@pytest.fixture
def connection(terminal: Terminal) -> str:
    with terminal.database.transaction() as session:
        organization_id: UUID = session.scalars(select(Organization.id).where(Organization.name == "Acme")).one()
        connection = make_connection(session, organization_id)
        here = {"organization_id": organization_id, "connection_id": connection.id}
        session.add(
            StreamState(name="campaigns", level="campaign", high_water=date(2026, 11, 19), doubt="loss", **here)
        )
        job = make_job(session, organization_id, kind=KindName.SYNC)
        job.service, job.definition = "meta", {"service": "meta", "connection_id": str(connection.id)}
        return str(connection.id)


def test_tells_how_new_figures_are_and_what_is_odd(terminal: Terminal, connection: str) -> None:
    terminal.json("syncs", "promise", connection, "campaigns", "07:00")

    text = terminal.run("syncs", "list", connection).output
    (row,) = terminal.json("syncs", "list", connection)
    assert "data through 2026-11-19 · promised by 07:00 · stale" in text
    assert "Most figures that were there are missing" in text
    assert (row["promised_by"], row["freshness"], row["doubt"]) == ("07:00", "stale", "loss")


def test_takes_a_promise_back(terminal: Terminal, connection: str) -> None:
    terminal.json("syncs", "promise", connection, "campaigns", "07:00")

    said = terminal.run("syncs", "promise", connection, "campaigns", "never").output

    assert said == "Nothing is promised of campaigns now.\n"
    assert terminal.json("syncs", "list", connection)[0]["promised_by"] is None


def test_says_that_it_is_normal_and_syncs_again(terminal: Terminal, connection: str) -> None:
    said = terminal.json("syncs", "normal", connection, "campaigns")
    run = terminal.json("syncs", "again", connection)["run"]

    assert (said["doubt"], terminal.json("syncs", "list", connection)[0]["doubt"]) == ("loss", None)
    assert terminal.json("runs", "show", run)["state"] == "ready"
