import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from jsonschema_rs import validator_for

from app.api.models import Body
from app.api.openapi import documented_paths
from app.api.resource import OPERATIONS
from tests.api.conftest import Caller


@pytest.fixture
def engine() -> str:
    """The document does not depend on the database."""
    return "sqlite"


@pytest.fixture
def document(anonymous_api: Caller) -> dict[str, Any]:
    found: dict[str, Any] = anonymous_api.get("/openapi.json").json
    return found


def operations_of(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): described
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    }


def references_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references_in, value.values()))
    return set().union(*map(references_in, value)) if isinstance(value, list) else set()


class TestDocument:
    def test_is_open_to_everybody_and_may_be_kept(self, anonymous_api: Caller):
        first = anonymous_api.get("/openapi.json")

        again = anonymous_api.open("GET", "/openapi.json", headers={"If-None-Match": first.headers["ETag"]})

        assert first.status_code == 200
        assert first.headers["Cache-Control"] == "public, max-age=300"
        assert again.status_code == 304

    def test_is_valid(self, app: Flask, document: dict[str, Any]):
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

        schema.validate()
        assert document["openapi"] == "3.1.0"

    def test_describes_every_route_and_nothing_else(self, app: Flask, document: dict[str, Any]):
        routes = {
            (method, rule.rule.removeprefix("/api/v1"))
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/api/v1/")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        described = {(one.method, one.rule) for one in OPERATIONS.values()} | {("GET", "/openapi.json")}
        paths = {(one.method, place.path) for one in OPERATIONS.values() for place in documented_paths(one)}

        assert described == routes
        assert set(operations_of(document)) == paths | {("GET", "/openapi.json")}

    def test_refers_to_nothing_that_is_missing(self, document: dict[str, Any]):
        components = {f"#/components/{kind}/{name}" for kind, found in document["components"].items() for name in found}

        assert references_in(document) <= components

    def test_calls_every_operation_by_a_name_of_its_own(self, document: dict[str, Any]):
        names = [described["operationId"] for described in operations_of(document).values()]

        assert len(names) == len(set(names))

    def test_says_of_every_operation_what_it_does_and_how_it_fails(self, document: dict[str, Any]):
        silent = [
            place
            for place, described in operations_of(document).items()
            if place[1] != "/openapi.json"
            and not (described["summary"].endswith(".") and {"422", "429", "500", "503"} <= set(described["responses"]))
        ]

        assert silent == []

    def test_says_who_may_use_an_operation(self, document: dict[str, Any]):
        found = operations_of(document)

        assert found["GET", "/openapi.json"]["security"] == []
        assert found["GET", "/jobs"]["security"] == [{"token": ["view"]}, {"session": []}]
        assert found["POST", "/jobs"]["security"] == [{"token": ["edit_jobs"]}, {"session": [], "csrf": []}]

    @pytest.mark.parametrize("name", sorted(OPERATIONS))
    def test_has_a_valid_example_of_every_body(self, name: str):
        body: type[Body] | None = OPERATIONS[name].body
        if body is None:
            return
        schema = body.model_json_schema()
        examples = schema.get("examples", [])

        for example in examples:
            body.model_validate_json(json.dumps(example))
            validator_for(schema).validate(example)
        assert examples, f"{body.__name__} has no example"

    def test_means_one_model_by_each_name(self):
        seen: dict[str, Any] = {}
        for operation in OPERATIONS.values():
            models = [(operation.body, "validation"), (operation.answer, "serialization")]
            for model, mode in models:
                schema = {} if model is None else model.model_json_schema(mode=mode)  # type: ignore[arg-type]
                own = {} if model is None else {model.__name__: {k: v for k, v in schema.items() if k != "$defs"}}
                for name, described in (schema.get("$defs", {}) | own).items():
                    assert seen.setdefault(name, described) == described, f"two models are called {name}"
