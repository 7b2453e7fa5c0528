"""Reads a request's input into its declared shape. What it refuses it names by place, never by value."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.api.errors import FieldProblem, InputInvalid
from app.api.models import Body, Query

MOST_BYTES = 1024 * 1024
# Deeper than any definition of ours, and far from what the parsers' own recursion bears.
DEEPEST = 32
_MOST_PROBLEMS = 50
_LONGEST_PLACE = 200
_BIGGEST_NUMBER = 2**63 - 1
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNSTORABLE_SENTENCE = "This contains characters that cannot be stored."

AnyBody = TypeVar("AnyBody", bound=Body)
AnyQuery = TypeVar("AnyQuery", bound=Query)
Shape = TypeVar("Shape", bound=BaseModel)


def read_query(model: type[AnyQuery]) -> AnyQuery:
    """The parameters of the request. Raises InputInvalid."""
    given: dict[str, str] = {}
    problems = []
    for name, values in request.args.lists():
        if len(values) > 1:
            problems.append(FieldProblem(_place([name]), "Give this parameter once."))
        elif unstorable(name + values[0]):
            problems.append(FieldProblem(_place([name]), _UNSTORABLE_SENTENCE))
        given[name] = values[0]
    if problems:
        raise InputInvalid(problems[:_MOST_PROBLEMS])
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InputInvalid(problems_of(error)) from None


def read_body(model: type[AnyBody], *, is_optional: bool) -> AnyBody:
    """The JSON object of the request. Raises what becomes 400, 413, 415 or 422."""
    # Asked before anything is read: forms would be spooled to disk first.
    request.max_content_length = MOST_BYTES + 1
    has_body = bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "")
    if request.mimetype != "application/json" and (has_body or not is_optional):
        raise UnsupportedMediaType
    raw = request.get_data()
    # Of a body that comes in chunks, the server hands over no more than the limit, and says nothing.
    if len(raw) > MOST_BYTES:
        raise RequestEntityTooLarge
    if not raw.strip():
        if not is_optional:
            raise BadRequest
        raw = b"{}"
    _refuse_odd(raw)
    try:
        # Read once more, by pydantic: in JSON, and only there, its strict mode takes ids and moments as text.
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise InputInvalid(problems_of(error)) from None


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """What a model refused, in our words: pydantic's own sometimes quote the value."""
    found = error.errors(include_url=False, include_input=False)[:_MOST_PROBLEMS]
    return [FieldProblem(_place(one["loc"]), _sentence(one["type"], one.get("ctx", {}), one["msg"])) for one in found]


def unstorable(text: str) -> bool:
    """Whether a text holds what no database of ours takes: NUL, or half of a surrogate pair."""
    return _UNSTORABLE.search(text) is not None


_SENTENCES = {
    "missing": "This is missing.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "Use a text.",
    "string_too_short": "This is too short. Use {min_length} or more characters.",
    "string_too_long": "This is too long: {max_length} characters at most.",
    "string_pattern_mismatch": "This does not have the expected form.",
    "int_type": "Use a whole number.",
    "int_parsing": "Use a whole number.",
    "int_from_float": "Use a whole number.",
    "float_type": "Use a number.",
    "float_parsing": "Use a number.",
    "finite_number": "Use a number.",
    "bool_type": "Use true or false.",
    "bool_parsing": "Use true or false.",
    "greater_than_equal": "Use {ge} or more.",
    "greater_than": "Use more than {gt}.",
    "less_than_equal": "Use {le} or less.",
    "less_than": "Use less than {lt}.",
    "enum": "Use one of: {expected}.",
    "literal_error": "Use one of: {expected}.",
    "uuid_type": "Use an id, such as 0190b6a2-5c1e-7cc0-98a4-1f0e6d3b2a10.",
    "uuid_parsing": "Use an id, such as 0190b6a2-5c1e-7cc0-98a4-1f0e6d3b2a10.",
    "datetime_type": "Use an instant, such as 2026-01-31T08:00:00Z.",
    "datetime_parsing": "Use an instant, such as 2026-01-31T08:00:00Z.",
    "datetime_from_date_parsing": "Use an instant, such as 2026-01-31T08:00:00Z.",
    "timezone_aware": "Say the offset too, such as 2026-01-31T08:00:00Z.",
    "list_type": "Use a list.",
    "too_long": "At most {max_length} of these.",
    "too_short": "At least {min_length} of these.",
    "dict_type": "Use an object.",
    "model_type": "Use an object.",
    "model_attributes_type": "Use an object.",
    "moment_range": "Use an instant between the years 1 and 9999.",
}


def _sentence(kind: str, facts: dict[str, Any], message: str) -> str:
    if kind == "value_error":
        # Raised by a validator of ours, whose words are our own.
        return message.removeprefix("Value error, ")
    return _SENTENCES.get(kind, "This value cannot be used.").format_map(facts)


def _place(parts: Any) -> str:
    text = ".".join(str(part) for part in parts) or "body"
    return _UNSTORABLE.sub("�", text[:_LONGEST_PLACE])


def _refuse_odd(raw: bytes) -> None:
    try:
        content = json.loads(
            raw.decode(), object_pairs_hook=_once, parse_constant=_no_number, parse_int=_whole, parse_float=_finite
        )
    except RecursionError:
        raise RequestEntityTooLarge from None
    except (UnicodeDecodeError, ValueError):
        raise BadRequest from None
    bad = [_place(place) for place, text in _texts(content) if unstorable(text)]
    if bad:
        raise InputInvalid(FieldProblem(place, _UNSTORABLE_SENTENCE) for place in bad[:_MOST_PROBLEMS])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the same key twice: two parsers would take two different values")
    return found


def _no_number(_word: str) -> float:
    raise ValueError("no number of JSON")


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > _BIGGEST_NUMBER:
        raise ValueError("more digits than anybody stores")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("more digits than anybody stores")
    return number


def _texts(content: Any) -> Iterator[tuple[list[Any], str]]:
    """Every key and text with its place. Raises RequestEntityTooLarge when it is nested too deep."""
    waiting: list[tuple[list[Any], Any]] = [([], content)]
    while waiting:
        place, value = waiting.pop()
        if len(place) > DEEPEST:
            raise RequestEntityTooLarge
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            yield from (([*place, key], key) for key in value)
            waiting += [([*place, key], child) for key, child in value.items()]
        elif isinstance(value, list):
            waiting += [([*place, index], child) for index, child in enumerate(value)]
