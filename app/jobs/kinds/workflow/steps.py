"""What a workflow is: for now exactly one HTTP call, kept in a list so that more fit. Pure: sends nothing."""

import json
import re
from collections.abc import Sequence
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.core.http import METHODS_WITH_BODY, RESERVED_HEADERS, OutboundRequest
from app.jobs.kinds.expectations import ANY_SUCCESS, ExpectedStatusText
from app.jobs.kinds.http_words import check_url

DEFAULT_TIMEOUT_SECONDS = 30
LONGEST_TIMEOUT_SECONDS = 300
MOST_HEADERS = 50
LONGEST_BODY = 100_000
IDEMPOTENCY_HEADER = "Idempotency-Key"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_UNSENDABLE = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")


class Header(BaseModel):
    """One header of a request. Stored, a value that may be secret is sealed; with neither, the stored one is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: str | None = Field(default=None, max_length=8_000, repr=False)
    secret_id: UUID | None = None

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError("A header's name is made of letters, digits and dashes.")
        if name.lower() in RESERVED_HEADERS or name.lower().startswith("proxy-"):
            raise ValueError(f"The header {name} is written by Belfry for each request. Take it out.")
        return name

    @field_validator("value")
    @classmethod
    def _check_value(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if _UNSENDABLE.search(value):
            raise ValueError("A header's value cannot hold line breaks or characters outside Latin-1.")
        return value.strip()

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if self.value is not None and self.secret_id is not None:
            raise ValueError("A header has a value or the id of a sealed one, not both.")
        return self


class HttpStep(BaseModel):
    """One HTTP call and what is expected of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="Call", min_length=1, max_length=80)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    url: str = Field(min_length=1)
    headers: tuple[Header, ...] = Field(default=(), max_length=MOST_HEADERS)
    body: str = Field(default="", max_length=LONGEST_BODY)
    expected_status: ExpectedStatusText = ANY_SUCCESS
    timeout_seconds: int = Field(
        default=DEFAULT_TIMEOUT_SECONDS, ge=1, le=LONGEST_TIMEOUT_SECONDS, title="Seconds to wait for the answer"
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return check_url(url.strip())

    @model_validator(mode="after")
    def _check_body(self) -> Self:
        if self.body and self.method not in METHODS_WITH_BODY:
            raise ValueError(f"A {self.method} request carries no body. Take it out, or choose POST, PUT or PATCH.")
        return self


class Workflow(BaseModel):
    """The steps in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: tuple[HttpStep, ...]

    @field_validator("steps")
    @classmethod
    def _check_count(cls, steps: tuple[HttpStep, ...]) -> tuple[HttpStep, ...]:
        if len(steps) != 1:
            raise ValueError("A workflow has exactly one step for now.")
        return steps


def request_of(step: HttpStep, headers: Sequence[tuple[str, str]], *, idempotency_key: str) -> OutboundRequest:
    """The request a step sends, with its opened headers. What the person set themselves is never overruled."""
    sent = list(headers)
    given = {name.lower() for name, _ in sent}
    if step.body and "content-type" not in given:
        sent.append(("Content-Type", _content_type(step.body)))
    if step.method in METHODS_WITH_BODY and IDEMPOTENCY_HEADER.lower() not in given:
        sent.append((IDEMPOTENCY_HEADER, idempotency_key))
    # Lone surrogates can come in by JSON and cannot be sent.
    body = step.body.encode("utf-8", "replace") if step.body else None
    return OutboundRequest(step.method, step.url, tuple(sent), body)


def _content_type(body: str) -> str:
    try:
        json.loads(body)
    except ValueError:
        return "text/plain; charset=utf-8"
    return "application/json"
