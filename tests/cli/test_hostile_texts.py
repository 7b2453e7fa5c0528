"""What came from outside and could steer a terminal: written out by every command that shows it to people."""

import logging
import re

import pytest
from sqlalchemy import select

from app.core.log import FieldsFormatter
from app.core.paths import ROOT
from app.tenants.models import Organization
from tests.cli.conftest import Terminal
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import utc

HOSTILE = "Sho\x1b]0;title\x07p \u202egnp.exe \u200bdown\x9b2J\nforged  row"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")
NOON = utc("2027-01-05 12:00")
# What a program reads, and the lines of a log, which a test of their own is about.
PRINTED_AS_IT_IS = {
    "console.py",
    "terminal.py",
    "run_log.py",
    "system.py",
    "audit.py",
    "schedule_versions.py",
    "data.py",
}


@pytest.fixture
def failed(terminal: Terminal) -> str:
    """A run whose job, schedule and error hold everything that steers."""
    terminal.json("organizations", "list")
    with terminal.database.transaction() as session:
        here = session.scalars(select(Organization.id).where(~Organization.is_system)).one()
        job = make_job(session, here, name=HOSTILE)
        schedule = make_schedule(session, job, name=HOSTILE)
        return str(make_failed(session, job, now=NOON, error=HOSTILE, lines=[HOSTILE], schedule_id=schedule.id))


class TestCommands:
    @pytest.mark.parametrize(
        "words",
        [["runs", "list"], ["schedules", "list"], ["jobs", "list"], ["queue", "runs", "--tab", "dead"],
         ["queue", "causes"], ["audit", "list"]],
        ids=" ".join,
    )  # fmt: skip
    def test_write_out_what_could_steer(self, terminal: Terminal, failed: str, words: list[str]) -> None:
        shown = terminal.run(*words)

        assert shown.exit_code == 0, shown.output
        assert RAW.search(shown.output) is None
        assert [line for line in shown.output.splitlines() if line.startswith("forged")] == []

    def test_tell_of_one_run_without_what_could_steer(self, terminal: Terminal, failed: str) -> None:
        shown = terminal.run("runs", "show", failed)

        assert RAW.search(shown.output) is None
        assert r"\x1b]0;title\x07p \u202egnp.exe \u200bdown\x9b2J" in shown.output

    def test_all_print_through_one_place(self) -> None:
        found = {path.name for path in (ROOT / "app" / "cli").glob("*.py") if "click.echo(" in path.read_text()}

        assert found == PRINTED_AS_IT_IS


class TestLog:
    def test_is_one_line_that_steers_nothing(self) -> None:
        record = logging.makeLogRecord({"msg": "run failed", "name": "app", "levelname": "INFO", "error": HOSTILE})

        line = FieldsFormatter().format(record)

        assert RAW.search(line) is None
        assert len(line.splitlines()) == 1
