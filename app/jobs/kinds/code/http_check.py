"""The built-in function that looks whether an address answers as it should."""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from app.core.http import OutboundFailed, OutboundLimits, OutboundRefused, OutboundRequest, OutboundResponse
from app.jobs.kinds.code.catalog import job
from app.jobs.kinds.code.context import FunctionContext, JobFailed
from app.jobs.kinds.expectations import ANY_SUCCESS, ExpectedStatusText, parse_expected_status
from app.jobs.kinds.http_words import answer_line, check_url, seconds_words, shown_url, status_words

# Longer than this nobody calls an answer.
TIMEOUT_SECONDS = 60


class HttpCheckArguments(BaseModel):
    """What to call and what to expect."""

    url: str = Field(title="Address", description="The page or endpoint to call, with http:// or https://.")
    method: Literal["GET", "HEAD"] = Field(default="GET", title="Method", description="HEAD asks for no body.")
    expected_status: ExpectedStatusText = Field(
        default=ANY_SUCCESS,
        title="Expected status",
        description="Such as 200-299 or 200, 204. Redirects are not followed.",
    )
    max_latency_ms: int | None = Field(
        default=None,
        ge=1,
        le=60_000,
        title="Slowest answer (ms)",
        description="Fail when it takes longer. Empty: any time.",
    )
    body_contains: str | None = Field(
        default=None,
        max_length=1_000,
        title="Text in the answer",
        description="Fail when it is missing. Empty: any answer.",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return check_url(url.strip())

    @model_validator(mode="after")
    def _check_body(self) -> Self:
        if self.method == "HEAD" and self.body_contains:
            raise ValueError("The answer to HEAD has no body to look into. Choose GET.")
        return self


@job(
    "http_check",
    title="HTTP check",
    summary="Calls an address and fails unless status, speed and content are as expected.",
    idempotent=True,
)
def http_check(context: FunctionContext, arguments: HttpCheckArguments) -> dict[str, Any]:
    """Call once. Raises JobFailed with a sentence for everything that is not as expected."""
    where = f"{arguments.method} {shown_url(arguments.url)}"
    request = OutboundRequest(arguments.method, arguments.url)
    try:
        response = context.http.send(request, limits=OutboundLimits(total_seconds=TIMEOUT_SECONDS))
    except OutboundRefused as error:
        raise JobFailed(f"{where} was not sent. {error.message}", retry=False) from error
    except OutboundFailed as error:
        raise JobFailed(f"{where} got no answer. {error.message}") from error
    context.log(answer_line(arguments.method, arguments.url, response))
    problems = list(problems_of_answer(arguments, response))
    if problems:
        raise JobFailed(f"{where} {'; it '.join(problems)}.")
    return {
        "status": response.status,
        "latency_ms": round(response.elapsed_seconds * 1000),
        "bytes": len(response.body),
    }


def problems_of_answer(arguments: HttpCheckArguments, response: OutboundResponse) -> Iterator[str]:
    """What is not as expected, each as the end of a sentence about the address."""
    if response.status not in parse_expected_status(arguments.expected_status):
        yield f"answered {status_words(response.status)}, expected {arguments.expected_status}"
    limit = arguments.max_latency_ms
    if limit is not None and response.elapsed_seconds * 1000 > limit:
        yield f"took {seconds_words(response.elapsed_seconds)}, allowed are {seconds_words(limit / 1000)}"
    wanted = arguments.body_contains
    if wanted and wanted not in response.text:
        looked_at = "the first part of its answer, which was too long," if response.is_truncated else "its answer"
        yield f"lacks the text “{wanted}” in {looked_at}".rstrip(",")
