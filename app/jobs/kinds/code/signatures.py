"""What a function of a job takes, read from its signature: the context, and its parameters as a pydantic model."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError

from app.core.errors import Invalid
from app.jobs.kinds.code.context import FunctionContext
from app.jobs.kinds.code.said import is_a, kind_and_words, words_of

_CONTEXT = "context"
_NAMED = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class SignatureUnreadable(Invalid):
    """A function takes something that no form can ask for."""


class NoArguments(BaseModel):
    """There is nothing to say."""


@dataclass(frozen=True)
class Signature:
    """How a function is called: which parameter gets the context, and whether one takes all arguments as one object."""

    arguments: type[BaseModel]
    context: str | None = None
    whole: str | None = None

    def bind(self, context: FunctionContext, arguments: BaseModel) -> dict[str, Any]:
        """The keyword arguments of a call."""
        given: dict[str, Any] = {} if self.context is None else {self.context: context}
        if self.whole is not None:
            return given | {self.whole: arguments}
        return given | {name: getattr(arguments, name) for name in type(arguments).model_fields}

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters without a default."""
        return tuple(name for name, info in self.arguments.model_fields.items() if info.is_required())


def read_signature(call: Callable[..., Any]) -> Signature:
    """The signature of a function. Raises SignatureUnreadable, naming the parameter and what to do."""
    try:
        return _read(call)
    except SignatureUnreadable:
        raise
    except BaseException as error:  # types and defaults are the operator's, and may raise anything
        text = f"Its parameters cannot be read: {kind_and_words(error).rstrip('.')}. Give them plain types."
        raise SignatureUnreadable(text) from error


def _read(call: Callable[..., Any]) -> Signature:
    hints = _hints(call)
    context = whole = None
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(call).parameters.items():
        if parameter.kind not in _NAMED:
            raise SignatureUnreadable(f"Its parameter “{name}” cannot be given by name. Write it as “{name}: str”.")
        if name == _CONTEXT or hints.get(name) is FunctionContext:
            context = name
        elif name not in hints:
            raise SignatureUnreadable(f"Its parameter “{name}” has no type. Write it as “{name}: str”.")
        elif is_a(hints[name], type) and issubclass(hints[name], BaseModel):
            whole = name
        else:
            fields[name] = (hints[name], ... if parameter.default is parameter.empty else parameter.default)
    if whole is not None and fields:
        raise SignatureUnreadable(f"It takes “{whole}” and other parameters beside it. Put them all into one of both.")
    return Signature(_model(fields) if whole is None else hints[whole], context, whole)


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(call, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise SignatureUnreadable(f"The types of its parameters cannot be read: {words_of(error)}.") from error


def _model(fields: dict[str, Any]) -> type[BaseModel]:
    if not fields:
        return NoArguments
    try:
        model: type[BaseModel] = create_model("Arguments", __config__=ConfigDict(validate_default=True), **fields)
        if not any(info.is_required() for info in model.model_fields.values()):
            model()
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in found["loc"])
        raise SignatureUnreadable(f"The default of its parameter “{name}” does not fit: {found['msg']}.") from error
    except (PydanticUserError, NameError, TypeError) as error:
        first_line = words_of(error).partition("\n")[0]
        raise SignatureUnreadable(f"Its parameters cannot be shown as a form: {first_line}") from error
    return model
