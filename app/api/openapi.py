"""The OpenAPI 3.1 document of all operations. spectree writes it from their models; requests it never sees."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecuritySchemeData, Server
from spectree.plugins.base import BasePlugin

from app.api.blueprint import VERSION_PREFIX
from app.api.envelopes import ErrorAnswer, success_model
from app.api.errors import CODES
from app.api.repetition import HEADER, LONGEST_KEY
from app.api.resource import OPERATIONS, Operation
from app.core.version import VERSION
from app.edge.database import SAFE_METHODS
from app.tenants.token_queries import PLATFORM_SCOPE

_DESCRIPTION = (
    'Every answer is JSON: `{"success": true, "data": …}`, or `{"success": false, "error": {…}}` with the '
    "status that says what kind of failure it is. Lists come in pages: send `next` of one answer as `cursor` of the "
    "next request. All moments are in UTC."
)
_PART = re.compile(r"<(?:(\w+)(?:\((.*?)\))?:)?(\w+)>")
_ERRORS = {
    400: "The body is no valid JSON.",
    401: "Nobody is signed in, or the token is not valid.",
    403: "The role or the token's scopes do not allow this.",
    404: "It does not exist, or it belongs to another organization.",
    409: "The state does not allow this, or a name is taken.",
    413: "The body is too large or nested too deep.",
    415: "The body is not sent as application/json.",
    422: "The input cannot be accepted. `fields` says why.",
    429: "Too many requests. `Retry-After` says when to go on.",
    500: "Something went wrong on the server. `reference` is in its log.",
    503: "The database or something else that is needed is away for now.",
}
_RATE_HEADERS = {
    "RateLimit-Limit": "How many requests a minute are allowed.",
    "RateLimit-Remaining": "How many are left.",
    "RateLimit-Reset": "In how many seconds there are more.",
}


@dataclass(frozen=True)
class DocumentedPath:
    """An operation at one concrete path. One whose path takes a word from a list stands at one for each word."""

    operation: Operation
    path: str
    parameters: tuple[tuple[str, dict[str, Any]], ...]
    suffix: str = ""


class OperationPlugin(BasePlugin[DocumentedPath]):
    """Tells spectree of our operations instead of the app's routes, which are there twice."""

    def find_routes(self) -> Iterator[DocumentedPath]:  # type: ignore[override]
        for name in sorted(OPERATIONS):
            yield from documented_paths(OPERATIONS[name])

    def bypass(self, func: Any, method: str) -> bool:
        return False

    def parse_func(self, route: DocumentedPath) -> Iterator[tuple[str, Any]]:
        yield route.operation.method, _documented(self.spectree, route.operation)

    def parse_path(self, route: DocumentedPath, path_parameter_descriptions: Any) -> tuple[str, list[dict[str, Any]]]:
        return route.path, [
            {"name": name, "in": "path", "required": True, "schema": schema} for name, schema in route.parameters
        ]


def documented_paths(operation: Operation) -> Iterator[DocumentedPath]:
    """The concrete paths of an operation."""
    words = next((found for kind, found, _ in _PART.findall(operation.rule) if kind == "any"), "")
    for word in [one.strip() for one in words.split(",")]:
        rule = re.sub(r"<any\(.*?\):\w+>", word, operation.rule)
        parameters = tuple((name, _path_schema(kind)) for kind, _, name in _PART.findall(rule))
        yield DocumentedPath(operation, _PART.sub(r"{\3}", rule), parameters, f"_{word}" if word else "")


def make_document(cookie_name: str) -> dict[str, Any]:
    """The document. `cookie_name` is what browsers sign in with."""
    tree = _spec_tree(cookie_name)
    document: dict[str, Any] = json.loads(json.dumps(tree.spec))
    for name in sorted(OPERATIONS):
        for place in documented_paths(OPERATIONS[name]):
            _finish(document["paths"][place.path][place.operation.method.lower()], place)
    for query in {operation.query for operation in OPERATIONS.values() if operation.query}:
        # Its fields are parameters already.
        document["components"]["schemas"].pop(query.__name__, None)
    document["paths"]["/openapi.json"] = {"get": _own_operation()}
    document["paths"] = dict(sorted(document["paths"].items()))
    document["components"]["responses"] = {f"Error{status}": _error_response(status) for status in _ERRORS}
    return document


@cache
def document_text(cookie_name: str) -> str:
    """The document as JSON."""
    return json.dumps(make_document(cookie_name), ensure_ascii=False)


def _spec_tree(cookie_name: str) -> SpecTree:
    return SpecTree(
        backend=OperationPlugin,
        naming_strategy=lambda model: str(model.__name__),
        nested_naming_strategy=lambda _parent, child: child,
        validation_error_model=ErrorAnswer,
        annotations=False,
        title="Belfry",
        description=_DESCRIPTION,
        version=VERSION,
        openapi_version="3.1.0",
        servers=[Server(url=VERSION_PREFIX)],
        security_schemes=_security_schemes(cookie_name),
        security=[],
    )


def _security_schemes(cookie_name: str) -> list[SecurityScheme]:
    schemes: dict[str, dict[str, Any]] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearer_format": "belfry_…",
            "description": "An API token, made on the page of API tokens or by POST /tokens.",
        },
        "session": {
            "type": "apiKey",
            "field_in": "cookie",
            "name": cookie_name,
            "description": "The session of a browser that is signed in.",
        },
        "csrf": {
            "type": "apiKey",
            "field_in": "header",
            "name": "X-CSRF-Token",
            "description": "The token that pages carry: needed with a session, never with an API token.",
        },
    }
    return [SecurityScheme(name=name, data=SecuritySchemeData(**data)) for name, data in schemes.items()]


def _documented(tree: SpecTree, operation: Operation) -> Any:
    """The operation's function as spectree knows it. It is never called."""
    answers: Any = {f"HTTP_{operation.status}": success_model(operation)}
    remember = tree.validate(
        query=operation.query,
        json=operation.body,
        resp=Answers(**answers),
        tags=[operation.tag],
        security=_security(operation),
        operation_id=operation.name,
    )
    return remember(operation.view)


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.access.is_public:
        return []
    scopes = [operation.access.permission.value] if operation.access.permission else []
    if operation.access.platform_admin:
        scopes = [PLATFORM_SCOPE]
    session: dict[str, list[str]] = {"session": []}
    if operation.method not in SAFE_METHODS:
        session["csrf"] = []
    return [{"token": scopes}, session]


def _finish(described: dict[str, Any], place: DocumentedPath) -> None:
    """What spectree does not know: errors, headers, what may be left out."""
    operation = place.operation
    described["operationId"] = operation.name + place.suffix
    if not described["description"]:
        del described["description"]
    described["parameters"] = [_parameter(one) for one in described["parameters"]]
    if operation.is_repeatable:
        described["parameters"].append(_KEY_PARAMETER)
    if "requestBody" in described:
        described["requestBody"]["required"] = not operation.is_body_optional
    success = described["responses"][str(operation.status)]
    success["headers"] = _rate_headers()
    if operation.has_csv:
        success["content"]["text/csv"] = {"schema": {"type": "string"}}
    described["responses"] = {str(operation.status): success} | {
        str(status): {"$ref": f"#/components/responses/Error{status}"} for status in _errors_of(operation)
    }


def _errors_of(operation: Operation) -> list[int]:
    statuses = {422, 429, 500, 503}
    if not operation.access.is_public:
        statuses |= {401, 403}
    if operation.method not in SAFE_METHODS:
        statuses |= {400, 404, 409, 413, 415}
    if operation.may_conflict:
        statuses.add(409)
    if "<" in operation.rule:
        statuses.add(404)
    return sorted(statuses)


def _parameter(described: dict[str, Any]) -> dict[str, Any]:
    # A parameter that is left out is null to us, but nobody can send one.
    schema = described["schema"]
    choices = [one for one in schema.pop("anyOf", []) if one.get("type") != "null"]
    if len(choices) == 1:
        schema = choices[0] | schema
    if schema.get("default", "") is None:
        del schema["default"]
    schema.pop("title", None)
    text = schema.pop("description", "") or described.get("description", "")
    return described | {"schema": schema} | ({"description": text} if text else {"description": described["name"]})


def _path_schema(kind: str) -> dict[str, Any]:
    if kind == "uuid":
        return {"type": "string", "format": "uuid"}
    return {"type": "integer", "minimum": 0} if kind == "int" else {"type": "string", "minLength": 1}


def _error_response(status: int) -> dict[str, Any]:
    headers = _rate_headers()
    if status in {429, 503}:
        headers["Retry-After"] = {"description": "In how many seconds to go on.", "schema": {"type": "integer"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"description": "Bearer.", "schema": {"type": "string"}}
    example = {"code": CODES[status], "message": _ERRORS[status], "fields": []}
    return {
        "description": _ERRORS[status],
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ErrorAnswer"},
                "example": {"success": False, "error": example},
            }
        },
    }


def _rate_headers() -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "integer"}} for name, text in _RATE_HEADERS.items()}


def _own_operation() -> dict[str, Any]:
    schema = {"type": "object", "required": ["openapi", "info", "paths"]}
    return {
        "operationId": "show_document",
        "summary": "This document.",
        "tags": ["Document"],
        "security": [],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
    }


_KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    "description": "A request that is sent again with the same key gets the same answer, and does nothing more.",
}
