"""The browser's cookie, and which addresses a person may be led back to after signing in."""

from datetime import timedelta
from urllib.parse import unquote, urlsplit

from flask import Flask

from app.core.config import Settings
from app.tenants.sign_in import SESSION_LIFE

_LONGEST_NEXT = 2000
# Leading back to these would sign the person out again, or show a form they just filled.
_NOT_AGAIN = ("/login", "/logout", "/setup")


def install_session_cookie(app: Flask, settings: Settings) -> None:
    """Make the cookie as strict as the way the site is opened allows."""
    is_secure = settings.is_production or settings.public_url.startswith("https://")
    app.secret_key = settings.secret_key
    app.config.update(
        # Browsers take a cookie with this prefix from this very host alone, over TLS alone.
        SESSION_COOKIE_NAME="__Host-belfry" if is_secure else "belfry",
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_LIFE + timedelta(days=1),
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
    )


def local_address(value: str | None) -> str | None:
    """The value if it is an address within this site that a person can be led back to, else None."""
    if not value or len(value) > _LONGEST_NEXT or not _is_local(value):
        return None
    return None if urlsplit(value).path.rstrip("/") in _NOT_AGAIN else value


def _is_local(value: str) -> bool:
    # Browsers drop tabs and newlines, read "\" as "/" and "//host" as another site; some proxies decode before that.
    for text in (value, unquote(value), unquote(unquote(value))):
        path = text.partition("?")[0].partition("#")[0]
        if not path.startswith("/") or "//" in path or "\\" in text:
            return False
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
            return False
    return " " not in value and value.isascii()
