"""The three ways to sign in to a shop, and the one text that each is sealed as. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.syncs.signs.sign import LONGEST_SECRET, SecretInvalid

LONGEST_PART = 4_096
# A token is not used in its last minutes: it could end in the middle of a read.
SPARE = timedelta(minutes=10)
# Shorter ones would be given away by their last letters.
_SHORTEST_HINTED = 20
_HINT_CHARACTERS = 4
_TEXTS = ("access_token", "client_id", "client_secret", "refresh_token")
_MOMENTS = ("ends_at", "refresh_ends_at")
_ALIASES = {"token": "access_token"}


class LoginWay(StrEnum):
    """How an app signs in."""

    TOKEN = "token"  # noqa: S105 - one that is good until somebody takes it back
    CLIENT = "client_credentials"  # its own id and secret get it a token for a day
    REFRESH = "refresh"  # a token for an hour, and one that gets the next, which is another one each time


@dataclass(frozen=True)
class ShopLogin:
    """What signs in to a shop. `access_token` is good until `ends_at`, the refresh token until `refresh_ends_at`."""

    client_id: str | None = None
    access_token: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    ends_at: datetime | None = None
    refresh_ends_at: datetime | None = None

    @property
    def way(self) -> LoginWay:
        if self.refresh_token is not None:
            return LoginWay.REFRESH
        return LoginWay.TOKEN if self.client_secret is None else LoginWay.CLIENT

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(each for each in (self.access_token, self.client_secret, self.refresh_token) if each)

    def good_token(self, now: datetime) -> str | None:
        """The token, where it is good for some minutes still. One without an end is only good by itself."""
        if self.way is LoginWay.TOKEN:
            return self.access_token
        return self.access_token if self.ends_at is not None and now + SPARE < self.ends_at else None

    def as_text(self) -> str:
        """What is sealed: always written alike."""
        said = {name: value for name in _TEXTS if (value := getattr(self, name)) is not None}
        moments = {name: value.isoformat() for name in _MOMENTS if (value := getattr(self, name)) is not None}
        return json.dumps(said | moments, sort_keys=True)


def clean_login(text: str) -> str:
    """What is sealed of a token, or of the JSON of one of the three ways. Raises SecretInvalid."""
    return _login_of(_parts(text)).as_text()


def read_login(secret: str) -> ShopLogin:
    """The login that `clean_login` made a text of."""
    return _login_of(json.loads(secret))


def hint_of_login(secret: str) -> str | None:
    """The last letters of what stays: of the app's secret, or of the fixed token."""
    login = read_login(secret)
    shown = login.client_secret or login.access_token or ""
    return shown[-_HINT_CHARACTERS:] if len(shown) >= _SHORTEST_HINTED else None


def _parts(text: str) -> Mapping[str, Any]:
    said = text.strip()
    if not said:
        raise _wrong("Give what signs in to the shop.")
    if len(said) > LONGEST_SECRET:
        raise _wrong("This is too long for a login of Shopify.")
    if not said.startswith("{"):
        return {"access_token": said}
    try:
        parts = json.loads(said)
    except (ValueError, RecursionError):
        raise _wrong("This is neither a token nor JSON. Copy it again.") from None
    assert isinstance(parts, dict)
    # A field of a form that was left empty is none.
    return {
        _ALIASES.get(str(name), str(name)): value for name, value in parts.items() if value is not None and value != ""
    }


def _login_of(parts: Mapping[str, Any]) -> ShopLogin:
    unknown = sorted(set(parts) - {*_TEXTS, *_MOMENTS})
    if unknown:
        raise _wrong(f"A login of Shopify has no “{unknown[0][:40]}”. It has: {', '.join(_TEXTS)}.")
    texts: dict[str, Any] = {name: _clean_text(name, parts[name]) for name in _TEXTS if name in parts}
    moments: dict[str, Any] = {name: _moment(name, parts[name]) for name in _MOMENTS if name in parts}
    login = ShopLogin(**texts, **moments)
    _refuse_incomplete(login)
    return login


def _refuse_incomplete(login: ShopLogin) -> None:
    token = login.access_token or ""
    if token.startswith("shprt_") or (
        login.refresh_token is not None and not (login.client_id and login.client_secret)
    ):
        raise _wrong("A refresh token signs in together with the client ID and the client secret of its app.")
    if token.startswith("shpss_"):
        raise _wrong("This is the secret of an app, and not an access token. Give it together with the client ID.")
    if (login.client_id is None) != (login.client_secret is None):
        missing = "client ID" if login.client_id is None else "client secret"
        raise _wrong(f"The {missing} of the app is missing.")
    if login.way is LoginWay.TOKEN and not token:
        raise _wrong("Give an access token, or the client ID and the client secret of an app.")


def _clean_text(name: str, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > LONGEST_PART or not text.isascii() or not text.isprintable() or " " in text:
        shown = name.replace("_", " ")
        raise _wrong(f"This is no {shown}: it is one line of letters, digits and signs, without spaces. Copy it again.")
    return text


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _wrong(f"“{name}” is a moment such as 2026-11-20T12:00:00+00:00.")
    return moment


def _wrong(message: str) -> SecretInvalid:
    return SecretInvalid(message, field="token")
