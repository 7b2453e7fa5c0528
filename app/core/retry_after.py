"""How long an HTTP answer asks to be left alone. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Those two statuses say when to come back; with others the header means something else.
_SAYS_WHEN = frozenset({429, 503})
# More digits than a year has seconds are no wait that anybody means.
_MOST_DIGITS = 8
_TOO_LONG = timedelta(days=365)
# Whole ones by the standard; Shopify writes "2.0".
_SECONDS = re.compile(r"[0-9]{1,400}(?:\.[0-9]{1,20})?", re.ASCII)


def break_asked_for(status: int, headers: Iterable[tuple[str, str]], *, now: datetime) -> timedelta | None:
    """How long to wait by Retry-After, in seconds or as a date. None when it says nothing, or nothing that is known.

    A date is read by the clock of the server that wrote it, if it says what time it has; else by ours, `now`.
    """
    if status not in _SAYS_WHEN:
        return None
    known = {name.lower(): value.strip() for name, value in headers}
    wanted = known.get("retry-after", "")
    if _SECONDS.fullmatch(wanted):
        whole = wanted.partition(".")[0]
        return timedelta(seconds=float(wanted)) if len(whole) <= _MOST_DIGITS else _TOO_LONG
    until = _date(wanted)
    if until is None:
        return None
    return max(until - (_date(known.get("date", "")) or now), timedelta())


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
