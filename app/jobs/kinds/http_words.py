"""How HTTP calls are spoken of in logs and messages: addresses without their secrets, statuses with their names."""

from collections.abc import Callable
from http import HTTPStatus

import httpx

from app.core.addresses import OutboundRefused
from app.core.http import OutboundResponse
from app.core.urls import parse_target
from app.jobs.kinds.definitions import as_value_error

BODY_CHARACTERS_SHOWN = 300
_TEXT_MARKS = ("text/", "json", "xml", "javascript", "x-www-form-urlencoded")


def check_url(text: str) -> str:
    """The address, if it is one that may be called. Raises ValueError with a sentence."""
    return as_value_error(parse_target, text, OutboundRefused)


def shown_url(text: str) -> str:
    """Scheme, host and path. The query and the fragment stay out: keys and tokens live there."""
    url = httpx.URL(text)
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}"


def status_words(status: int) -> str:
    """`503 Service Unavailable`; the bare number when nobody has named it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def seconds_words(seconds: float) -> str:
    """`2.4 s`, with three digits at most; `3 ms` below a second."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def answer_line(method: str, url: str, response: OutboundResponse) -> str:
    """One log line about a call that was answered."""
    size = f"{len(response.body):,} bytes" + (" (cut there)" if response.is_truncated else "")
    took = seconds_words(response.elapsed_seconds)
    return f"{method} {shown_url(url)} answered {status_words(response.status)} in {took}, {size}"


def body_beginning(response: OutboundResponse, *, clean: Callable[[str], str]) -> str | None:
    """The first characters of a body that is text, cleaned; None for others and for empty ones."""
    kind = next((value.lower() for name, value in response.headers if name.lower() == "content-type"), "text/")
    if not any(mark in kind for mark in _TEXT_MARKS):
        return None
    # Cleaned before it is cut, or the first half of a secret would remain at the end.
    return clean(response.text)[:BODY_CHARACTERS_SHOWN].strip() or None
