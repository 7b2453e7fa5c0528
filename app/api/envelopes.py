"""The envelope around data and failures as models, so that the document says exactly what is sent."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.api.models import Answer
from app.api.resource import Operation

_CLOSED = ConfigDict(extra="forbid")


class FieldProblemOut(Answer):
    field: str
    message: str


class ErrorOut(Answer):
    code: str
    message: str
    fields: list[FieldProblemOut]
    reference: str = Field("", description="Where the log of the server tells more. Only of failures nobody foresaw.")


class ErrorAnswer(Answer):
    success: Literal[False]
    error: ErrorOut


class Done(Answer):
    success: Literal[True]
    data: None
    message: str = Field("", description="What was done, for people.")


def success_model(operation: Operation) -> type[BaseModel]:
    """What an operation answers when it worked."""
    answer = operation.answer
    if answer is None:
        return Done
    if operation.is_bare:
        return answer
    if operation.is_list:
        next_cursor = Field(description="The cursor of the next rows; null at the end.")
        return _model(f"{answer.__name__}List", data=(list[answer], ...), next=(str | None, next_cursor))  # type: ignore[valid-type]
    message = Field("", description="What was done, for people.")
    return _model(f"{answer.__name__}Answer", data=(answer, ...), message=(str, message))


_made: dict[str, type[BaseModel]] = {}


def _model(name: str, **fields: Any) -> type[BaseModel]:
    # One for all operations with the same answer.
    if name not in _made:
        _made[name] = create_model(name, __config__=_CLOSED, success=(Literal[True], ...), **fields)
    return _made[name]
