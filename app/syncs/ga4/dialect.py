"""How the Data API of Google Analytics speaks: its quota stands in the body, and its refusals in a few words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.core.hiding import Cleaner
from app.core.http import OutboundResponse
from app.core.retry_after import break_asked_for
from app.syncs.calls.troubles import Trouble, TroubleClass
from app.syncs.calls.usage import Usage
from app.syncs.ga4.error_budget import ErrorBudget
from app.syncs.ga4.quota import CONCURRENT_WAIT, HOURLY_WAIT, daily_wait, read_usage, returns_at, server_errors_left
from app.syncs.google.errors import UNREADABLE, GoogleError, disabled_words, read_google_error, usual_trouble
from app.syncs.logins import ErrorMemory
from app.syncs.signs.key_files import ServiceKey

NAME = "Google Analytics"
_API = "Google Analytics Data API"
_SETTING = "BELFRY_GA4_BASE_URL"


@dataclass
class Ga4Dialect:
    """One property's. `zone` is its own, once that is known."""

    property_id: str
    key: ServiceKey
    errors: ErrorBudget
    now: Callable[[], datetime]
    zone: str = "UTC"
    name: str = NAME
    memory: ErrorMemory | None = None
    _is_remembered: bool = field(default=False, init=False)

    def free_at(self, now: datetime) -> datetime | None:
        """When the property may be asked again after so many errors, whoever met them; None for at once."""
        if self.memory is not None and not self._is_remembered:
            self.errors.learn(self.property_id, self.memory.recent(now))
            self._is_remembered = True
        return self.errors.free_at(self.property_id, now)

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        left = server_errors_left(content)
        if left is not None:
            self.errors.tell_left(self.property_id, left)
        return read_usage(content, now=self.now())

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        error = read_google_error(response.status, content, clean=clean)
        if error is None:
            return None if isinstance(content, dict) else UNREADABLE
        wait = break_asked_for(response.status, response.headers, now=now)
        if error.http_status == 429:
            return self._limited(error, wait, now)
        if error.http_status == 403:
            return self._forbidden(error)
        if error.http_status == 404:
            return Trouble(TroubleClass.ACCOUNT_UNAVAILABLE, self._gone(error), error.code)
        trouble = usual_trouble(error, service=NAME, setting=_SETTING, wait=wait)
        return self._rationed(trouble, now) if error.http_status >= 500 else trouble

    def _limited(self, error: GoogleError, wait: timedelta | None, now: datetime) -> Trouble:
        said = error.said.lower()
        if "per day" in said:
            returns = returns_at(now).astimezone(ZoneInfo(self.zone))
            words = f"The property’s quota of the day is used up; it returns at {returns:%Y-%m-%d %H:%M} ({self.zone})."
            return Trouble(TroubleClass.QUOTA_EXHAUSTED, f"{words} {error.quote}", error.code, wait=daily_wait(now))
        if "concurrent" in said:
            words = "Google Analytics answers others for this property at the same time."
            return Trouble(TroubleClass.RATE_LIMITED, f"{words} {error.quote}", error.code, wait=CONCURRENT_WAIT)
        words = "The property’s quota of the hour is used up; it returns within the hour."
        return Trouble(TroubleClass.RATE_LIMITED, f"{words} {error.quote}", error.code, wait=wait or HOURLY_WAIT)

    def _forbidden(self, error: GoogleError) -> Trouble:
        if error.reason == "SERVICE_DISABLED":
            return Trouble(TroubleClass.SETUP_ERROR, disabled_words(_API, self.key.project_id), error.code)
        words = (
            f"Google Analytics refused: {self.key.client_email} may not read property {self.property_id}. Add that "
            "address as a Viewer under Admin → Property access management, then test again."
        )
        return Trouble(TroubleClass.PERMISSION_MISSING, words, error.code)

    def _gone(self, error: GoogleError) -> str:
        return f"Google Analytics knows no property {self.property_id}: it was deleted, or never was. {error.quote}"

    def _rationed(self, trouble: Trouble, now: datetime) -> Trouble:
        """Asking again after an error of Google's own costs what locks the property in the end."""
        self.errors.note(self.property_id, now)
        if self.memory is not None:
            self.memory.note(now)
        free_at = self.errors.free_at(self.property_id, now)
        return trouble if free_at is None else resting(free_at - now, trouble.code)


def resting(wait: timedelta, code: str | None) -> Trouble:
    """The trouble of a property whose errors of this hour are used up."""
    words = (
        "Google Analytics had so many errors of its own for this property that it would lock it. The sync rests until "
        "the hour is over."
    )
    return Trouble(TroubleClass.RATE_LIMITED, words, code, wait=wait)
