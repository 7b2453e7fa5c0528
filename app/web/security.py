"""The headers of every answer: what a browser may load, guess, frame and keep."""

from flask import Flask, Response

from app.core.config import Settings
from app.web.responses import VARY

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers then send "Origin: null" with forms, which looks like another site.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# A year, for this host alone: what else lives under its domain is not ours to decide.
STRICT_TRANSPORT = "max-age=31536000"


def install_security_headers(app: Flask, settings: Settings) -> None:
    """Put the headers on everything the app answers, errors and static files included."""
    app.after_request(_add_headers)
    if settings.public_url.startswith("https://"):
        app.after_request(_insist_on_tls)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
        response.vary.update(VARY)
    return response


def _insist_on_tls(response: Response) -> Response:
    response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    return response
