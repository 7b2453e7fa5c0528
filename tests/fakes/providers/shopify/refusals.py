"""What Shopify says when it refuses, word for word as far as recordings go."""

from itertools import count
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.wire import Answer

INVALID_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
_requests = count(1)


class Refused(Exception):
    """The answer that is given in the place of what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def request_id() -> tuple[str, str]:
    """What its support wants to know."""
    return "X-Request-Id", f"fake-{next(_requests):08}"


def plain(status: int, words: str, *headers: tuple[str, str]) -> Answer:
    """`errors` is one text, as it is wherever GraphQL was not reached."""
    return Answer.of_json({"errors": words}, status=status, headers=(request_id(), *headers))


def graphql(message: str, code: str | None = None, *, data: Any = None, **more: Any) -> Answer:
    """An error of GraphQL: its status is 200."""
    extensions = {"extensions": {"code": code}} if code else {}
    said: dict[str, Any] = {"errors": [{"message": message} | extensions | more]}
    return Answer.of_json(said | ({"data": data} if data is not None else {}), headers=(request_id(),))


def not_accepted() -> Answer:
    return plain(401, INVALID_TOKEN, ("WWW-Authenticate", 'Basic realm="Shopify API Authentication"'))


def oauth(error: str, words: str, *, status: int = 400) -> Answer:
    """A refusal of the address that hands out tokens."""
    return Answer.of_json({"error": error, "error_description": words}, status=status, headers=(request_id(),))


def denied(field: str) -> dict[str, Any]:
    """The error beside the data that may be seen."""
    words = f"Access denied for {field} field. Required access: `read_orders` access scope."
    extensions = {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": "`read_orders` access scope.",
    }
    return {"message": words, "locations": [{"line": 2, "column": 3}], "extensions": extensions, "path": [field]}


def throttled(cost: dict[str, Any], *, has_code: bool) -> Answer:
    error: dict[str, Any] = {"message": "Throttled"}
    if has_code:
        error["extensions"] = {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}
    return Answer.of_json({"errors": [error], "extensions": {"cost": cost}}, headers=(request_id(),))


def refusal_of(fault: Fault, route: str) -> Answer | None:
    """The answer that a fault gives in the place of the true one, or None for those that only bend that."""
    options = fault.options
    variant = str(options.get("variant") or "")
    match fault.fault:
        case "expired_token":
            return not_accepted()
        case "revoked":
            words = "The refresh token was revoked or has expired."
            return oauth(variant or "invalid_request", words) if route == "access_token" else not_accepted()
        case "no_permission" if variant == "403":
            return plain(403, "[API] This action requires merchant approval for read_orders scope.")
        case "rate_limit_hint":
            return plain(429, "Exceeded 2 calls per second.", ("Retry-After", str(options.get("retry_after", "2.0"))))
        case "rate_limit_nohint" if variant == "429":
            return plain(429, "Too many requests")
        case "5xx":
            return _broken(variant)
        case "account_state":
            return _state(variant or "402")
        case "security":
            return Answer.of_html(430, "<html><body>Security rejection</body></html>")
        case "graphql_error":
            return graphql(options.get("message", "Something new"), options.get("code"))
        case "text_errors":
            return plain(200, options.get("text", "Something new"))
        case "echo":
            # A server that repeats what it was sent, which is how tokens get into logs.
            return graphql(f"Cannot read this: {options['text']}", "SOMETHING_NEW")
    return None


def _broken(variant: str) -> Answer:
    match variant:
        case "graphql":
            words = "Internal error. Looks like something went wrong on our end. Request ID: fake-1"
            return graphql(words, "INTERNAL_SERVER_ERROR")
        case "timeout":
            return graphql("Timeout", "TIMEOUT")
        case "503":
            return plain(503, "Service Unavailable")
    return Answer.of_html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")


def _state(variant: str) -> Answer:
    words = {"402": "Unavailable Shop", "403": "Unavailable Shop", "404": "Not Found", "423": "Locked"}[variant]
    return plain(int(variant), words)
