"""What each service tells, and for how long it corrects what it told. Pure.

By the words that connections have: services themselves are named above this package.
"""

from app.syncs.figures import Metric

# In the order in which people ask for them; the first is what a page shows unasked.
METRICS_OF: dict[str, tuple[Metric, ...]] = {
    "meta": (
        Metric.SPEND, Metric.IMPRESSIONS, Metric.CLICKS, Metric.LINK_CLICKS, Metric.REACH, Metric.PURCHASES,
        Metric.PURCHASE_VALUE,
    ),
    "ga4": (Metric.SESSIONS, Metric.TOTAL_USERS, Metric.KEY_EVENTS, Metric.PURCHASES, Metric.REVENUE),
    "shopify": (Metric.NET_SALES, Metric.GROSS_SALES, Metric.DISCOUNTS, Metric.RETURNS, Metric.ORDERS),
}  # fmt: skip
# Older days than that before the last complete one are final.
LOOKBACK_DAYS = {"meta": 28, "ga4": 14, "shopify": 60}


def metrics_of(service: str) -> tuple[Metric, ...]:
    """The metrics of a service; all there are, of one that has no list here."""
    return METRICS_OF.get(service, tuple(Metric))


def lookback_days(service: str) -> int:
    """How many days its service may still correct."""
    return LOOKBACK_DAYS.get(service, max(LOOKBACK_DAYS.values()))
