"""A parent on a real worker: it goes on within a second of its last child, also when that one was a short run."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.jobs.kinds.base import Outcome, OutcomeStatus, RunContext
from app.runs.models import Run
from app.runs.states import RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.database import OpenDatabase
from tests.queue.crew import Crew, GatedKind, eventually

CHILDREN = 12


class GroupKind(GatedKind):
    """Starts everything and waits for it. Notes when it is called, and when a child ends."""

    def __init__(self) -> None:
        super().__init__()
        self.called_at: list[float] = []
        self.ended_at = 0.0

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        if "group" not in definition:
            outcome = super().run(definition, context)
            self.ended_at = time.monotonic()
            return outcome
        self.called_at.append(time.monotonic())
        counts = context.children()
        if counts is None:
            context.start_children(definition["group"])
        if counts is None or counts.running:
            return Outcome(OutcomeStatus.SUSPENDED)
        return Outcome(OutcomeStatus.SUCCEEDED, result={"succeeded": counts.succeeded})


@pytest.fixture
def kind() -> GroupKind:
    return GroupKind()


@pytest.fixture
def crew(settings: Settings, database: OpenDatabase, kind: GroupKind) -> Iterator[Crew]:
    crew = Crew(settings, kind, name="w-1", slots=4)
    yield crew
    crew.stop()


def parent_of_many(database: OpenDatabase) -> UUID:
    with database.transaction() as session:
        here, now = make_organization(session), DatabaseClock().now(session)
        for number in range(CHILDREN):
            make_job(session, here, name=f"Child {number}").code_name = f"child_{number}"
        return make_run(session, make_job(session, here, name="All", group=None), now=now)


def test_goes_on_within_a_second_of_its_last_child(database: OpenDatabase, crew: Crew, kind: GroupKind) -> None:
    parent_id = parent_of_many(database)

    def has_succeeded() -> bool:
        with database.reading() as session:
            return session.get_one(Run, parent_id).state == RunState.SUCCEEDED.value

    crew.start_consumer()
    crew.dispatch()

    assert eventually(has_succeeded)
    assert len(kind.called_at) == 2
    assert kind.called_at[-1] - kind.ended_at < 1
