"""What becomes of orders later: refunds, edits, new ones, and ones that are deleted."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.fakes.providers.shopify.making import old_sale, product, whole_refund
from tests.fakes.providers.shopify.truth import Action, Deal, Line, Order, Shop


def change(shop: Shop, said: dict[str, Any], now: datetime) -> None:
    """Change the truth of a shop, or of the order that is named. Amounts are texts; `at` is now unless it is said.

    `new_order` is the price of one; `refund` and `edit` are amounts without tax, `cancel`, `touched` and `removed` are
    true. `zone` and `currency` are the shop's.
    """
    shop.zone = said.get("zone", shop.zone)
    shop.currency = said.get("currency", shop.currency)
    at = datetime.fromisoformat(said["at"]).astimezone(UTC) if "at" in said else now
    if "new_order" in said:
        shop.add(old_sale(said["order"], at, Decimal(said["new_order"])))
    elif said.get("removed"):
        del shop.orders[said["order"]]
    elif "order" in said:
        _change_order(shop.orders[said["order"]], said, at, now)


def _change_order(order: Order, said: dict[str, Any], at: datetime, now: datetime) -> None:
    if "refund" in said:
        line = Line(Action.RETURN, "PRODUCT", -1, -Decimal(said["refund"]))
        order.deals.append(Deal("REFUND", at, (line,)))
    if "edit" in said:
        order.deals.append(Deal("ORDER_EDIT", at, (product(Decimal(said["edit"]), quantity=1),)))
    if said.get("cancel"):
        order.cancelled_at = at
        order.deals.append(whole_refund(order, at))
    # Also where what happened is dated back, the order was changed now.
    order.touched_at = now
