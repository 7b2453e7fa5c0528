"""How pages answer: whole pages, fragments, redirects, refusals, toasts. The only file that knows HX-* headers."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Response, flash, render_template, request, url_for
from flask import redirect as plain_redirect
from htmx_flask import make_response
from htmx_flask.requests import HtmxHeaders

from app.core.names import visible

VARY = ("HX-Request", "HX-Request-Type", "HX-History-Restore-Request")
_TRIGGER = "HX-Trigger"
_REDIRECT = "HX-Redirect"


class ToastKind(StrEnum):
    """How a toast looks and how long it stays."""

    SUCCESS = "success"  # leaves after ten seconds
    ERROR = "error"  # stays until it is closed
    INFO = "info"


def is_htmx() -> bool:
    """Whether a script of ours sent the request, not the browser itself."""
    return bool(_htmx())


def wants_fragment() -> bool:
    """Whether a part of the page is wanted. htmx asks for whole pages too: after Back, or when the target is <body>."""
    # htmx-flask 0.1.0 does not know the newer header.
    is_full = request.headers.get("HX-Request-Type") == "full" or _htmx().history_restore_request
    return is_htmx() and not is_full


def wants_dialog() -> bool:
    """Whether a part of the page is wanted for the page's dialog."""
    return wants_fragment() and request.headers.get("HX-Target", "").endswith("#dialog")


def page(template: str, **context: Any) -> Response:
    """A whole page, status 200."""
    return _rendered(template, 200, context)


def fragment(template: str, **context: Any) -> Response:
    """A part of a page, status 200."""
    return _rendered(template, 200, context)


def page_or_fragment(template: str, fragment_template: str, **context: Any) -> Response:
    """The page, or only its part when htmx asks for that. Both get the same context."""
    return _rendered(fragment_template if wants_fragment() else template, 200, context)


def invalid(template: str, *, status: int = 422, **context: Any) -> Response:
    """The form again, with its messages. Nothing is committed; 422 is the one error that htmx swaps in."""
    return _rendered(template, status, context)


def empty() -> Response:
    """Nothing to swap, status 204."""
    return cast("Response", make_response("", 204))


def see_other(endpoint: str, **arguments: Any) -> Response:
    """Go to another page after something was done. Leads there with and without JavaScript."""
    return go_to(url_for(endpoint, **arguments))


def go_to(url: str) -> Response:
    """The same for an address of ours that is already at hand."""
    if is_htmx():
        return cast("Response", make_response("", 200, redirect=url))
    return cast("Response", plain_redirect(url, 303))


def send_to_sign_in(url: str) -> Response:
    """Lead to the sign-in page: a plain redirect, or 401 for htmx, which would swap a redirect's target in."""
    if is_htmx():
        return cast("Response", make_response("", 401, redirect=url))
    return cast("Response", plain_redirect(url, 302))


def toast(
    response: Response, message: str, *, kind: ToastKind = ToastKind.SUCCESS, action: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:  # fmt: skip
    """Say something in the corner of the page that comes next.

    `action` is {label, url, post}, and `more` a second one; where the page stays, they may have `fields` to send along.
    """
    message, action = visible(message), dict(action or {})
    if _leads_elsewhere(response):
        # In a cookie, which has little room.
        plain = [one for one in (action, dict(more or {})) if one and "fields" not in one]
        flash(cast("str", {"message": message, "action": plain[0] if plain else {}}), kind.value)
        return response
    said: dict[str, Any] = {"message": message, "kind": kind.value, "action": action, "more": dict(more or {})}
    return announce(response, toast={name: value for name, value in said.items() if value})


def announce(response: Response, **events: Any) -> Response:
    """Have htmx raise events in the page, beside those that were announced before."""
    known = json.loads(response.headers.get(_TRIGGER, "{}"))
    # Escaped to ASCII, which is all that a header can carry.
    response.headers[_TRIGGER] = json.dumps(known | events)
    return response


def close_dialog(response: Response) -> Response:
    """Have the page close its dialog."""
    return announce(response, **{"dialog:close": True})


def page_address() -> str | None:
    """Path and query of the page that htmx sends from; None without htmx or without that header."""
    seen = urlsplit(_htmx().current_url or "")
    if not is_htmx() or not seen.path:
        return None
    return f"{seen.path}?{seen.query}" if seen.query else seen.path


def _htmx() -> HtmxHeaders:
    return request.htmx  # type: ignore[attr-defined]


def _rendered(template: str, status: int, context: Mapping[str, Any]) -> Response:
    return cast("Response", make_response(render_template(template, **context), status))


def _leads_elsewhere(response: Response) -> bool:
    return 300 <= response.status_code < 400 or _REDIRECT in response.headers
