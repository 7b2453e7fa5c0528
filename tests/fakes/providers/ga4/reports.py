"""From what a request asks for to the page of a report, and what bends it."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.ga4.refusals import Refused, invalid
from tests.fakes.providers.ga4.truth import Property, Visits, entities

METRICS = {
    "sessions": "TYPE_INTEGER", "totalUsers": "TYPE_INTEGER", "keyEvents": "TYPE_FLOAT",
    "ecommercePurchases": "TYPE_INTEGER", "totalRevenue": "TYPE_CURRENCY",
}  # fmt: skip
DIMENSIONS = ("date", "sessionDefaultChannelGroup")
CHANNEL = "sessionDefaultChannelGroup"
_MOST_ROWS = 250_000


@dataclass(frozen=True)
class Query:
    """What is asked for."""

    since: date
    until: date
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    order: tuple[str, ...]
    limit: int
    offset: int
    wants_quota: bool


Row = tuple[dict[str, str], dict[str, str]]


def read_query(said: dict[str, Any], today: date) -> Query:
    """Raises Refused for what the Data API would not take."""
    dimensions = tuple(each["name"] for each in said.get("dimensions", []))
    metrics = tuple(each["name"] for each in said.get("metrics", []))
    for name in dimensions:
        if name not in DIMENSIONS:
            raise Refused(invalid(f"Did you mean date? Field {name} is not a valid dimension."))
    for name in metrics:
        if name not in METRICS:
            raise Refused(invalid(f"Field {name} is not a valid metric."))
    limit, offset = said.get("limit", "10000"), said.get("offset", "0")
    if not isinstance(limit, str) or not isinstance(offset, str) or int(limit) > _MOST_ROWS:
        raise Refused(invalid("Invalid value at 'limit' (TYPE_INT64)"))
    (days,) = said["dateRanges"]
    order = tuple(each["dimension"]["dimensionName"] for each in said.get("orderBys", []))
    return Query(
        _day(days["startDate"], today), _day(days["endDate"], today), dimensions, metrics, order, int(limit),
        int(offset), bool(said.get("returnPropertyQuota")),
    )  # fmt: skip


def _day(said: str, today: date) -> date:
    words = {"today": 0, "yesterday": 1}
    if said in words or said.endswith("daysAgo"):
        return today - timedelta(days=words[said] if said in words else int(said.removesuffix("daysAgo")))
    return date.fromisoformat(said)


def make_page(found: Property, query: Query, fault: Fault | None, now: datetime) -> dict[str, Any]:
    """One page of a report."""
    rows = _rows(found, query, now)
    total, offset = len(rows), query.offset
    name = fault.fault if fault else ""
    options = fault.options if fault else {}
    if name == "duplicate_page" and offset:
        offset -= query.limit
    shown = rows[offset : offset + query.limit]
    if name == "truncated_page":
        shown = shown[: len(shown) // 2]
    if name == "long_page" and offset:
        day = shown[-1][0]["date"]
        more = range(query.limit - len(shown))
        shown = [*shown, *(({"date": day, CHANNEL: f"Never was {number}"}, shown[-1][1]) for number in more)]
    if name == "reordered":
        total += 1
    metrics, dimensions = query.metrics, query.dimensions
    if name == "schema_drift":
        metrics, dimensions = tuple(reversed(metrics)), tuple(reversed(dimensions))
    said: dict[str, Any] = {
        "dimensionHeaders": [{"name": each} for each in dimensions],
        "metricHeaders": [{"name": each, "type": METRICS[each]} for each in metrics],
        "metadata": _metadata(found, name, options),
        "kind": "analyticsData#runReport",
    }
    if shown or total:
        said["rows"] = [
            {
                "dimensionValues": [{"value": dims[each]} for each in dimensions],
                "metricValues": [{"value": values[each]} for each in metrics],
            }
            for dims, values in shown
        ]
        said["rowCount"] = total
    if name == "schema_drift":
        said["somethingNew"] = {"of": ["2027"]}
    return said


def _metadata(found: Property, name: str, options: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"currencyCode": found.currency, "timeZone": found.zone}
    if found.loses_rows:
        said["dataLossFromOtherRow"] = True
    if found.is_thresholded:
        said["subjectToThresholding"] = True
    match name, options.get("variant"):
        case "zone_change", _:
            said["timeZone"] = options.get("zone", "America/New_York")
        case "currency_change", _:
            said["currencyCode"] = options.get("currency", "USD")
        case "quality", "sampled":
            said["samplingMetadatas"] = [{"samplesReadCount": "500", "samplingSpaceSize": "10000"}]
        case "quality", "thresholded":
            said["subjectToThresholding"] = True
        case "quality", "other_row":
            said["dataLossFromOtherRow"] = True
        case "quality", "truncated":
            said["dataTruncationReasons"] = ["TOO_MUCH_DATA"]
        case "quality", "restricted":
            restricted = [{"metricName": "totalRevenue", "restrictedMetricTypes": ["REVENUE_DATA"]}]
            said["schemaRestrictionResponse"] = {"activeMetricRestrictions": restricted}
        case "schema_drift", _:
            said["freshness"] = "unheard of"
    return said


def _rows(found: Property, query: Query, now: datetime) -> list[Row]:
    level = "channel" if "sessionDefaultChannelGroup" in query.dimensions else "account"
    rows = [
        ({"date": f"{day:%Y%m%d}", "sessionDefaultChannelGroup": channel}, _values(visits))
        for day, channel, visits in entities(found, level, query.since, query.until, now)
    ]
    if found.loses_rows:
        lost = Visits(3, 2, revenue=Decimal(7))
        rows.append(({"date": "(other)", "sessionDefaultChannelGroup": "(other)"}, _values(lost)))
    # Rows that are alike in the order asked for come in another one on every page.
    salt = f"{query.offset}"
    return sorted(rows, key=lambda row: ([row[0][name] for name in query.order], _shuffled(row, salt)))


def _shuffled(row: Row, salt: str) -> str:
    return sha256(f"{salt} {json.dumps(row)}".encode()).hexdigest()


def _values(visits: Visits) -> dict[str, str]:
    return {
        "sessions": str(visits.sessions), "totalUsers": str(visits.users), "keyEvents": str(visits.key_events),
        "ecommercePurchases": str(visits.purchases),
        # The service counts money in floats, and says so.
        "totalRevenue": f"{visits.revenue + Decimal('0.0000000000003') if visits.revenue else visits.revenue}",
    }  # fmt: skip
