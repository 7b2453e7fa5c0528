"""What Shopify is asked, word for word. Pure.

Only what the figures are made of: no name, no address, nothing about a customer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Operation:
    """One operation by its name; `text` declares its variables."""

    name: str
    text: str


_PAGE = "pageInfo { hasNextPage endCursor }"
_MONEY = "{ shopMoney { amount currencyCode } }"
_SALE = (
    f"id actionType lineType quantity totalAmount {_MONEY} totalTaxAmount {_MONEY} "
    f"totalDiscountAmountBeforeTaxes {_MONEY}"
)
_ORDER = "id test createdAt processedAt updatedAt"
_AGREEMENT = "id happenedAt reason"
_AGREEMENTS = (
    f"{_PAGE} edges {{ cursor node {{ {_AGREEMENT} sales(first: $sales) {{ {_PAGE} nodes {{ {_SALE} }} }} }} }}"
)

SHOP = Operation(
    "Shop",
    "query Shop { shop { name myshopifyDomain ianaTimezone currencyCode } "
    "currentAppInstallation { accessScopes { handle } } }",
)
ORDERS = Operation(
    "Orders",
    "query Orders($query: String!, $orders: Int!, $agreements: Int!, $sales: Int!, $after: String) { "
    "shop { ianaTimezone currencyCode } "
    "orders(first: $orders, after: $after, query: $query, sortKey: UPDATED_AT) { "
    f"{_PAGE} nodes {{ {_ORDER} agreements(first: $agreements) {{ {_AGREEMENTS} }} }} }} }}",
)
ORDER_AGREEMENTS = Operation(
    "OrderAgreements",
    "query OrderAgreements($id: ID!, $agreements: Int!, $sales: Int!, $after: String) { "
    f"order(id: $id) {{ id agreements(first: $agreements, after: $after) {{ {_AGREEMENTS} }} }} }}",
)
# An agreement cannot be asked for by its id, only as the one behind another.
AGREEMENT_SALES = Operation(
    "AgreementSales",
    "query AgreementSales($id: ID!, $before: String, $sales: Int!, $after: String) { "
    "order(id: $id) { id agreements(first: 1, after: $before) { edges { cursor node { "
    f"{_AGREEMENT} sales(first: $sales, after: $after) {{ {_PAGE} nodes {{ {_SALE} }} }} }} }} }} }} }}",
)
ORDERS_COUNT = Operation(
    "OrdersCount", "query OrdersCount($query: String!) { ordersCount(query: $query) { count precision } }"
)
RUN_BULK = Operation(
    "RunBulk",
    "mutation RunBulk($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) { "
    "bulkOperation { id status } userErrors { field message } } }",
)
BULK_STATUS = Operation(
    "BulkStatus",
    "query BulkStatus($id: ID!) { node(id: $id) { ... on BulkOperation { "
    "id status errorCode objectCount url partialDataUrl } } }",
)


def updated_from(since: datetime) -> str:
    """The orders that were changed from an instant on, those of this very moment among them."""
    return f"updated_at:>='{_instant(since)}'"


def updated_between(since: datetime, until: datetime) -> str:
    """The orders that were changed from an instant on and before another. Always in UTC, and saying so."""
    return f"{updated_from(since)} AND updated_at:<'{_instant(until)}'"


def bulk_query(query: str) -> str:
    """The text of a bulk operation that hands out all sales of the orders that a search finds."""
    return (
        f'{{ orders(query: "{query}", sortKey: UPDATED_AT) {{ edges {{ node {{ {_ORDER} '
        f"agreements {{ edges {{ node {{ {_AGREEMENT} sales {{ edges {{ node {{ {_SALE} }} }} }} }} }} }} "
        "} } } }"
    )


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
