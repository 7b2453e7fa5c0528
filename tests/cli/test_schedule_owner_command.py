"""`belfry schedules owner`."""

from uuid import UUID

import pytest

from app.tenants.roles import Role
from tests.cli.conftest import Terminal
from tests.factories.tenants import make_member
from tests.factories.work import make_job, make_schedule


@pytest.fixture
def here(terminal: Terminal) -> UUID:
    """An organization with a member, and a schedule that is nobody's."""
    rows = terminal.json("organizations", "list")
    found = next(UUID(row["id"]) for row in rows if not row["is_system"])
    with terminal.database.transaction() as session:
        make_member(session, email="vera@example.com", name="Vera", role=Role.VIEWER, organization_id=found)
        make_schedule(session, make_job(session, found), name="Nightly")
    return found


def test_gives_a_schedule_to_a_member_and_to_nobody(terminal: Terminal, here: UUID) -> None:
    assert terminal.run("schedules", "owner", "Nightly").output == "Nightly belongs to nobody.\n"
    given = terminal.json("schedules", "owner", "Nightly", "VERA@example.com")

    assert given["owner"] == "vera@example.com"
    assert [row["name"] for row in terminal.json("schedules", "list", "--owner", "vera@example.com")] == ["Nightly"]
    assert "Owner: vera@example.com." in terminal.run("schedules", "show", "Nightly").output
    assert terminal.run("schedules", "owner", "Nightly", "nobody").output == "Nightly belongs to nobody.\n"
    assert [row["owner"] for row in terminal.json("schedules", "list", "--owner", "nobody")] == [None]


def test_says_what_a_member_leaves_behind(terminal: Terminal, here: UUID) -> None:
    terminal.run("schedules", "owner", "Nightly", "vera@example.com")

    said = terminal.run("members", "remove", "vera@example.com").output

    assert "1 schedule has no owner any more." in said
    assert "nobody, since vera@example.com left" in terminal.run("schedules", "owner", "Nightly").output


def test_refuses_who_is_no_member(terminal: Terminal, here: UUID) -> None:
    refused = terminal.run("schedules", "owner", "Nightly", "far@example.com")

    assert refused.exit_code != 0
    assert "No member of the organization has this address." in str(refused.exception)
