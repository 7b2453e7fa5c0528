"""`belfry queue runs|causes|stuck|take`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.cli import queue_bulk
from app.runs.models import Run
from app.tenants.organizations import list_organizations
from tests.cli.conftest import Terminal
from tests.factories.outcomes import make_failed, make_running
from tests.factories.work import load_run, make_job

NOW = datetime.now(UTC)


@pytest.fixture
def dead(terminal: Terminal) -> list[UUID]:
    with terminal.database.transaction() as session:
        job = make_job(session, own(terminal), name="Ads")
        return [make_failed(session, job, now=NOW, error=error) for error in ("Call 1", "Call 2", "Other")]


def own(terminal: Terminal) -> UUID:
    with terminal.database.reading() as session:
        return next(row.id for row in list_organizations(session) if not row.is_system)


def test_lists_runs_of_a_tab_and_of_a_cause(terminal: Terminal, dead: list[UUID]) -> None:
    causes = terminal.json("queue", "causes")
    found = terminal.json("queue", "runs", "--tab", "dead", "--cause", causes[0]["cause"])

    assert [group["runs"] for group in causes] == [2, 1]
    assert {run["id"] for run in found} == {str(each) for each in dead[:2]}
    assert "Other" in terminal.run("queue", "runs", "--tab", "dead", "--search", "other").output
    assert "Call 2" in terminal.run("queue", "causes").output
    assert terminal.run("queue", "runs").output == "No such runs.\n"


def test_a_cause_that_is_none_is_refused(terminal: Terminal) -> None:
    assert "See: belfry queue causes" in terminal.run("queue", "runs", "--tab", "dead", "--cause", "x").output


def test_takes_a_stuck_run_from_its_worker(terminal: Terminal) -> None:
    began_at = datetime.now(UTC) - timedelta(minutes=5)
    with terminal.database.transaction() as session:
        run_id = make_running(session, make_job(session, own(terminal)), now=began_at)

    told = terminal.run("queue", "stuck").output
    taken = terminal.run("queue", "take", str(run_id), "--retry")
    again = terminal.run("queue", "take", str(run_id))

    assert "It has run 5 min" in told
    assert "Its slot is free" in taken.output
    assert again.exit_code != 0
    assert terminal.run("queue", "stuck").output == "No run looks stuck.\n"
    with terminal.database.reading() as session:
        assert load_run(session, run_id).state == "cancelled"
        assert session.scalars(select(Run).where(Run.retry_of_run_id == run_id)).one().state == "ready"


def test_status_has_the_figures_of_each_queue(terminal: Terminal, dead: list[UUID]) -> None:
    found = {row["name"]: row for row in terminal.json("queue", "status")["figures"]}

    assert (found["code"]["failed"], len(found["code"]["depth"])) == (3, 60)


def test_bulk_retries_what_matches_and_removes_what_is_named(terminal: Terminal, dead: list[UUID]) -> None:
    retried = terminal.run("queue", "bulk", "retry", "--all", "--search", "call")
    removed = terminal.run("queue", "bulk", "remove", str(dead[2]), "--reason", "Nobody needs it")

    assert "Retry 2 runs" in retried.output
    assert "1 run removed" in removed.output
    assert terminal.run("queue", "runs", "--tab", "dead").output == "No such runs.\n"


def test_bulk_says_what_it_left_and_takes_it_the_next_time(
    terminal: Terminal, dead: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_bulk, "MOST_OBJECTS", 2)

    first, second = (terminal.run("queue", "bulk", "retry", "--all").output for _ in "12")

    assert "1 more matches and is left as it is" in first
    assert "When these are done, do the same again." in first
    assert "Retry 1 run" in second
    assert "left as" not in second


@pytest.mark.parametrize("words", [("retry",), ("retry", "--tab", "dead")], ids=str)
def test_bulk_refuses_what_is_unclear(terminal: Terminal, dead: list[UUID], words: tuple[str, ...]) -> None:
    refused = terminal.run("queue", "bulk", *words)

    assert refused.exit_code != 0
    assert "Name the runs" in str(refused.exception)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cause", "x"), "“x” is no cause"),
        (("--tab", "waiting", "--cause", "0f0497af5c9745f2"), "Only dead letters have a cause."),
        (("--queue", "x" * 33), "is not the name of a queue."),
        (("--search", "x" * 201), "A search has at most 200 characters"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_bulk_refuses_a_filter_that_it_cannot_read(
    terminal: Terminal, dead: list[UUID], options: tuple[str, ...], words: str
) -> None:
    refused = terminal.run("queue", "bulk", "remove", "--all", *options)

    assert refused.exit_code != 0
    assert words in str(refused.exception)
    assert len(terminal.json("queue", "runs", "--tab", "dead")) == 3
