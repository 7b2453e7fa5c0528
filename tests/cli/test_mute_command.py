"""`belfry schedules mute` and `belfry jobs mute`."""

import pytest
from sqlalchemy import select

from app.notifications.models import MaintenanceWindow
from app.tenants.models import AuditEntry, Organization
from tests.cli.conftest import Terminal
from tests.factories.work import make_job, make_schedule


@pytest.fixture
def name(terminal: Terminal, group: str) -> str:
    """What the command calls it: a schedule by its name, a job by its id."""
    with terminal.database.transaction() as session:
        place = session.scalars(select(Organization.id).where(~Organization.is_system)).one()
        job = make_job(session, place, name="Read all")
        make_schedule(session, job, name="Nightly")
        return "Nightly" if group == "schedules" else str(job.id)


def windows(terminal: Terminal) -> list[tuple[str, bool, int]]:
    with terminal.database.reading() as session:
        return [
            (row.scope_kind, row.until_success, round((row.ends_at - row.starts_at).total_seconds() / 3_600))
            for row in session.scalars(select(MaintenanceWindow))
        ]


@pytest.mark.parametrize("group", ["schedules", "jobs"])
class TestMute:
    def test_begins_is_replaced_and_ends(self, terminal: Terminal, group: str, name: str) -> None:
        begun = terminal.run(group, "mute", name, "24")
        first = windows(terminal)
        again = terminal.run(group, "mute", name, "2")
        second = windows(terminal)
        ended = terminal.run(group, "mute", name, "0")

        assert begun.output.startswith("Nothing is told of it until 20"), begun.output
        assert (again.exit_code, ended.output) == (0, "It is told of again.\n")
        assert [hours for *_, hours in (*first, *second, *windows(terminal))] == [24, 2]

    def test_until_the_next_success_says_its_longest_time(self, terminal: Terminal, group: str, name: str) -> None:
        result = terminal.run(group, "mute", name, "--until-success")

        assert "until it succeeds, at the latest until 20" in result.output
        assert windows(terminal) == [(group.removesuffix("s"), True, 168)]

    def test_needs_a_time(self, terminal: Terminal, group: str, name: str) -> None:
        result = terminal.run(group, "mute", name)

        assert (result.exit_code, windows(terminal)) == (2, [])
        assert "--until-success" in result.output

    @pytest.mark.parametrize("hours", ["169", "-1", "x"])
    def test_is_a_week_at_most(self, terminal: Terminal, group: str, name: str, hours: str) -> None:
        assert (terminal.run(group, "mute", name, hours).exit_code, windows(terminal)) == (2, [])

    def test_of_nobody_is_refused(self, terminal: Terminal, group: str, name: str) -> None:
        assert terminal.run(group, "mute", f"{name} of nobody", "1").exit_code != 0

    def test_is_in_the_audit(self, terminal: Terminal, group: str, name: str) -> None:
        terminal.run(group, "mute", name, "1")
        terminal.run(group, "mute", name, "0")

        with terminal.database.reading() as session:
            actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        kind = group.removesuffix("s")
        assert actions == [f"{kind}.muted", f"{kind}.unmuted"]
