"""What an answer of Google Analytics says of the property's quota, and what its refusals say of it. Pure.

There are several quotas at once, by the hour and by the day, each with what is left of it. Nobody says when an hourly
one is filled up again, only that it is within the hour.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.syncs.calls.usage import Usage
from app.syncs.days import ONE_DAY

# Of a property that pays nothing; one that pays has ten times as much.
LIMITS = {
    "tokensPerDay": 200_000,
    "tokensPerHour": 40_000,
    "tokensPerProjectPerHour": 14_000,
    "potentiallyThresholdedRequestsPerHour": 120,
}
_PAID = 10
_DAILY = "tokensPerDay"
SERVER_ERRORS = "serverErrorsPerProjectPerHour"
# Half an hour on average brings back what comes back within the hour.
HOURLY_WAIT = timedelta(minutes=30)
CONCURRENT_WAIT = timedelta(seconds=30)
_PACIFIC = ZoneInfo("America/Los_Angeles")


def read_usage(content: Any, *, now: datetime) -> Usage | None:
    """The quota of which the most is used. None where nothing is said that can be read."""
    found = [(percent, name) for name in LIMITS if (percent := _percent(name, content)) is not None]
    if not found:
        return None
    percent, name = max(found)
    if name == _DAILY:
        return Usage(percent, daily_wait(now), refills=daily_wait(now))
    return Usage(percent, HOURLY_WAIT)


def server_errors_left(content: Any) -> int | None:
    """How many errors of its own Google still forgives this property in this hour."""
    return _left(SERVER_ERRORS, content)


def daily_wait(now: datetime) -> timedelta:
    """Until the daily quota returns: at midnight in California, whose days have 23 and 25 hours as well."""
    return returns_at(now) - now


def returns_at(now: datetime) -> datetime:
    """When the daily quota returns."""
    tomorrow = now.astimezone(_PACIFIC).date() + ONE_DAY
    return datetime.combine(tomorrow, time(), _PACIFIC).astimezone(now.tzinfo)


def _percent(name: str, content: Any) -> float | None:
    left = _left(name, content)
    if left is None:
        return None
    limit = LIMITS[name] if left <= LIMITS[name] else LIMITS[name] * _PAID
    return max(0.0, 100.0 * (1 - left / limit))


def _left(name: str, content: Any) -> int | None:
    quota = content.get("propertyQuota") if isinstance(content, Mapping) else None
    said = quota.get(name) if isinstance(quota, Mapping) else None
    # What is zero is left out of answers.
    left = said.get("remaining", 0) if isinstance(said, Mapping) and said else None
    return left if isinstance(left, int) and not isinstance(left, bool) and left >= 0 else None
