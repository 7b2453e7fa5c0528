"""Turns what pydantic finds wrong with a definition into sentences. Never repeats a value: it may be secret."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from app.core.names import without_controls
from app.jobs.kinds.base import DefinitionInvalid

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]

# In the definition of a run alone: the arguments that were chosen for it, beside those that it has in all.
_CHOSEN = "chosen"

_SENTENCES: dict[str, str] = {
    "missing": "{what} is missing.",
    "extra_forbidden": "{what} is not known here. Take it out.",
    "literal_error": "{what} has to be {expected}.",
    "enum": "{what} has to be {expected}.",
    "string_type": "{what} has to be text.",
    "string_too_short": "{what} needs {min_length} or more characters.",
    "string_too_long": "{what} has more than {max_length} characters.",
    "string_pattern_mismatch": "{what} is not in the expected form.",
    "int_type": "{what} has to be a whole number.",
    "int_parsing": "{what} has to be a whole number.",
    "int_from_float": "{what} has to be a whole number.",
    "float_type": "{what} has to be a number.",
    "float_parsing": "{what} has to be a number.",
    "finite_number": "{what} has to be a number.",
    "bool_type": "{what} has to be true or false.",
    "bool_parsing": "{what} has to be true or false.",
    "greater_than_equal": "{what} has to be {ge} or more.",
    "greater_than": "{what} has to be more than {gt}.",
    "less_than_equal": "{what} has to be {le} or less.",
    "less_than": "{what} has to be less than {lt}.",
    "too_short": "{what} needs {min_length} or more entries.",
    "too_long": "{what} has more than {max_length} entries.",
    "list_type": "{what} has to be a list.",
    "tuple_type": "{what} has to be a list.",
    "dict_type": "{what} has to be an object with named fields.",
    "model_type": "{what} has to be an object with named fields.",
    # Our own validators say whole sentences.
    "value_error": "{error}",
}


def parse_definition(model: type[Model], given: Mapping[str, Any], *, prefix: str = "") -> Model:
    """The definition as a typed object; unknown keys are refused. Raises DefinitionInvalid."""
    try:
        return model.model_validate(dict(given), extra="forbid")
    except ValidationError as error:
        raise DefinitionInvalid(_problems(model, error, prefix)) from None


def as_value_error(check: Callable[[str], object], text: str, refusal: type[Exception]) -> str:
    """The text, if the check does not refuse it; its refusal becomes the ValueError that pydantic expects."""
    try:
        check(text)
    except refusal as error:
        raise ValueError(str(error)) from error
    return text


def _problems(model: type[BaseModel], error: ValidationError, prefix: str) -> dict[str, str]:
    """What is wrong, by dotted name of the field. The first problem of a field is enough."""
    problems: dict[str, str] = {}
    for found in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in found["loc"])
        field = prefix.rstrip(".") if not name else prefix + name
        problems.setdefault(field, _sentence(model, found))
    return problems


def _sentence(model: type[BaseModel], found: ErrorDetails) -> str:
    what = _what(model, found["loc"])
    template = _SENTENCES.get(found["type"])
    if template is None:
        return f"{what} does not fit: {found['msg']}."
    return template.format(what=what, **found.get("ctx", {}))


def _what(model: type[BaseModel], location: Location) -> str:
    """The words for a field: “Days to keep”, or “entry 2 of headers” where only a number names it."""
    if not location:
        return "This"
    last = location[-1]
    if isinstance(last, int):
        owner = f" of “{_label(model, location[:-1])}”" if len(location) > 1 else ""
        return f"Entry {last + 1}{owner}"
    return f"“{_label(model, location)}”"


def _label(model: type[BaseModel], location: Location) -> str:
    """What people know the field by: its title, else its name as words. What is no field is told as it came."""
    field = _field(model, location)
    name = without_controls(str(location[-1]))
    if field is None:
        return name
    return field.title or name.replace("_", " ")


def _field(model: type[BaseModel], location: Location) -> FieldInfo | None:
    owner: Any = model
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, int):
            owner = next(iter(get_args(owner)), None)
            continue
        fields: dict[str, FieldInfo] = getattr(owner, "model_fields", {})
        field = fields.get(part)
        owner = None if field is None else field.annotation
    return field


def with_arguments(definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A definition of the kinds that take arguments, with these in the place of its own. Nothing is checked here."""
    if not arguments:
        return dict(definition)
    return {**definition, "arguments": {**definition.get("arguments", {}), **arguments}}


def with_chosen(definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """As `with_arguments`, for one run, whose definition also remembers which of them are not the job's own."""
    return {**with_arguments(definition, arguments), _CHOSEN: dict(arguments)} if arguments else dict(definition)


def chosen_arguments(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in a run's definition that were chosen for that run; none where nobody chose any."""
    chosen = definition.get(_CHOSEN)
    return dict(chosen) if isinstance(chosen, dict) else {}


def without_chosen(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A run's definition as a job has it, without what the run remembers beside it."""
    return {name: value for name, value in definition.items() if name != _CHOSEN}


def refuse_arguments(arguments: Mapping[str, Any], sentence: str) -> dict[str, Any]:
    """For kinds that take none. Raises DefinitionInvalid, naming each, unless there are none."""
    if arguments:
        raise DefinitionInvalid({f"arguments.{name}": sentence for name in arguments})
    return {}
