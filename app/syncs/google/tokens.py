"""Access tokens for the key of a service account. The library only signs; the request goes through our own client.

Its own requests sleep and try again by themselves, and would go to the address that stands in the uploaded file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.core.http import OutboundResponse
from app.core.retry_after import break_asked_for
from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import Trouble, TroubleClass, failed
from app.syncs.calls.usage import Usage
from app.syncs.google.errors import UNREADABLE
from app.syncs.signs.key_files import ServiceKey

LIFE = timedelta(hours=1)
# A token is not used in its last minute: it could end on the way.
_SPARE = timedelta(minutes=1)
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_QUOTE = 200
_NEW_KEY = "Make a new key for the service account and give it to Belfry."


@dataclass(frozen=True)
class AccessToken:
    """What signs requests in until `ends_at`."""

    ends_at: datetime
    value: str = field(repr=False)

    def is_good(self, now: datetime) -> bool:
        return now + _SPARE < self.ends_at


class TokenDialect:
    """Google's token endpoint, whose errors look unlike those of its APIs."""

    name = "Google's sign-in"

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        return None

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        if response.status == 200 and isinstance(content, dict):
            return None
        wait = break_asked_for(response.status, response.headers, now=now)
        if response.status == 429:
            return Trouble(TroubleClass.RATE_LIMITED, "Google limits how often Belfry may sign in.", "429", wait=wait)
        if response.status >= 500 or response.status == 408:
            words = f"Google's sign-in has trouble of its own ({response.status})."
            return Trouble(TroubleClass.TRANSIENT, words, str(response.status), wait=wait)
        if response.status == 200:
            return UNREADABLE
        return _refusal(response.status, content, clean)


def request_token(tokens: ServiceClient, key: ServiceKey, *, scope: str) -> AccessToken:
    """A new token. `tokens` is a client of the token address, and hides the key. Raises SyncFailed and ReadStopped."""
    now = tokens.watch.now()
    assertion = _assertion(key, scope=scope, audience=tokens.base_url, now=now)
    tokens.sign_in((), (*key.secrets, assertion))
    said = tokens.post("", {"grant_type": _GRANT, "assertion": assertion})
    value, seconds = said.get("access_token"), said.get("expires_in")
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise failed(TroubleClass.INTERNAL, "Google took the key and gave no token.")
    is_told = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= LIFE.total_seconds()
    return AccessToken(now + (timedelta(seconds=seconds) if is_told else LIFE), value)


def _assertion(key: ServiceKey, *, scope: str, audience: str, now: datetime) -> str:
    # Heavy, and needed by those alone who read.
    from google.auth import crypt, jwt  # noqa: PLC0415

    signer = crypt.RSASigner.from_string(key.private_key, key.private_key_id)  # type: ignore[no-untyped-call]
    issued_at = int(now.timestamp())
    claims = {
        "iss": key.client_email, "scope": scope, "aud": audience, "iat": issued_at,
        "exp": issued_at + int(LIFE.total_seconds()),
    }  # fmt: skip
    return bytes(jwt.encode(signer, claims)).decode("ascii")  # type: ignore[no-untyped-call]


def _refusal(status: int, content: Any, clean: Cleaner) -> Trouble:
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, str):
        words = f"What answers at BELFRY_GOOGLE_TOKEN_URL does not speak like Google ({status}). Check that address."
        return Trouble(TroubleClass.SETUP_ERROR, words, str(status))
    described = content.get("error_description")
    said = clean(described if isinstance(described, str) else error)[:_LONGEST_QUOTE]
    code = clean(error)[:40]
    if "short-lived token" in said or "reasonable timeframe" in said:
        words = (
            "The clock of the machine that runs Belfry is wrong, so Google refuses every sign-in. The key is not to "
            f"blame: whoever runs Belfry has to set the clock. Google said: {said}"
        )
        return Trouble(TroubleClass.CLOCK_WRONG, words, code)
    if error == "invalid_scope":
        return Trouble(TroubleClass.SETUP_ERROR, f"Google cannot do what was asked. It said: {said}", code)
    if "account not found" in said:
        words = f"Google no longer knows this service account: it was deleted. {_NEW_KEY}"
        return Trouble(TroubleClass.AUTH_REVOKED, words, code)
    words = f"Google does not accept this key, or no longer does. {_NEW_KEY} Google said: {said}"
    return Trouble(TroubleClass.AUTH_REVOKED, words, code)
