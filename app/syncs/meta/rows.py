"""From rows of insights to exact numbers. Pure.

Everything is text in Meta's rows, money in major units. What is zero is often missing, and a purchase is reported
under several names at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.syncs.figures import FigureInvalid, Level, Metric, Stream, exact
from app.syncs.meta.ad_account import MetaAccount

# Which field of a row a metric comes from.
FIELDS = {
    Metric.SPEND: "spend",
    Metric.IMPRESSIONS: "impressions",
    Metric.CLICKS: "clicks",
    Metric.LINK_CLICKS: "inline_link_clicks",
    Metric.REACH: "reach",
    Metric.PURCHASES: "actions",
    Metric.PURCHASE_VALUE: "action_values",
}
CAMPAIGNS = Stream("campaigns", Level.CAMPAIGN, frozenset(FIELDS), "each campaign by day")
ACCOUNT = Stream(
    "account",
    Level.ACCOUNT,
    frozenset(FIELDS),
    "the account as a whole by day; people it reached count once",
)
STREAMS = (CAMPAIGNS, ACCOUNT)
MAPPING_VERSION = 1
# The same purchase under up to three names: the first that is there counts, and none is added to another.
PURCHASE_NAMES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
# Of the others a missing one is zero; without these two, something is wrong with the row.
_ALWAYS_THERE = frozenset({Metric.SPEND, Metric.IMPRESSIONS})
_LISTED = frozenset({Metric.PURCHASES, Metric.PURCHASE_VALUE})


@dataclass(frozen=True, slots=True)
class EntityDay:
    """One campaign, or the account, on one day, with some of its metrics. The account's id is empty."""

    day: date
    entity_id: str
    name: str
    values: Mapping[Metric, Decimal]


class OtherCurrency(FigureInvalid):
    """A row is in another currency than its account."""


def fields_of(stream: Stream, metrics: frozenset[Metric]) -> str:
    """The fields to ask for, always in the same order."""
    names = ["account_id", "account_currency"]
    if stream.level is Level.CAMPAIGN:
        names += ["campaign_id", "campaign_name"]
    return ",".join([*names, *(FIELDS[metric] for metric in FIELDS if metric in metrics)])


def read_row(row: Mapping[str, Any], *, account: MetaAccount, stream: Stream, metrics: frozenset[Metric]) -> EntityDay:
    """What a row says. Raises FigureInvalid, and OtherCurrency."""
    if row.get("account_id") != account.id:
        raise FigureInvalid("a row is of another account")
    if row.get("account_currency") != account.currency:
        raise OtherCurrency(f"a row is not in {account.currency}")
    entity_id, name = _entity(row, account, stream)
    return EntityDay(_day(row), entity_id, name, {metric: _value(row, metric) for metric in metrics})


def _entity(row: Mapping[str, Any], account: MetaAccount, stream: Stream) -> tuple[str, str]:
    if stream.level is Level.ACCOUNT:
        return "", account.name
    entity_id, name = row.get("campaign_id"), row.get("campaign_name")
    if not isinstance(entity_id, str) or not entity_id:
        raise FigureInvalid("a row names no campaign")
    return entity_id, name if isinstance(name, str) else entity_id


def _day(row: Mapping[str, Any]) -> date:
    first, last = row.get("date_start"), row.get("date_stop")
    if not isinstance(first, str) or first != last:
        raise FigureInvalid("a row is not of a single day")
    try:
        return date.fromisoformat(first)
    except ValueError as error:
        raise FigureInvalid("a row has a day that is none") from error


def _value(row: Mapping[str, Any], metric: Metric) -> Decimal:
    said = row.get(FIELDS[metric])
    if said is None:
        if metric in _ALWAYS_THERE:
            raise FigureInvalid(f"a row lacks {metric}")
        return Decimal(0)
    return purchases_in(said) if metric in _LISTED else exact(said)


def purchases_in(said: Any) -> Decimal:
    """The number, or the value, of the purchases in a list of actions. Zero when none are in it."""
    if not isinstance(said, list) or not all(isinstance(entry, dict) for entry in said):
        raise FigureInvalid("the actions of a row are not a list")
    for name in PURCHASE_NAMES:
        found = [entry for entry in said if entry.get("action_type") == name]
        if len(found) > 1:
            # A total beside its parts would look like this; to add or to choose would be a guess.
            raise FigureInvalid(f"a row reports {name} more than once")
        if found:
            return exact(found[0].get("value"))
    return Decimal(0)
