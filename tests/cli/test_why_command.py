"""`belfry schedules why` and `belfry runs why`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.errors import NotFound
from app.core.ids import new_id
from app.ops.models import Heartbeat
from app.runs.queue_models import QueueSwitch
from app.tenants.models import SYSTEM_ORGANIZATION_ID, Organization
from tests.cli.conftest import Terminal
from tests.factories.causes import CAUSES, Held, Scene
from tests.factories.work import make_job, make_run, make_schedule

PAUSED_AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def run_id(terminal: Terminal) -> str:
    """A run in a paused queue. Beside it is a schedule that nobody has switched on."""
    now = datetime.now(UTC)
    process = {"name": "tower:7", "version": "1.0", "slots": 5, "schedules": True}
    with terminal.database.transaction() as session:
        here = session.scalars(select(Organization.id).where(Organization.id != SYSTEM_ORGANIZATION_ID)).one()
        session.add(Heartbeat(process_id=new_id(), **process, started_at=now, beat_at=now, ticked_at=now))
        session.add(QueueSwitch(name="code", paused_at=PAUSED_AT, paused_by="root@example.com"))
        job = make_job(session, here)
        make_schedule(session, job, name="Nightly", enabled=False, next_run_at=now + timedelta(hours=1))
        return str(make_run(session, job, now=now))


class TestWhy:
    def test_is_said_of_a_run_in_words(self, terminal: Terminal, run_id: str) -> None:
        result = terminal.run("runs", "why", run_id)

        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("Its queue “code” is paused, by root@example.com since ")

    def test_is_said_of_a_run_to_programs(self, terminal: Terminal, run_id: str) -> None:
        why = terminal.json("runs", "why", run_id)

        assert (why["code"], why["holds"], why["by"]) == ("queue_paused", True, "root@example.com")
        assert (why["since"], why["also"]) == ("2026-01-05T12:00:00Z", [])

    @pytest.mark.usefixtures("run_id")
    def test_is_said_of_a_schedule_by_its_name(self, terminal: Terminal) -> None:
        assert terminal.json("schedules", "why", "Nightly")["code"] == "paused"
        assert terminal.run("schedules", "why", "Nightly").stdout.startswith("It was made switched off, at")

    def test_of_a_schedule_that_is_not_there_says_where_to_look(self, terminal: Terminal) -> None:
        result = terminal.run("schedules", "why", "Weekly")

        assert isinstance(result.exception, NotFound)
        assert "See: belfry schedules list" in result.exception.message


def printed(value: Any) -> Any:
    """A fact as JSON has it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}Z"
    return str(value) if isinstance(value, UUID) else value


@pytest.mark.parametrize("inject", CAUSES)
def test_each_cause_is_named_with_its_facts(terminal: Terminal, inject: Callable[[Scene], Held]) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with terminal.database.transaction() as session:
        here = session.scalars(select(Organization.id).where(Organization.id != SYSTEM_ORGANIZATION_ID)).one()
        held = inject(Scene(session, here, now))

    asked = [("schedules", "why", "Nightly"), *(("runs", "why", str(run_id)) for run_id in [held.waits] if run_id)]

    for question in asked:
        words = (*question, "--organization", "Acme")
        why = terminal.json(*words)
        assert (why["code"], [one for one in why["also"] if one["holds"]]) == (held.code, [])
        assert {name: why[name] for name in held.facts} == {name: printed(value) for name, value in held.facts.items()}
        assert held.said(lambda at: f"{at:%Y-%m-%d %H:%M:%S} UTC") in terminal.run(*words).stdout
