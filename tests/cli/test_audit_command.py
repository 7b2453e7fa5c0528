"""`belfry audit list`."""

import csv
import io
from datetime import timedelta
from uuid import UUID, uuid4

import click
import pytest
from sqlalchemy import update

from app.ops.time_bounds import BoundInvalid
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import Organization
from app.tenants.platform import acting_for_the_installation
from app.tenants.roles import Role
from tests.cli.conftest import Terminal
from tests.factories.tenants import make_member
from tests.fakes.clock import utc

NOON = utc("2027-01-05 12:00")
SUBJECT = uuid4()


@pytest.fixture
def past(terminal: Terminal) -> None:
    """Three entries of the organization, whose clock is Riga's, and one of the installation."""
    rows = terminal.json("organizations", "list")
    here = next(UUID(row["id"]) for row in rows if not row["is_system"])
    with terminal.database.transaction() as session:
        session.execute(update(Organization).values(timezone="Europe/Riga"))
        ada = make_member(session, organization_id=here).actor
        token = Actor(here, Role.OWNER, "ada@example.com (token ci)", ada.user_id)
        facts = {"subject_kind": "schedule", "subject_id": SUBJECT}
        changes = {"cron": ["0 2 * * *", "30 2 * * *"]}
        record(session, actor=ada, action="schedule.edited", summary="First", now=NOON, changes=changes, **facts)
        late = NOON + timedelta(hours=10, minutes=30)
        record(session, actor=token, action="schedule.deleted", summary="=Second", now=late, **facts)
        anybody = Actor(here, Role.OWNER, "command line")
        after = NOON + timedelta(days=2)
        record(
            session, actor=anybody, action="member.left", subject_kind="user", subject_id=None, summary="Third",
            now=after,
        )  # fmt: skip
        record(
            session, actor=acting_for_the_installation("command line"), action="queue.paused", subject_kind="queue",
            subject_id=None, summary="Paused", now=NOON,
        )  # fmt: skip


@pytest.mark.usefixtures("past")
class TestAudit:
    def test_is_a_table_of_who_did_what(self, terminal: Terminal) -> None:
        lines = terminal.run("audit", "list").output.splitlines()

        assert [line.split()[0] for line in lines] == ["AT", "2027-01-07T12:00:00Z", "2027-01-05T22:30:00Z",
                                                       "2027-01-05T12:00:00Z"]  # fmt: skip
        assert lines[-1].endswith("ada@example.com             schedule.edited   First    cron: 0 2 * * * → 30 2 * * *")

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ((), ["Third", "=Second", "First"]),
            (("--actor", "ada@example.com"), ["=Second", "First"]),
            (("--actor", "command line"), ["Third"]),
            (("--action", "schedule.edited"), ["First"]),
            (("--action", "schedule", "--limit", "1"), ["=Second"]),
            (("--kind", "user"), ["Third"]),
            (("--subject", str(SUBJECT)), ["=Second", "First"]),
            # By the clock of Riga, where the second one was after midnight.
            (("--until", "2027-01-05"), ["First"]),
            (("--since", "2027-01-06", "--until", "2027-01-06"), ["=Second"]),
            (("--since", "2027-01-05T22:30:00Z", "--until", "2027-01-07T12:00:00Z"), ["=Second"]),
            (("--organization", "System"), ["Paused"]),
        ],
    )
    def test_is_narrowed(self, terminal: Terminal, words: tuple[str, ...], expected: list[str]) -> None:
        assert [row["summary"] for row in terminal.json("audit", "list", *words)] == expected

    def test_is_a_file_that_a_spreadsheet_may_open(self, terminal: Terminal) -> None:
        rows = list(csv.DictReader(io.StringIO(terminal.run("audit", "list", "--csv").output)))

        assert [(row["summary"], row["by_kind"]) for row in rows] == [
            ("Third", "system"), ("'=Second", "token"), ("First", "person"),
        ]  # fmt: skip
        assert rows[-1]["changes"] == "cron: 0 2 * * * → 30 2 * * *"

    def test_says_when_nothing_matches(self, terminal: Terminal) -> None:
        result = terminal.run("audit", "list", "--actor", "nobody")

        assert result.output == "Nothing was done that matches.\n"

    def test_refuses_what_it_cannot_read(self, terminal: Terminal) -> None:
        assert isinstance(terminal.run("audit", "list", "--since", "yesterday").exception, BoundInvalid)
        for edge in (("--since", "0001-01-01T00:00"), ("--until", "9999-12-31T23:59"), ("--until", "9999-12-31")):
            assert isinstance(terminal.run("audit", "list", *edge).exception, BoundInvalid)
            assert isinstance(terminal.run("runs", "list", *edge).exception, BoundInvalid)
        assert terminal.run("audit", "list", "--csv", "--json").exit_code == click.UsageError.exit_code
