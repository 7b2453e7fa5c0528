"""Refusing requests that another site made in a person's name: by what the browser says, then by the token."""

from urllib.parse import urlsplit

from flask import Flask, current_app, request

from app.core.errors import Forbidden
from app.edge.database import SAFE_METHODS
from app.edge.masked_tokens import MaskedProtect, page_token
from app.edge.runtime import runtime


class CrossSiteRequest(Forbidden):
    """Another site sent this."""


def install_forgery_protection(app: Flask) -> None:
    """Make tokens available to pages. They are checked by `refuse_forgery`, after identity and before the view."""
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,
        # A dashboard stays open for days; the token lives as long as the session it is bound to.
        WTF_CSRF_TIME_LIMIT=None,
        # Origin and Sec-Fetch-Site say it better, and some proxies drop the referrer.
        WTF_CSRF_SSL_STRICT=False,
    )
    MaskedProtect(app)
    app.jinja_env.globals["csrf_token"] = page_token
    # Of a context before a global, so it has to be there, too.
    app.context_processor(lambda: {"csrf_token": page_token})


def refuse_cross_site() -> None:
    """Raises CrossSiteRequest when a request that changes something comes from another site."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site == "same-origin":
        # The browser compared what it sees itself; behind a proxy that rewrites Host we could not.
        return
    origin = request.headers.get("Origin")
    if site in {"cross-site", "same-site"} or (origin is not None and not _is_ours(origin)):
        raise CrossSiteRequest("This request came from another site, so nothing was done.")


def refuse_forgery() -> None:
    """Check the token of a request that changes something. Raises flask_wtf's CSRFError."""
    current_app.extensions["csrf"].protect()


def _is_ours(origin: str) -> bool:
    return origin == _origin(runtime().settings.public_url) or urlsplit(origin).netloc == request.host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
