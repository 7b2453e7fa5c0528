"""Google's errors, word for word as far as recordings go."""

from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.wire import Answer

_NAMES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip


def google_error(status: int, message: str, *, name: str | None = None, details: Any = None) -> Answer:
    """An error as Google's APIs word it."""
    error: dict[str, Any] = {"code": status, "message": message, "status": name or _NAMES[status]}
    if details is not None:
        error["details"] = details
    return Answer.of_json({"error": error}, status=status)


def unauthenticated() -> Answer:
    return google_error(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    )


def denied() -> Answer:
    return google_error(403, "The caller does not have permission")


def not_found() -> Answer:
    return google_error(404, "Requested entity was not found.")


def service_disabled() -> Answer:
    words = (
        "Google Sheets API has not been used in project 123456 before or it is disabled. Enable it by visiting "
        "https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=123456 then retry."
    )
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}
    return google_error(403, words, details=[info | {"domain": "googleapis.com"}])


def too_many(kind: str) -> Answer:
    """`kind` is Read or Write."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": {
            "service": "sheets.googleapis.com",
            "quota_metric": f"sheets.googleapis.com/{kind.lower()}_requests",
            "quota_limit": f"{kind}RequestsPerMinutePerUser",
            "quota_limit_value": "60",
        },
    }
    words = (
        f"Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute per user' of "
        "service 'sheets.googleapis.com' for consumer 'project_number:123456'."
    )
    return google_error(429, words, details=[info])


def refusal_of(fault: Fault, *, is_write: bool) -> Answer | None:
    """The answer that a fault gives in the place of the true one, or None for those that only bend that."""
    variant = str(fault.options.get("variant") or "")
    match fault.fault:
        case "expired_token":
            return unauthenticated()
        case "no_permission":
            return {"404": not_found, "disabled": service_disabled}.get(variant, denied)()
        case "rate_limit_nohint":
            return too_many("Write" if is_write else "Read")
        case "5xx":
            return _broken(variant)
        case "account_state":
            return not_found()
        case "office_file":
            return google_error(
                400, "This operation is not supported for this document", name="FAILED_PRECONDITION"
            )  # fmt: skip
        case "protected":
            words = "You are trying to edit a protected cell or object. Please contact the spreadsheet owner."
            return google_error(400, f"Invalid requests[0].copyPaste: {words}")
        case "unknown_400":
            return google_error(400, "Something that Google never said before.")
        case "echo":
            # A server that repeats what it was sent, which is how tokens get into logs.
            return google_error(400, f"Cannot read this: {fault.options['text']}")
    return None


def _broken(variant: str) -> Answer:
    match variant:
        case "503":
            return google_error(503, "The service is currently unavailable.")
        case "html":
            return Answer.of_html(502, "<html><title>Error 502 (Server Error)!!1</title></html>")
    return google_error(500, "Internal error encountered.")
