"""How a field of a definition is spoken of."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from app.jobs.kinds.base import DefinitionInvalid
from app.jobs.kinds.definitions import parse_definition


class Part(BaseModel):
    page_count: int = 1
    copies: int = Field(default=1, title="Copies to print")


class Document(BaseModel):
    day_count: int = Field(default=1, ge=1, title="Days to keep")
    parts: list[Part] = Field(default=[], title="Parts of it")
    extra_part: Part | None = None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"day_count": 0}, "“Days to keep” has to be 1 or more."),
        ({"parts": [{"copies": "x"}]}, "“Copies to print” has to be a whole number."),
        ({"parts": [{"page_count": "x"}]}, "“page count” has to be a whole number."),
        ({"parts": [{}, 7]}, "Entry 2 of “Parts of it” has to be an object with named fields."),
        ({"no_such\x1b_field": 1}, "“no_such_field” is not known here. Take it out."),
    ],
)
def test_a_field_is_called_what_people_know_it_by(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse_definition(Document, given)

    assert list(refused.value.problems.values()) == [message]
