"""Sends what the document allows, and what it does not: no failure of the server, no answer outside its schema."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as budget
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python._constants import orchestrator
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.openapi import documented_paths
from app.api.resource import OPERATIONS, Operation
from app.core.config import Settings
from tests.api.conftest import Caller
from tests.api.scenarios import SCENARIOS, World
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# So many requests of each sort for each operation: a glance, which takes a minute on two cores, and a look.
FEW, MANY = 3, 12
slow = pytest.mark.slow


def generated(examples: int) -> budget:
    return budget(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=slow)])
def engine(request: pytest.FixtureRequest) -> str:
    """SQLite always; PostgreSQL where minutes do not count."""
    name: str = request.param
    return name


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    return replace(settings, api_requests_per_minute=1_000_000)


@pytest.fixture
def world(database: OpenDatabase, world_api: Caller, clock: ManualClock) -> World:
    return World(database, world_api, clock.moment)


@pytest.fixture(scope="module", autouse=True)
def constants() -> Iterator[None]:
    """What stands in the app's modules is the same for all apps; to look through them takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patches:
        extract, found = orchestrator.extract_all, []

        def extract_once(**more: Any) -> Any:
            if not found:
                found.append(extract(**more))
            return found[0]

        patches.setattr(orchestrator, "extract_all", extract_once)
        yield


@pytest.fixture
def document(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


def real_parts(world: World, operation: Operation) -> dict[str, Any]:
    """Values for the path that lead to something: half of what is sent should get past the first look-up."""
    job_id = world.job(name="Target")
    parts: dict[str, Any] = {
        "job_id": job_id,
        "workflow_id": job_id,
        "schedule_id": world.schedule(job_id),
        "run_id": world.failed_run(job_id),
        "user_id": world.caller.actor.user_id,
        "name": "code",
    }
    names = {name for place in documented_paths(operation) for name, _ in place.parameters}
    return {name: str(parts[name]) for name in names if name in parts}


def operations_named(document: Any, name: str) -> list[Any]:
    found = [result.ok() for result in document.get_all_operations()]
    wanted = {f"{name}{place.suffix}" for place in documented_paths(OPERATIONS[name])}
    return [one for one in found if one.definition.raw["operationId"] in wanted]


class TestDocumentedAnswers:
    @pytest.mark.parametrize("name", sorted(SCENARIOS))
    def test_a_good_request_gets_the_answer_it_is_promised(self, world: World, document: Any, name: str):
        call = SCENARIOS[name](world)
        body = {} if call.body is None else {"json": call.body}
        answer = world.caller.open(OPERATIONS[name].method, call.path, **body)

        operation = operations_named(document, name)[0]

        operation.validate_response(answer)

    @pytest.mark.parametrize(
        ("engine", "examples"),
        [("sqlite", FEW), pytest.param("sqlite", MANY, marks=slow), pytest.param("postgresql", MANY, marks=slow)],
    )
    @pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
    @pytest.mark.parametrize("name", sorted(OPERATIONS))
    def test_no_request_gets_an_answer_of_another_kind(
        self, world: World, document: Any, name: str, mode: GenerationMode, examples: int
    ):
        parts = real_parts(world, OPERATIONS[name])
        # The checker does not unpack what comes compressed.
        headers = {"Authorization": f"Bearer {world.caller.token}", "Accept-Encoding": "identity"}
        for operation in operations_named(document, name):
            for fixed in {str(one): one for one in ({}, parts)}.values():

                @generated(examples)
                @given(case=operation.as_strategy(mode, path_parameters=fixed or None))
                def answers_as_promised(case: Any) -> None:
                    case.call_and_validate(headers=headers, checks=CHECKS)

                answers_as_promised()
