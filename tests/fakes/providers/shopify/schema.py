"""What may be asked for: an allow-list of types, fields and arguments out of the schema of 2026-10.

A field that is missing here is refused as the real service refuses one that it does not have.
"""

from collections.abc import Iterable
from math import ceil, log2

from tests.fakes.providers.shopify.graphql import Field, Part

MOST_AT_ONCE = 250
MOST_COST = 1_000
_PAGED = {"first", "after", "reverse"}


def _connection(of: str) -> dict[str, dict[str, str | None]]:
    return {
        f"{of}Connection": {"edges": f"{of}Edge", "nodes": of, "pageInfo": "PageInfo"},
        f"{of}Edge": {"cursor": None, "node": of},
    }


# Type, field, and the type of what it holds: None for what has no fields of its own.
TYPES: dict[str, dict[str, str | None]] = {
    "Query": {
        "shop": "Shop", "orders": "OrderConnection", "ordersCount": "Count", "order": "Order", "node": "Node",
        "currentAppInstallation": "AppInstallation", "currentBulkOperation": "BulkOperation",
        "bulkOperation": "BulkOperation",
    },
    "Mutation": {"bulkOperationRunQuery": "BulkPayload", "bulkOperationCancel": "BulkPayload"},
    "Shop": {
        "id": None, "name": None, "myshopifyDomain": None, "ianaTimezone": None, "currencyCode": None,
        "taxesIncluded": None, "plan": "ShopPlan",
    },
    "ShopPlan": {"displayName": None, "publicDisplayName": None},
    "Count": {"count": None, "precision": None},
    "AppInstallation": {"id": None, "accessScopes": "AccessScope"},
    "AccessScope": {"handle": None},
    "Node": {"id": None},
    "Order": {
        "id": None, "name": None, "test": None, "createdAt": None, "processedAt": None, "updatedAt": None,
        "cancelledAt": None, "closedAt": None, "currencyCode": None, "presentmentCurrencyCode": None,
        "taxesIncluded": None, "sourceName": None, "edited": None, "agreements": "SalesAgreementConnection",
        "currentTotalPriceSet": "MoneyBag", "totalPriceSet": "MoneyBag",
    },
    "SalesAgreement": {"id": None, "happenedAt": None, "reason": None, "sales": "SaleConnection"},
    "Sale": {
        "id": None, "actionType": None, "lineType": None, "quantity": None, "totalAmount": "MoneyBag",
        "totalTaxAmount": "MoneyBag", "totalDiscountAmountBeforeTaxes": "MoneyBag",
        "totalDiscountAmountAfterTaxes": "MoneyBag",
    },
    "MoneyBag": {"shopMoney": "MoneyV2", "presentmentMoney": "MoneyV2"},
    "MoneyV2": {"amount": None, "currencyCode": None},
    "PageInfo": {"hasNextPage": None, "hasPreviousPage": None, "startCursor": None, "endCursor": None},
    "BulkPayload": {"bulkOperation": "BulkOperation", "userErrors": "UserError"},
    "UserError": {"field": None, "message": None, "code": None},
    "BulkOperation": {
        "id": None, "status": None, "errorCode": None, "objectCount": None, "rootObjectCount": None, "fileSize": None,
        "url": None, "partialDataUrl": None, "createdAt": None, "completedAt": None, "query": None, "type": None,
    },
    **_connection("Order"), **_connection("SalesAgreement"), **_connection("Sale"),
}  # fmt: skip
ARGUMENTS: dict[tuple[str, str], set[str]] = {
    ("Query", "orders"): {*_PAGED, "query", "sortKey"},
    ("Query", "ordersCount"): {"query", "limit"},
    ("Query", "order"): {"id"},
    ("Query", "node"): {"id"},
    ("Query", "bulkOperation"): {"id"},
    ("Order", "agreements"): _PAGED,
    ("SalesAgreement", "sales"): _PAGED,
    ("Mutation", "bulkOperationRunQuery"): {"query", "groupObjects"},
    ("Mutation", "bulkOperationCancel"): {"id"},
}
# Types that stand for several: whoever asks of `... on Order` gets what an order has.
_SUBTYPES = {
    "Node": {"Order", "BulkOperation", "Shop"},
    "SalesAgreement": {"SalesAgreement", "OrderAgreement", "OrderEditAgreement", "RefundAgreement", "ReturnAgreement"},
    "Sale": {"Sale", "ProductSale", "ShippingLineSale", "GiftCardSale", "TipSale", "AdjustmentSale", "DutySale"},
}


class FieldUnknown(ValueError):
    """As the service words it."""


def check(fields: Iterable[Field | Part], type_name: str, *, is_bulk: bool = False) -> None:
    """Raises FieldUnknown for the first field, argument or part that there is not."""
    for each in fields:
        if isinstance(each, Part):
            if each.type_name not in _SUBTYPES.get(type_name, {type_name}):
                raise FieldUnknown(f"Fragment on {each.type_name} can't be spread inside {type_name}")
            check(each.fields, each.type_name if each.type_name in TYPES else type_name, is_bulk=is_bulk)
            continue
        if each.name == "__typename":
            continue
        if each.name not in TYPES[type_name]:
            raise FieldUnknown(f"Field '{each.name}' doesn't exist on type '{type_name}'")
        _check_arguments(each, type_name, is_bulk=is_bulk)
        of = TYPES[type_name][each.name]
        if (of is None) == bool(each.fields):
            raise FieldUnknown(f"Field '{each.name}' must {'not ' if of is None else ''}have selections")
        if of is not None:
            check(each.fields, of, is_bulk=is_bulk)


def _check_arguments(asked: Field, type_name: str, *, is_bulk: bool) -> None:
    known = ARGUMENTS.get((type_name, asked.name), set())
    for name in asked.arguments:
        if name not in known:
            raise FieldUnknown(f"Field '{asked.name}' doesn't accept argument '{name}'")
    if known >= _PAGED and not is_bulk:
        first = asked.arguments.get("first")
        if not isinstance(first, int) or isinstance(first, bool):
            raise FieldUnknown(f"you must provide one of first or last for '{asked.name}'")
        if not 0 < first <= MOST_AT_ONCE:
            raise FieldUnknown(f"first cannot exceed {MOST_AT_ONCE}")


def cost_of(fields: Iterable[Field | Part]) -> int:
    """What a query may cost at most. The real formula is not public: this one grows like it, slower than the nodes."""
    total = 0
    for each in fields:
        below = cost_of(each.fields)
        if isinstance(each, Part) or not each.fields:
            total += below
        elif "first" in each.arguments:
            total += 2 + ceil(log2(each.arguments["first"] + 1)) * max(1, below)
        elif each.name not in {"edges", "nodes", "pageInfo", "shopMoney", "presentmentMoney"}:
            total += below + (0 if each.name.startswith("total") else 1)
        else:
            total += below + (3 if each.name in {"nodes", "edges"} else 0)
    return total
