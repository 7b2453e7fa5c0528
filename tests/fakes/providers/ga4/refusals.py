"""Refusals of the Data API, word for word as far as recordings go."""

from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.wire import Answer

_API = "analyticsdata.googleapis.com"
_NO_PERMISSION = (
    "User does not have sufficient permissions for this property. To learn more about Property ID, see "
    "https://developers.google.com/analytics/devguides/reporting/data/v1/property-id."
)
_SIGN_IN = "Request had invalid authentication credentials. Expected OAuth 2 access token."
_DISABLED = (
    "Google Analytics Data API has not been used in project 42 before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/analyticsdata.googleapis.com/overview?project=42 then retry."
)
_LIMITS = {
    "hour": "Exhausted property tokens per hour. These quota tokens will return in under an hour.",
    "project": "Exhausted property tokens for a project per hour. These quota tokens will return in under an hour.",
    "day": "Exhausted property tokens per day. These quota tokens will return in under 24 hours.",
    "concurrent": "Exhausted concurrent requests quota. Please try again after some requests have finished.",
    "thresholded": "Exhausted potentially thresholded requests quota. This quota will refresh in under an hour.",
}


class Refused(Exception):
    """The answer is no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def google_error(http: int, status: str, message: str, *, reason: str | None = None) -> Answer:
    """An error as Google's APIs word it."""
    error: dict[str, Any] = {"code": http, "message": message, "status": status}
    if reason is not None:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        error["details"] = [info | {"metadata": {"service": _API}}]
    return Answer.of_json({"error": error}, status=http)


def unauthenticated() -> Answer:
    return google_error(401, "UNAUTHENTICATED", _SIGN_IN, reason="ACCESS_TOKEN_EXPIRED")


def no_permission() -> Answer:
    return google_error(403, "PERMISSION_DENIED", _NO_PERMISSION)


def invalid(message: str) -> Answer:
    return google_error(400, "INVALID_ARGUMENT", message)


def limited(variant: str) -> Answer:
    return google_error(429, "RESOURCE_EXHAUSTED", _LIMITS[variant])


def refusal_of(fault: Fault) -> Answer | None:
    """The answer that a fault gives in the place of the true one, or None for those that only bend that."""
    variant = str(fault.options.get("variant") or "")
    match fault.fault:
        case "expired_token":
            return unauthenticated()
        case "no_permission" if variant == "disabled":
            return google_error(403, "PERMISSION_DENIED", _DISABLED, reason="SERVICE_DISABLED")
        case "no_permission":
            return no_permission()
        case "rate_limit_nohint":
            return limited(variant or "project")
        case "account_state":
            return google_error(404, "NOT_FOUND", "Requested entity was not found.")
        case "invalid_field":
            return invalid("Field keyEvents is not a valid metric. For a list of valid dimensions and metrics, see …")
        case "5xx":
            return _broken(variant)
        case "echo":
            return invalid(f"Cannot read this: {fault.options['text']}")
    return None


def _broken(variant: str) -> Answer:
    match variant:
        case "html":
            return Answer.of_html(502, "<html><h1>502. That’s an error.</h1></html>")
        case "503":
            return google_error(503, "UNAVAILABLE", "The service is currently unavailable.")
    return google_error(500, "INTERNAL", "Internal error encountered.")
