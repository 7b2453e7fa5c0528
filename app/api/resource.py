"""The decorator that makes an operation of the API: who may use it, what it reads, what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request

from app.api.admission import admit
from app.api.blueprint import api
from app.api.errors import json_response
from app.api.models import Answer, Body, NoBody, NoQuery, Query
from app.api.paging import Page
from app.api.reading import read_body, read_query, unstorable
from app.api.repetition import answer_once, answered_before, idempotency_key
from app.core.errors import NotFound
from app.edge.database import SAFE_METHODS
from app.edge.permissions import Access, declare
from app.edge.transactions import in_transaction, outside_transaction
from app.tenants.access import Permission

__all__ = ["OPERATIONS", "Message", "Operation", "Page", "resource"]

View = TypeVar("View", bound=Callable[..., object])


class PartUnreadable(NotFound):
    """A part of the path that nothing can be called."""


@dataclass(frozen=True)
class Message:
    """An answer, or none, with a sentence for people where there is one to say."""

    answer: Answer | None
    message: str | None


@dataclass(frozen=True)
class Operation:
    """One method of one path: all that serving it and documenting it needs.

    `outside` is asked before the view, with the same input and outside of its transaction: what takes seconds. The view
    gets the answer as `found`. It must not raise for what an outside machine says: that is for the view to answer.
    """

    name: str
    method: str
    rule: str
    access: Access
    view: Callable[..., object]
    tag: str
    query: type[Query] | None = None
    body: type[Body] | None = None
    is_body_optional: bool = False
    answer: type[Answer] | None = None
    is_list: bool = False
    is_bare: bool = False
    is_reading: bool = False
    may_conflict: bool = False
    has_csv: bool = False
    status: int = 200
    secret_fields: tuple[str, ...] = ()
    outside: Callable[..., object] | None = None

    @property
    def changes(self) -> bool:
        """Whether it is a command, which writes an audit row."""
        return self.method not in SAFE_METHODS and not self.is_reading

    @property
    def is_repeatable(self) -> bool:
        """Whether it heeds an Idempotency-Key. Without a caller there is nobody to remember the key for."""
        return self.method == "POST" and self.changes and not self.access.is_public


OPERATIONS: dict[str, Operation] = {}


def resource(
    method: str,
    rule: str,
    *,
    permission: Permission | None = None,
    signed_in: bool = False,
    platform_admin: bool = False,
    public: bool = False,
    tag: str | None = None,
    **details: Any,
) -> Callable[[View], View]:
    """Serve a function below /api/v1 and /api. Exactly one of the first four says who may use it.

    `details` are fields of Operation: query, body, is_body_optional, answer, is_list, is_bare, is_reading,
    may_conflict, has_csv, status, secret_fields, outside. The transaction is committed when the function returns, and
    forgotten when it raises.
    """
    access = Access(permission=permission, is_public=public, signed_in=signed_in, platform_admin=platform_admin)

    def decorate(view: View) -> View:
        group = tag or view.__module__.rpartition(".")[2].replace("_", " ").capitalize()
        operation = Operation(view.__name__, method, rule, access, view, group, **details)
        if operation.name in OPERATIONS:
            raise RuntimeError(f"two operations are called {operation.name}; their names are in the document")

        @wraps(view)
        def served(**path: Any) -> Response:
            return _serve(operation, path)

        OPERATIONS[operation.name] = operation
        api.add_url_rule(rule, operation.name, declare(served, access), methods=[method])
        return view

    return decorate


def _serve(operation: Operation, path: dict[str, Any]) -> Response:
    admit(operation.access)
    if any(isinstance(part, str) and unstorable(part) for part in path.values()):
        raise PartUnreadable("There is nothing at this address.")
    given = path | _read_input(operation)
    key = idempotency_key() if operation.is_repeatable else None
    ask = operation.outside
    if ask is not None:
        before = None if key is None else answered_before(key, operation.name)
        if before is not None:
            return before
        given["found"] = outside_transaction(lambda: ask(**given))

    def answer() -> Response:
        return _respond(operation, operation.view(**given))

    if key is None:
        return in_transaction(answer)
    return in_transaction(lambda: answer_once(key, operation.name, answer, secret_fields=operation.secret_fields))


def _read_input(operation: Operation) -> dict[str, Any]:
    given: dict[str, Any] = {}
    query = read_query(operation.query or NoQuery)
    if operation.query is not None:
        given["query"] = query
    if request.method in SAFE_METHODS:
        return given
    body = read_body(operation.body or NoBody, is_optional=operation.body is None or operation.is_body_optional)
    if operation.body is not None:
        given["body"] = body
    return given


def _respond(operation: Operation, result: object) -> Response:
    if isinstance(result, Response):
        # What is no JSON, such as a file, the view writes itself.
        return result
    message = result.message if isinstance(result, Message) else None
    found = result.answer if isinstance(result, Message) else result
    if operation.is_bare:
        return json_response(_shown(found), operation.status)
    content: dict[str, Any] = {"success": True}
    if isinstance(found, Page):
        content |= {"data": [_shown(item) for item in found.items], "next": found.next}
    else:
        content["data"] = _shown(found)
    if message is not None:
        content["message"] = message
    return json_response(content, operation.status)


def _shown(answer: object) -> Any:
    return answer.model_dump(mode="json") if isinstance(answer, Answer) else None
