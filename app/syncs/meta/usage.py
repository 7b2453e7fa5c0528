"""What Meta's headers say of the quota. Pure.

They come with good answers and with bad ones, in four shapes, and Meta may leave out or change any of them: what
cannot be read says nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from app.syncs.calls.usage import Usage

BUSINESS = "x-business-use-case-usage"
APP = "x-app-usage"
ACCOUNT = "x-ad-account-usage"
INSIGHTS = "x-fb-ads-insights-throttle"
_PERCENTAGES = ("call_count", "total_cputime", "total_time", "acc_id_util_pct", "app_id_util_pct")


def read_usage(headers: Mapping[str, str]) -> Usage | None:
    """The highest percentage and the longest wait of all headers, whose names are in lower case."""
    entries = [entry for name in (BUSINESS, APP, ACCOUNT, INSIGHTS) for entry in _entries(headers.get(name, ""))]
    percents = [percent for entry in entries for percent in _numbers(entry.get(name) for name in _PERCENTAGES)]
    waits = [wait for entry in entries for wait in _waits(entry)]
    return Usage(max(percents), max(waits, default=None)) if percents else None


def _entries(text: str) -> Iterator[Mapping[str, Any]]:
    """The objects with numbers in them: the header itself, or each entry of each business in it."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(said, dict):
        return
    yield said
    for entries in said.values():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _waits(entry: Mapping[str, Any]) -> Iterator[timedelta]:
    # The one is in minutes, the other in seconds.
    yield from (timedelta(minutes=each) for each in _numbers([entry.get("estimated_time_to_regain_access")]) if each)
    yield from (timedelta(seconds=each) for each in _numbers([entry.get("reset_time_duration")]) if each)


def _numbers(values: Iterable[Any]) -> Iterator[float]:
    for value in values:
        # A day of minutes, or ten thousand percent: more is garbage, and would overflow.
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100_000:
            yield float(value)
