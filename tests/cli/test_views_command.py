"""`belfry views`: views for everybody."""

from uuid import UUID

import pytest

from app.core.errors import AppError
from app.ops.time_bounds import BoundInvalid
from app.tenants.models import Organization
from tests.cli.conftest import Terminal
from tests.factories.work import make_organization


@pytest.fixture
def here(terminal: Terminal) -> tuple[str, str]:
    with terminal.database.transaction() as session:
        organization_id: UUID = make_organization(session)
    return "--organization", str(organization_id)


def test_are_saved_renamed_and_deleted(terminal: Terminal, here: tuple[str, str]) -> None:
    made = terminal.json("views", "save", "runs", "Failed today", "state=failed", "last=24h", *here)["view"]
    terminal.run("views", "rename", made, "Failed", *here)
    listed = terminal.run("views", "list", *here)
    terminal.run("views", "delete", made, *here)

    assert "Failed  state=failed last=24h" in listed.output
    assert terminal.json("views", "list", *here) == []


def test_need_parts_that_the_list_has(terminal: Terminal, here: tuple[str, str]) -> None:
    result = terminal.run("views", "save", "runs", "Odd", "colour=red", *here)

    assert isinstance(result.exception, AppError)
    assert "has no 'colour'" in result.exception.message


def test_keep_times_as_instants(terminal: Terminal, here: tuple[str, str]) -> None:
    with terminal.database.transaction() as session:
        session.get_one(Organization, UUID(here[1])).timezone = "Europe/Riga"

    terminal.run("views", "save", "runs", "Then", "since=2027-03-15", "until=2027-03-15", *here)
    refused = terminal.run("views", "save", "runs", "Odd", "since=0001-01-01T00:00", *here)

    (view,) = terminal.json("views", "list", *here)
    assert view["query"] == {"since": "2027-03-14T22:00Z", "until": "2027-03-15T22:00Z"}
    assert isinstance(refused.exception, BoundInvalid)
