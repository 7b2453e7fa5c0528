"""`belfry schedules versions`, `restore`, `duplicate`, `slots` and the changes in `history`."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.core.errors import Conflict, Invalid
from app.schedules.models import Schedule
from tests.cli.conftest import Terminal

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


@pytest.fixture
def schedule_id(terminal: Terminal) -> str:
    """One that ran at two and now runs at half past."""
    job = terminal.json("jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW)["job"]
    made = terminal.json("schedules", "create", "Nightly", "--job", str(job), "--cron", "0 2 * * *")["schedule"]
    assert terminal.run("schedules", "edit", str(made), "--cron", "30 2 * * *").exit_code == 0
    return str(made)


class TestVersions:
    def test_are_listed_with_what_changed(self, terminal: Terminal, schedule_id: str):
        text = terminal.run("schedules", "versions", "Nightly").output

        assert "cron: 0 2 * * * → 30 2 * * *" in text
        assert "command line" in text

    def test_are_restored(self, terminal: Terminal, schedule_id: str):
        result = terminal.run("schedules", "restore", "Nightly", "1")

        assert result.output == "Restored version 1.\n"
        assert [row["restored_from"] for row in terminal.json("schedules", "versions", "Nightly")] == [1, None, None]

    def test_are_not_restored_twice(self, terminal: Terminal, schedule_id: str):
        result = terminal.run("schedules", "restore", "Nightly", "2")

        assert isinstance(result.exception, Conflict)


class TestDuplicate:
    def test_makes_a_copy(self, terminal: Terminal, schedule_id: str):
        assert terminal.json("schedules", "duplicate", schedule_id)["name"] == "Nightly (copy)"


class TestHistory:
    def test_shows_who_changed_what(self, terminal: Terminal, schedule_id: str):
        text = terminal.run("schedules", "history", "Nightly", "--kind", "changes").output

        assert "version 2 by command line" in text
        assert terminal.json("schedules", "history", "Nightly", "--kind", "runs") == []


class TestSlots:
    @pytest.fixture
    def yesterday(self, terminal: Terminal, schedule_id: str) -> str:
        """A day on which a minutely schedule was on, and nobody there."""
        with terminal.database.transaction() as session:
            now = session.scalars(select(Schedule.created_at)).one()
            day = (now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            values = {"created_at": day - timedelta(days=1), "next_run_at": day, "enabled": False, "switched_at": None}
            session.execute(update(Schedule).values(**values))
        return str(day.date())

    def test_are_listed_with_their_outcome(self, terminal: Terminal, yesterday: str):
        shown = terminal.json("schedules", "slots", "Nightly", "--day", yesterday)

        assert shown["expected"] == sum(shown["counts"].values())
        assert shown["day"] == yesterday

    def test_come_as_csv(self, terminal: Terminal, yesterday: str):
        result = terminal.run("schedules", "slots", "Nightly", "--day", yesterday, "--csv")

        assert "outcome" in next(csv.reader(io.StringIO(result.output)))

    def test_are_narrowed_in_the_file_as_well(self, terminal: Terminal, yesterday: str):
        counts = terminal.json("schedules", "slots", "Nightly", "--day", yesterday)["counts"]
        words = ["schedules", "slots", "Nightly", "--day", yesterday, "--csv", "--outcome"]

        lines = {outcome: len(terminal.run(*words, outcome).output.splitlines()) - 1 for outcome in counts}

        assert lines == counts
        assert len(terminal.run(*words, "running").output.splitlines()) == 1

    def test_are_of_days_that_have_begun(self, terminal: Terminal, schedule_id: str):
        result = terminal.run("schedules", "slots", "Nightly", "--day", "2199-01-01")

        assert isinstance(result.exception, Invalid)
