"""`belfry incidents`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.notifications.handling import IncidentNotFound, IncidentOver
from app.runs.causes import cause_of
from tests.cli.conftest import Terminal
from tests.factories.notifications import make_channel, make_incident, make_incident_message, make_incident_thing
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job


@pytest.fixture
def incident(terminal: Terminal) -> str:
    here = next(UUID(row["id"]) for row in terminal.json("organizations", "list") if not row["is_system"])
    at = datetime.now(UTC) - timedelta(hours=2)
    with terminal.database.transaction() as session:
        job = make_job(session, here, name="Import")
        make_failed(session, job, now=datetime.now(UTC))
        found = make_incident(session, here, opened_at=at, last_at=at)
        make_incident_thing(session, found, job.id, subject_kind="job", name="Import")
        return str(found.id)


def test_are_listed_and_shown(terminal: Terminal, incident: str) -> None:
    (row,) = terminal.json("incidents", "list", "--search", "orders", "--of", "nobody", "--type", "run_failed")
    shown = terminal.run("incidents", "show", incident).output

    assert (row["id"], row["state"], terminal.json("incidents", "list", "--over")) == (incident, "open", [])
    assert "concerns: job Import, in trouble" in shown
    assert "It began: The shop did not answer." in shown


def test_are_seen_to(terminal: Terminal, incident: str) -> None:
    for words in (("acknowledge",), ("snooze", "--hours", "4"), ("assign", "nobody"), ("note", "Moving house")):
        result = terminal.run("incidents", words[0], incident, *words[1:])
        assert result.exit_code == 0, result.output

    facts = terminal.json("incidents", "show", incident)
    assert (facts["state"], facts["acknowledged_by"]) == ("acknowledged", "command line")
    kinds = {line["kind"] for line in facts["timeline"]}
    assert kinds == {"opened", "acknowledged", "snoozed", "assigned", "noted"}
    terminal.run("incidents", "unacknowledge", incident)
    terminal.run("incidents", "snooze", incident, "--end")
    facts = terminal.json("incidents", "show", incident)
    assert (facts["state"], facts["snoozed_until"]) == ("open", None)


def test_are_retried_and_closed(terminal: Terminal, incident: str) -> None:
    bulk = terminal.json("incidents", "retry", incident)
    closed = terminal.run("incidents", "close", incident)
    refused = terminal.run("incidents", "acknowledge", incident)

    assert (bulk["done"], closed.output) == (1, "Closed.\n")
    assert isinstance(refused.exception, IncidentOver)
    assert terminal.json("incidents", "list", "--all")[0]["state"] == "closed"


@pytest.mark.parametrize("words", [(), ("--hours", "4", "--end")])
def test_a_snooze_says_for_how_long(terminal: Terminal, incident: str, words: tuple[str, ...]) -> None:
    assert "--hours" in str(terminal.run("incidents", "snooze", incident, *words).exception)


def test_of_a_run_say_who_was_told(terminal: Terminal) -> None:
    here = next(UUID(row["id"]) for row in terminal.json("organizations", "list") if not row["is_system"])
    now = datetime.now(UTC)
    with terminal.database.transaction() as session:
        job = make_job(session, here, name="Import")
        failed, good = make_failed(session, job, now=now, error="boom"), make_succeeded(session, job, now=now)
        found = make_incident(session, here, cause_key=f"job:{job.id}:{cause_of('boom')}", opened_at=now, last_at=now)
    before = terminal.run("incidents", "of", str(failed)).output
    with terminal.database.transaction() as session:
        make_incident_message(session, session.merge(found), make_channel(session, here, name="#data"), sent_at=now)

    facts = terminal.json("incidents", "of", str(failed))
    assert "told: nobody. There is no channel to tell it by." in before
    assert (facts["id"], [line["channel"] for line in facts["told"]["lines"]]) == (str(found.id), ["#data"])
    assert isinstance(terminal.run("incidents", "of", str(good)).exception, IncidentNotFound)
