"""Asks Meta which ad accounts there are, and whether they can be read."""

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from app.core.hiding import Cleaner
from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import TroubleClass, failed
from app.syncs.figures import LONGEST_NAME
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.paging import read_pages

ACTIVE = 1
_FIELDS = "account_id,name,currency,timezone_name,account_status"
# What Meta's numbers mean, for the message; what is missing here is shown as the number.
_STATUSES = {
    2: "disabled",
    3: "unsettled: its bill is not paid",
    7: "under review",
    8: "waiting for a payment",
    9: "in its grace period",
    100: "about to be closed",
    101: "closed",
}
_ID = re.compile(r"[0-9]{1,40}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def read_account(client: ServiceClient, account_id: str) -> MetaAccount:
    """The account of an id without `act_`. Raises SyncFailed, also when the account cannot be read for now."""
    if not _ID.fullmatch(account_id):
        raise failed(TroubleClass.SETUP_ERROR, "The id of a Meta ad account consists of digits.")
    account = _account(client.get(f"/act_{account_id}", {"fields": _FIELDS}), client.clean)
    if account.id != account_id:
        raise failed(TroubleClass.INTERNAL, "Meta answered for another account than the one that was asked for.")
    if account.status != ACTIVE:
        words = _STATUSES.get(account.status, f"in the state {account.status}")
        message = f"Meta says that this ad account is {words}. Settle that at Meta, then reconnect."
        raise failed(TroubleClass.ACCOUNT_UNAVAILABLE, message)
    return account


def read_accounts(client: ServiceClient) -> Iterator[MetaAccount]:
    """All ad accounts that the sign-in may see, whatever their state. Raises SyncFailed."""
    for rows in read_pages(client, "/me/adaccounts", {"fields": _FIELDS, "limit": "100"}):
        yield from (_account(row, client.clean) for row in rows)


def _account(said: Any, clean: Cleaner) -> MetaAccount:
    facts = {name: said.get(name) for name in ("account_id", "name", "currency", "timezone_name", "account_status")}
    id_, currency, zone, status = (
        facts[name] for name in ("account_id", "currency", "timezone_name", "account_status")
    )
    # Days and money would be wrong without these; nothing is guessed.
    if not isinstance(id_, str) or not isinstance(status, int) or isinstance(status, bool):
        raise failed(TroubleClass.INTERNAL, "Meta's description of the account lacks its id or its state.")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise failed(TroubleClass.INTERNAL, "Meta does not say in which currency the account is.")
    if not isinstance(zone, str) or zone not in available_timezones():
        raise failed(TroubleClass.INTERNAL, "Meta names a time zone for the account that Belfry does not know.")
    # It stands in logs, and on pages.
    name = clean(facts["name"])[:LONGEST_NAME] if isinstance(facts["name"], str) else ""
    return MetaAccount(id_, name or id_, currency, zone, status)
