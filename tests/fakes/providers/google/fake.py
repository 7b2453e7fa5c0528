"""Google's sign-in for service accounts: it checks what they sign, and hands out tokens for an hour."""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.google.keys import OTHER_READER, READER, STRANGER, public_key
from tests.fakes.providers.wire import Answer, Call

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = {
    "https://www.googleapis.com/auth/analytics.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
}
_TOLERANCE = timedelta(minutes=5)
_SKEW = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp "
    "values in the JWT claim."
)
_INVALID = {
    "signature": "Invalid JWT Signature.",
    "account": "Invalid grant: account not found",
    "expired": "Token has been expired or revoked.",
}


@dataclass(frozen=True)
class Token:
    """What a service account may do until it ends."""

    email: str
    scope: str
    ends_at: datetime


class GoogleFake:
    """One installation of Google's sign-in. The fakes of its services ask it who a token is of."""

    name = "google"
    scenarios: tuple[str, ...] = ("S2",)

    def __init__(self) -> None:
        self.accounts = {READER, OTHER_READER, STRANGER}
        self.tokens: dict[str, Token] = {}
        self._numbers = count(1)

    def reset(self, scenario: str, now: datetime) -> None:
        self.accounts = {READER, OTHER_READER, STRANGER}
        self.tokens.clear()

    def route_of(self, call: Call) -> str:
        return "token" if (call.method, call.path) == ("POST", "/token") else "unknown"

    def meets(self, fault: Fault, call: Call) -> bool:
        return True

    def mutate(self, change: dict[str, Any], now: datetime) -> None:
        """Delete a service account."""
        self.accounts.discard(change["deleted"])

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        return []

    def email_of(self, bearer: str | None, scope: str, now: datetime) -> str | None:
        """Who a token of this scope is of; None for one that is not good."""
        token = self.tokens.get(bearer or "")
        return token.email if token and token.scope == scope and token.ends_at > now else None

    def forget(self, bearer: str | None) -> None:
        """End a token before its time."""
        self.tokens.pop(bearer or "", None)

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """A token for an assertion that is right to the last claim."""
        if self.route_of(call) != "token":
            return Answer.of_html(404, "<html><title>Error 404 (Not Found)!!1</title></html>")
        return (_refusal_of(fault) if fault else None) or self._grant(call, now)

    def _grant(self, call: Call, now: datetime) -> Answer:
        if call.parameters.get("grant_type") != GRANT:
            return _error("unsupported_grant_type", "Invalid grant_type: ")
        claims = _claims(call.parameters.get("assertion", ""))
        if claims is None:
            return _error("invalid_grant", _INVALID["signature"])
        if claims["iss"] not in self.accounts:
            return _error("invalid_grant", _INVALID["account"])
        issued, ends = claims["iat"], claims["exp"]
        if not (issued - _TOLERANCE.seconds <= now.timestamp() < ends <= issued + 3_600):
            return _error("invalid_grant", _SKEW)
        if not claims["aud"].endswith("/google/token"):
            return _error("invalid_grant", "Invalid JWT: Failed audience check.")
        if claims["scope"] not in SCOPES:
            return _error("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        value = f"ya29.fakeAccessToken{next(self._numbers):08}"
        self.tokens[value] = Token(claims["iss"], claims["scope"], now + timedelta(seconds=3_599))
        return Answer.of_json({"access_token": value, "expires_in": 3_599, "token_type": "Bearer"})


def _claims(assertion: str) -> dict[str, Any] | None:
    """What was signed; None where the signature is of another key."""
    try:
        head, body, signature = assertion.split(".")
        public_key().verify(_decoded(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return None
    header: dict[str, Any] = json.loads(_decoded(head))
    assert (header["alg"], header["typ"], len(header["kid"])) == ("RS256", "JWT", 40)
    claims: dict[str, Any] = json.loads(_decoded(body))
    return claims


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _error(error: str, described: str, *, status: int = 400) -> Answer:
    return Answer.of_json({"error": error, "error_description": described}, status=status)


def _refusal_of(fault: Fault) -> Answer | None:
    variant = str(fault.options.get("variant") or "")
    match fault.fault:
        case "revoked":
            return _error("invalid_grant", _INVALID[variant or "signature"])
        case "clock_skew":
            return _error("invalid_grant", _SKEW)
        case "rate_limit_nohint":
            return _error("rate_limit_exceeded", "Rate limit exceeded.", status=429)
        case "5xx":
            html = Answer.of_html(502, "<html><h1>502 Server Error</h1></html>")
            return html if variant == "html" else _error("internal_failure", "Try again.", status=int(variant or 503))
        case "echo":
            return _error("invalid_grant", f"Cannot read this: {fault.options['text']}")
    return None
