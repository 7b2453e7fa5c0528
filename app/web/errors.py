"""Failures as pages and fragments, with nothing of theirs kept. Which status each has is decided in edge.errors."""

from flask import Flask, Response, current_app, g, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.core.errors import AppError
from app.core.schema import SchemaNotReady
from app.edge.database import SAFE_METHODS, roll_back
from app.edge.errors import Failure, describe_failure
from app.edge.identity import SignInNeeded, signed_in_session
from app.edge.masked_tokens import page_token
from app.edge.runtime import runtime
from app.web.pages.expired_form import expired_form
from app.web.responses import invalid, is_htmx, page_address, send_to_sign_in, wants_fragment
from app.web.session import local_address
from app.web.typed import typed_fields

_TITLES = {
    400: "That did not work",
    401: "You are signed out",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Changed meanwhile",
    413: "Too much data",
    422: "Please check this",
    429: "Too many tries",
    503: "Not available right now",
}
_RETRY_SECONDS = "5"
_WHILE_TYPING = frozenset({"web.schedule_preview"})
_EXPIRED = "The page was open for too long or you signed in anew, so nothing was saved. What you typed is still here."
# A token lives as long as its session: a signed-in person's is refused once they signed in anew or switched.
_SIGNED_IN = "You are signed in now, and see {organization}. Press “Send again” once more to save it there."
_SIGNED_OUT = "Nothing was saved. What you typed is still here."


def install_error_pages(app: Flask) -> None:
    """Answer every failure in words, whoever raised it."""
    for kind in (AppError, HTTPException, Exception):
        app.register_error_handler(kind, _answer)


def _answer(error: Exception) -> Response:
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        # Werkzeug raises its redirects; they are no failures.
        return current_app.make_response(error)
    roll_back(runtime().requests)
    if isinstance(error, SignInNeeded):
        return _signed_out()
    if isinstance(error, CSRFError):
        return _expired()
    response = _failure(describe_failure(error), title=_title_of(error), what_to_do=_what_to_do(error))
    if isinstance(error, HTTPException):
        response.headers.extend({name: text for name, text in error.get_headers() if name == "Allow"})
    return response


def _failure(failure: Failure, *, title: str, what_to_do: str) -> Response:
    template = "errors/_fragment.html" if wants_fragment() else "errors/page.html"
    response = invalid(
        template,
        status=failure.status,
        title=title or _TITLES.get(failure.status, "Something went wrong"),
        message=failure.message,
        what_to_do=what_to_do,
        reference=failure.reference,
    )
    if failure.status == 503:
        response.headers["Retry-After"] = _RETRY_SECONDS
    return response


def _title_of(error: Exception) -> str:
    return "The database is not ready" if isinstance(error, SchemaNotReady) else ""


def _what_to_do(error: Exception) -> str:
    if isinstance(error, SchemaNotReady):
        return "Belfry goes on by itself as soon as that is done."
    if isinstance(error, AppError | HTTPException):
        return ""
    return "Try again. If it happens again, tell whoever runs Belfry the reference."


def _signed_out() -> Response:
    # A form that somebody is filling is not taken away from them.
    if request.method in SAFE_METHODS and request.endpoint not in _WHILE_TYPING:
        wanted = page_address() if is_htmx() else request.full_path.rstrip("?")
        return send_to_sign_in(url_for("web.login", next=local_address(wanted) if wanted != "/" else None))
    if wants_fragment():
        return _failure(Failure(401, "You were signed out."), title="", what_to_do="Sign in again in a new tab.")
    return _resubmit("account/signed_out.html", 401, _TITLES[401], _SIGNED_OUT)


def _expired() -> Response:
    if wants_fragment():
        message = "The page was open for too long, so nothing was saved."
        response = _failure(Failure(400, message), title="", what_to_do="Try again: it works now.")
        # The script puts it into the forms of the page, so that the second try goes through.
        response.headers["X-CSRF-Token"] = _fresh_token()
        return response
    # The form's page makes its own token, which must not be the refused one.
    g.pop("csrf_token", None)
    form = expired_form()
    if form is not None:
        return form
    found = signed_in_session()
    # A browser that went on to another organization has a new token too: where this would be saved has to be said.
    message = _EXPIRED if found is None else _SIGNED_IN.format(organization=found.organization_name)
    return _resubmit("errors/resubmit.html", 400, "Please send this again", message)


def _resubmit(template: str, status: int, title: str, message: str) -> Response:
    """The form as it was typed, to be sent again. Passwords are not echoed."""
    kept = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and "password" not in name.lower()
    ]
    body = render_template(
        template,
        title=title,
        message=message,
        fields=kept,
        typed=typed_fields(kept),
        action=request.full_path.rstrip("?"),
        csrf_token=_fresh_token(),
    )
    return Response(body, status=status, mimetype="text/html")


def _fresh_token() -> str:
    # Flask-WTF keeps one token for each request; the one that was just refused must not be it.
    g.pop("csrf_token", None)
    return page_token()
