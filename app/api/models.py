"""What requests and answers are made of: strict JSON in, exactly what is documented out."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from app.core.instants import YEARS

LONGEST_NAME = 120
MOST_ROWS = 200
USUAL_ROWS = 50
_LONGEST_CURSOR = 1_000
_NUMBER = re.compile(r"-?[0-9]{1,19}")


class Body(BaseModel):
    """The JSON object of a request. What is not declared is refused, and nothing is turned into another type."""

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """The parameters behind the `?`. They come as text, so numbers and ids are read from it."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Answer(BaseModel):
    """What an answer's data looks like."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class NoBody(Body):
    """For operations without input: nothing, or an empty object."""


class NoQuery(Query):
    """For operations without parameters."""


def not_sent(value: Any) -> Any:
    """A field that may be left out and may not be null. Whether it was sent, `model_fields_set` says."""
    return Field(default=value, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    # It only stands for "not sent", and a document that named it would promise something else.
    schema.pop("default", None)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("moment_range", "Use an instant between the years 1 and 9999.") from error


def _refuse_far_year(moment: datetime) -> datetime:
    # At either end of the calendar there is nothing before it or behind it that a list could ask for.
    if moment.year not in YEARS:
        raise PydanticCustomError("moment_range", f"Use an instant of the years {YEARS[0]} to {YEARS[-1]}.")
    return moment


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _refuse_odd_number(value: Any) -> Any:
    # Python also reads "1_000", " 5" and "5.0" as numbers; the document says integer.
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticCustomError("int_parsing", "Use a whole number.")
    return value


def _read_flag(value: Any) -> Any:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise PydanticCustomError("bool_parsing", "Use true or false.")
        return value == "true"
    return value


def _read_moment(value: Any) -> Any:
    # pydantic itself would read "1700000000" as seconds since 1970; nobody who sees it in a log would know.
    if not isinstance(value, str):
        return value
    try:
        if "T" in value.upper():
            return datetime.fromisoformat(value.upper())
    except ValueError:
        pass
    raise PydanticCustomError("datetime_parsing", "Use an instant, such as 2026-01-31T08:00:00Z.")


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_read_moment),
    AfterValidator(_in_utc),
    PlainSerializer(_as_text, return_type=str, when_used="json"),
    Field(json_schema_extra={"format": "date-time", "examples": ["2026-01-31T08:00:00Z"]}),
]
"""An instant. Read with any offset, written in UTC: 2026-01-31T08:00:00Z."""

Bound = Annotated[Moment, AfterValidator(_refuse_far_year)]
"""An instant from or to which a list is read."""

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
"""What people call something."""

Int32 = Annotated[int, Field(ge=0, le=2**31 - 1), BeforeValidator(_refuse_odd_number)]
"""A number that fits into a column."""

Flag = Annotated[bool, BeforeValidator(_read_flag)]
"""true or false, in the parameters of a query."""

Limit = Annotated[int, Field(ge=1, le=MOST_ROWS), BeforeValidator(_refuse_odd_number)]


class Paging(Query):
    """The parameters of a list: how many rows, and where it goes on."""

    limit: Annotated[Limit, Field(description="How many rows at most.")] = USUAL_ROWS
    cursor: Annotated[
        str | None, Field(max_length=_LONGEST_CURSOR, description="`next` of the answer before this one.")
    ] = None
