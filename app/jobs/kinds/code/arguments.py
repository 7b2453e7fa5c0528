"""The arguments of a function as fields of a form, derived from its pydantic model. Pure."""

import json
from dataclasses import dataclass
from enum import Enum, StrEnum
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, to_jsonable_python

from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.said import is_a, kind_and_words, shown

Value = str | int | float | bool | None


class ArgumentKind(StrEnum):
    """How a value is entered."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"  # one of `choices`
    JSON = "json"  # a list, an object, or whatever else the function's types read


@dataclass(frozen=True)
class ArgumentField:
    """One argument, as a form shows it."""

    name: str
    label: str
    help: str
    kind: ArgumentKind
    required: bool
    default: Value
    choices: tuple[str, ...] = ()
    # What the choices stand for, in their order.
    options: tuple[Any, ...] = ()


_KINDS: tuple[tuple[type, ArgumentKind], ...] = (
    # bool first: it is an int to Python.
    (bool, ArgumentKind.BOOLEAN),
    (int, ArgumentKind.INTEGER),
    (float, ArgumentKind.NUMBER),
    (str, ArgumentKind.TEXT),
)


def argument_fields(function: CodeFunction) -> tuple[ArgumentField, ...]:
    """The arguments of a function in the order of their declaration."""
    return tuple(_field(name, info) for name, info in function.arguments.model_fields.items())


def entered_value(field: ArgumentField, text: str) -> Any:
    """What somebody means who enters this text: what a choice stands for, and a list or an object from its JSON.

    Anything else stays a text, which the function's own types read.
    """
    if field.kind is ArgumentKind.CHOICE:
        return next((value for name, value in zip(field.choices, field.options, strict=True) if name == text), text)
    if field.kind is not ArgumentKind.JSON:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, list | dict) else text


def shown_value(value: Any) -> Value:
    """A value as a field opens with it, and `entered_value` reads it."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def why_no_form(function: CodeFunction) -> str | None:
    """What of the arguments no form can show, and what to do; None where one can."""
    try:
        for field in argument_fields(function):
            for what, text in (("title", field.label), ("description", field.help)):
                if not is_a(text, str):
                    return f"The {what} of its parameter “{field.name}” is {shown(text)}. Use a text."
            if isinstance(field.default, float) and not isfinite(field.default):
                return f"The default of its parameter “{field.name}” is {field.default}. Use a finite number, or None."
    except BaseException as error:  # noqa: BLE001 - types and defaults are the operator's, and may raise anything
        text = kind_and_words(error).rstrip(".")
        return f"Its parameters cannot be shown as a form: {text}. Give them plain types."
    return None


def _field(name: str, info: FieldInfo) -> ArgumentField:
    wanted = _without_none(info.annotation)
    options = _options(wanted)
    return ArgumentField(
        name=name,
        label=info.title or name.replace("_", " ").capitalize(),
        help=info.description or "",
        kind=ArgumentKind.CHOICE if options else _kind(wanted),
        required=info.is_required(),
        default=_default(info),
        choices=tuple(str(option) for option in options),
        options=options,
    )


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    rest = [member for member in get_args(annotation) if member is not NoneType]
    return rest[0] if len(rest) == 1 else annotation


def _options(wanted: Any) -> tuple[Any, ...]:
    if get_origin(wanted) is Literal:
        return tuple(value.value if isinstance(value, Enum) else value for value in get_args(wanted))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return tuple(member.value for member in wanted)
    return ()


def _kind(wanted: Any) -> ArgumentKind:
    if isinstance(wanted, type) and get_origin(wanted) is None:
        return next((kind for type_, kind in _KINDS if issubclass(wanted, type_)), ArgumentKind.JSON)
    return ArgumentKind.JSON


def _default(info: FieldInfo) -> Value:
    if info.is_required():
        return None
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    try:
        return shown_value(to_jsonable_python(value))
    except PydanticSerializationError:
        return str(value)
