"""Walks every operation with a token of each scope alone: only the right one opens it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from app.api.openapi import documented_paths
from app.api.resource import OPERATIONS, Operation
from app.tenants.token_queries import PLATFORM_SCOPE, SCOPE_WORDS
from tests.api.conftest import Caller, caller_for
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def callers(world_api: Caller, database: OpenDatabase, clock: ManualClock) -> dict[str, Caller]:
    """Tokens of an owner who is a platform admin, each with one scope."""
    assert world_api.member is not None
    app = world_api.client.application
    return {word: caller_for(app, database, clock, world_api.member, scopes=(word,)) for word in SCOPE_WORDS}


def address_of(operation: Operation) -> str:
    place = next(documented_paths(operation))
    return place.path.format_map({name: _any_of(schema) for name, schema in place.parameters})


def _any_of(schema: Mapping[str, Any]) -> object:
    if schema.get("type") == "integer":
        return 1
    return uuid4() if schema.get("format") == "uuid" else "code"


def needed_scope(operation: Operation) -> str | None:
    if operation.access.platform_admin:
        return PLATFORM_SCOPE
    return operation.access.permission.value if operation.access.permission else None


class TestEveryOperation:
    def test_opens_for_its_own_scope_alone(self, callers: dict[str, Caller]):
        wrong = []

        for operation in OPERATIONS.values():
            needed = needed_scope(operation)
            if needed is None:
                continue
            for word, caller in callers.items():
                more = {} if operation.method == "GET" else {"json": {}}
                status = caller.open(operation.method, address_of(operation), **more).status_code
                if (status == 403) != (word != needed) or status == 401:
                    wrong.append(f"{operation.name} with {word}: {status}")

        assert wrong == []

    def test_says_which_scope_it_lacks(self, callers: dict[str, Caller]):
        answer = callers["run"].get("/jobs")

        assert answer.json["error"]["message"] == "This token lacks the scope view. Make one that has it."

    def test_needs_no_certain_scope_where_everybody_may(self, callers: dict[str, Caller]):
        assert {caller.get("/me").status_code for caller in callers.values()} == {200}
