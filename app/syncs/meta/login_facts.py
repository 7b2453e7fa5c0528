"""Asks Meta what a token is good for: whose app it was given to, and when it ends.

Only the app itself may ask, so without its id and secret in the settings nobody knows. The token stands in the address
of this one request, because Meta takes it nowhere else.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.syncs.calls.client import ServiceClient
from app.syncs.standing import LoginFacts

# In seconds since 1970: the year 2286. What ends later is garbage, or milliseconds, and no clock could show it.
_LATEST = 10_000_000_000


def read_login_facts(client: ServiceClient, token: str, *, now: datetime) -> LoginFacts:
    """What Meta says of the token; `client` is signed in as the app, and hides the token. Raises SyncFailed.

    What is said in a form that we do not know is left out, and so shown as unknown.
    """
    answer = client.get("/debug_token", {"input_token": token})
    said = answer.get("data")
    if not isinstance(said, dict):
        return LoginFacts()
    app_id = said.get("app_id")
    expires_at = _moment(said, "expires_at")
    # What is neither an end nor 0, which stands for none, says nothing.
    is_told = expires_at is not None or (type(said.get("expires_at")) is int and said["expires_at"] == 0)
    return LoginFacts(
        app_id=app_id if isinstance(app_id, str) and app_id.isdecimal() and len(app_id) <= 40 else None,
        expires_at=expires_at,
        data_expires_at=_moment(said, "data_access_expires_at"),
        known_at=now if is_told else None,
    )


def _moment(said: Mapping[str, Any], name: str) -> datetime | None:
    """None for 0, which stands for never, and for what is no moment."""
    seconds = said.get(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
