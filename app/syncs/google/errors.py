"""An error of Google's APIs, as it stands in an answer. Pure. What it means is the business of each dialect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.syncs.calls.troubles import Trouble, TroubleClass

_LONGEST_QUOTE = 300
UNREADABLE = Trouble(TroubleClass.TRANSIENT, "Google's answer broke off or is not JSON.", "unreadable")


@dataclass(frozen=True)
class GoogleError:
    """`status` is Google's own word, such as PERMISSION_DENIED, and `reason` a finer one where there is one."""

    http_status: int
    status: str
    said: str
    reason: str

    @property
    def code(self) -> str:
        """`403 PERMISSION_DENIED`, for the record."""
        words = [str(self.http_status), self.reason or self.status]
        return " ".join(word for word in words if word)[:60]

    @property
    def quote(self) -> str:
        """What Google said, in a sentence."""
        return f"It said: {self.said or 'nothing'} ({self.code})."


def read_google_error(http_status: int, content: Any, *, clean: Cleaner) -> GoogleError | None:
    """What an answer refuses with; None for a good one. Nothing in it shows a secret."""
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, Mapping):
        return None if http_status == 200 else GoogleError(http_status, "", "", "")
    reasons = [detail.get("reason") for detail in _list(error.get("details")) if isinstance(detail, Mapping)]
    return GoogleError(
        http_status,
        clean(_text(error.get("status")))[:40],
        clean(_text(error.get("message")))[:_LONGEST_QUOTE],
        clean(next((reason for reason in reasons if isinstance(reason, str)), ""))[:40],
    )


def usual_trouble(error: GoogleError, *, service: str, setting: str, wait: timedelta | None) -> Trouble:
    """What an error means at any service of Google, for what a dialect has no finer words for.

    `setting` names the operator's setting with the service's address.
    """
    if error.http_status == 401:
        return Trouble(TroubleClass.AUTH_EXPIRED, f"{service} does not accept the sign-in. {error.quote}", error.code)
    if error.http_status == 429:
        return Trouble(
            TroubleClass.RATE_LIMITED, f"{service} limits requests. {error.quote}", error.code, wait=wait
        )  # fmt: skip
    if error.http_status >= 500 or error.http_status == 408:
        message = f"{service} has trouble of its own. {error.quote}"
        return Trouble(TroubleClass.TRANSIENT, message, error.code, wait=wait)
    if not error.status and not error.said:
        words = f"What answers at {setting} does not speak like {service} ({error.code}). Check that address."
        return Trouble(TroubleClass.SETUP_ERROR, words, error.code)
    if error.status == "INVALID_ARGUMENT":
        return Trouble(TroubleClass.SETUP_ERROR, f"{service} cannot do what was asked. {error.quote}", error.code)
    message = f"{service} answered with an error that Belfry does not know. {error.quote}"
    return Trouble(TroubleClass.INTERNAL, message, error.code)


def disabled_words(api: str, project_id: str) -> str:
    """What to do where an API was never switched on for the project of a key."""
    project = f" “{project_id}”" if project_id else ""
    return (
        f"The {api} is not enabled in the Google Cloud project{project} of the service account. Enable it there under "
        "APIs & Services, wait some minutes, then test again."
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
