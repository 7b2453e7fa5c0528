"""Walks every operation that changes something: each writes the audit, and gives its answer again when it repeats."""

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from app.api.resource import OPERATIONS, Operation
from app.tenants.audit_words import ACTIONS
from tests.api.conftest import Caller
from tests.api.scenarios import SCENARIOS, Call, World
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

COMMANDS = sorted(name for name, operation in OPERATIONS.items() if operation.changes)
REPEATABLE = sorted(name for name, operation in OPERATIONS.items() if operation.is_repeatable)


@pytest.fixture
def world(database: OpenDatabase, world_api: Caller, clock: ManualClock) -> World:
    return World(database, world_api, clock.moment)


def send(world: World, operation: Operation, call: Call, **headers: str) -> TestResponse:
    more = {} if call.body is None else {"json": call.body}
    return world.caller.open(operation.method, call.path, headers=headers, **more)


class TestEveryCommand:
    def test_has_a_scenario_and_no_other_operation_has(self):
        assert sorted(SCENARIOS) == COMMANDS

    @pytest.mark.parametrize("name", COMMANDS)
    def test_writes_the_audit(self, world: World, audited: Callable[[], list[str]], name: str):
        call = SCENARIOS[name](world)
        before = audited()

        answer = send(world, OPERATIONS[name], call)

        assert answer.status_code == OPERATIONS[name].status, answer.text
        assert len(audited()) > len(before)
        # Pages tell them in words, and offer them as a filter.
        assert set(audited()) <= set(ACTIONS)

    @pytest.mark.parametrize("name", REPEATABLE)
    def test_does_nothing_more_when_it_is_sent_again(self, world: World, audited: Callable[[], list[str]], name: str):
        call = SCENARIOS[name](world)
        first = send(world, OPERATIONS[name], call, **{"Idempotency-Key": "once"})
        before = audited()

        second = send(world, OPERATIONS[name], call, **{"Idempotency-Key": "once"})

        assert second.status_code == first.status_code == OPERATIONS[name].status
        assert second.headers["Idempotency-Replayed"] == "true"
        assert audited() == before
