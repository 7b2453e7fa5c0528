"""From what a request asks for to the rows of a report, and the pages they are handed out on."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.meta import refusals
from tests.fakes.providers.meta.truth import Account, Delivery, Pixel, entities
from tests.fakes.providers.wire import Answer

LEVELS = ("account", "campaign", "adset", "ad")
FIELDS = frozenset(
    {"account_id", "account_name", "account_currency", "campaign_id", "campaign_name", "date_start", "date_stop"}
    | {"spend", "impressions", "clicks", "inline_link_clicks", "reach", "actions", "action_values"}
    | {"adset_id", "adset_name", "ad_id", "ad_name", "cpc", "cpm", "ctr", "frequency", "unique_clicks"}
)
_WINDOWS = {"1d_click", "7d_click", "28d_click", "1d_view", "1d_ev", "default"}
_KEPT_MONTHS = 37
_DEFAULT_LIMIT = 25
_REAL_HOST = "https://graph.facebook.com"


class Refused(Exception):
    """What was asked for gets this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.content)
        self.answer = answer


@dataclass(frozen=True)
class Query:
    """A request for insights, checked as Meta checks it."""

    level: str
    fields: tuple[str, ...]
    since: date
    until: date
    limit: int
    after: str | None
    campaign_ids: frozenset[str] | None

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1


def read_query(said: dict[str, str], today: date) -> Query:
    """Raises Refused for what the real one refuses, and for what this fake has no figures for."""
    level = said.get("level", "account")
    if level not in LEVELS:
        raise Refused(refusals.bad_parameter(f"level must be one of the following values: {', '.join(LEVELS)}"))
    fields = tuple(said.get("fields", "account_id,impressions,spend").split(","))
    for field in fields:
        if field not in FIELDS:
            words = f"{field} is not valid for fields param. please check the documentation for all valid values"
            raise Refused(refusals.bad_parameter(words))
    for window in json.loads(said.get("action_attribution_windows", "[]")):
        if window not in _WINDOWS:
            raise Refused(refusals.bad_parameter(f"action_attribution_windows: {window} is not supported"))
    if said.get("time_increment") != "1" or level in {"adset", "ad"}:
        raise Refused(Answer.of_json({"error": "this fake has days of accounts and campaigns"}, status=501))
    since, until = _time_range(said.get("time_range"), today)
    return Query(level, fields, since, until, _limit(said), said.get("after"), _campaigns(said.get("filtering")))


def _time_range(text: str | None, today: date) -> tuple[date, date]:
    try:
        said = json.loads(text or "null")
        since, until = date.fromisoformat(said["since"]), date.fromisoformat(said["until"])
    except (ValueError, TypeError, KeyError) as error:
        words = "Must be a JSON-encoded dictionary like {'since':'2016-01-01','until':'2016-01-31'}"
        raise Refused(refusals.bad_parameter(f"param time_range {words}")) from error
    if until < since:
        raise Refused(refusals.bad_parameter("time_range: since has to be before until"))
    months = (today.year - since.year) * 12 + today.month - since.month
    if months > _KEPT_MONTHS or (months == _KEPT_MONTHS and since.day < today.day):
        words = "(#3018) The start date of the time range cannot be beyond 37 months from the current date"
        raise Refused(refusals.graph_error(3018, words))
    return since, until


def _limit(said: dict[str, str]) -> int:
    text = said.get("limit", str(_DEFAULT_LIMIT))
    if not text.isdigit() or not 0 < int(text) <= 5_000:
        raise Refused(refusals.bad_parameter("param limit must be a whole number from 1 to 5000"))
    return int(text)


def _campaigns(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    filters = json.loads(text)
    if [(each["field"], each["operator"]) for each in filters] != [("campaign.id", "IN")]:
        raise Refused(refusals.bad_parameter("filtering: this fake filters by campaign.id IN alone"))
    return frozenset(filters[0]["value"])


def make_rows(account: Account, query: Query, now: datetime) -> list[dict[str, Any]]:
    """The rows of a report. What is zero is missing, and without delivery there is no row."""
    found = []
    for day, entity_id, name, delivery in entities(account, query.level, query.since, query.until, now):
        if query.campaign_ids is not None and entity_id not in query.campaign_ids:
            continue
        pixel = account.campaigns[entity_id].pixel if entity_id else Pixel.OMNI
        full = _full_row(account, entity_id, name, delivery, pixel)
        row = {field: full[field] for field in query.fields if full.get(field) is not None}
        found.append(row | {"date_start": day.isoformat(), "date_stop": day.isoformat()})
    return found


def _full_row(account: Account, entity_id: str, name: str, delivery: Delivery, pixel: Pixel) -> dict[str, Any]:
    is_campaign = bool(entity_id)
    counts = dict.fromkeys(pixel.value, Decimal(delivery.purchases))
    values = dict.fromkeys(pixel.value, delivery.value)
    if delivery.in_apps and len(pixel.value) == len(Pixel.OMNI.value):
        # Purchases in apps are no pixel's, so that the names differ and only the first of them is the whole.
        counts["offsite_conversion.fb_pixel_purchase"] -= delivery.in_apps
        counts["app_custom_event.fb_mobile_purchase"] = Decimal(delivery.in_apps)
    actions = {"link_click": Decimal(delivery.link_clicks), "post_engagement": Decimal(delivery.clicks)}
    return {
        "account_id": account.id,
        "account_name": account.name,
        "account_currency": account.currency,
        "campaign_id": entity_id if is_campaign else None,
        "campaign_name": name if is_campaign else None,
        "spend": _text(delivery.spend),
        "impressions": str(delivery.impressions),
        "clicks": str(delivery.clicks),
        "inline_link_clicks": str(delivery.link_clicks),
        "reach": str(delivery.reach),
        "actions": _actions(actions | counts),
        "action_values": _actions(values),
    }


def _actions(said: dict[str, Decimal]) -> list[dict[str, str]] | None:
    listed = [{"action_type": kind, "value": _text(value)} for kind, value in said.items() if value]
    return listed or None


def _text(value: Decimal) -> str:
    # Meta writes 12 and 11.9, not 12.00 and 11.90.
    return f"{value.normalize():f}"


@dataclass(frozen=True)
class _Cursor:
    """A place in the rows, which stands for a page that was bent once if it has a mark."""

    offset: int
    mark: str = ""

    @classmethod
    def read(cls, text: str | None) -> "_Cursor":
        if text is None:
            return cls(0)
        try:
            offset, _, mark = base64.urlsafe_b64decode(text).decode().partition(":")
            return cls(int(offset), mark)
        except ValueError as error:
            raise Refused(refusals.bad_parameter("Invalid cursor")) from error

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(f"{self.offset}:{self.mark}".encode()).decode()


def make_page(rows: Sequence[dict[str, Any]], query: Query, fault: Fault | None, *, path: str, token: str) -> Any:
    """One page of rows. `next` is there while there is more, and names the real host and the token, as Meta does."""
    here = _Cursor.read(query.after)
    kind = "" if fault is None else fault.fault
    size = max(1, query.limit // 2) if kind == "truncated_page" else query.limit
    data, onward = list(rows[here.offset : here.offset + size]), _Cursor(here.offset + size)
    if kind == "empty_page_with_next":
        data, onward = [], _Cursor(here.offset, "empty")
    elif kind == "duplicate_page":
        is_stuck = fault is not None and fault.options.get("variant") == "same_after"
        onward = here if is_stuck else _Cursor(here.offset, "again")
    elif kind == "reordered":
        data = data[::-1] + list(rows[max(0, here.offset - 1) : here.offset])
    elif kind == "schema_drift":
        data = [_drifted(row) for row in data]
    if not data and onward.offset >= len(rows):
        return {"data": []}
    paging: dict[str, Any] = {"cursors": {"before": here.text, "after": onward.text}}
    if onward.offset < len(rows):
        paging["next"] = f"{_REAL_HOST}{path}?access_token={token}&limit={query.limit}&after={onward.text}"
    return {"data": data, "paging": paging}


def _drifted(row: dict[str, Any]) -> dict[str, Any]:
    """The same row a version later: numbers without quotes, fields and action types nobody knew."""
    numbers = {name: _bare(row[name]) for name in ("spend", "impressions", "clicks", "reach") if name in row}
    new = {"action_type": "onsite_conversion.hologram_view", "value": "99", "1d_hologram": "98"}
    actions = {"actions": [new, *row["actions"]]} if "actions" in row else {}
    return row | numbers | actions | {"attention_index": {"value": 3}}


def _bare(text: str) -> int | float:
    # With so few digits a float is written as it was read.
    return float(text) if "." in text else int(text)
