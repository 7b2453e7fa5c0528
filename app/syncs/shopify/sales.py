"""Orders as Shopify tells them, with every sale that was agreed on: from JSON to exact amounts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.core.text import storable
from app.syncs.figures import FigureInvalid, exact

# Three of them, and some thousands of these, still fit into 64 bits of millionths.
LARGEST = Decimal(1_000_000_000_000)
LONGEST_ID = 80
LONGEST_WORD = 40
_PREFIX = "gid://shopify/"


class OtherCurrency(FigureInvalid):
    """A sale is in another currency than its shop."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One line of an agreement: sold, given back, or changed. Amounts are in the shop's currency.

    `amount` is after discounts and with the tax, which `tax` names; `discount` is without it. What went back is
    negative. `agreement_id`, `reason` and `happened_at` are the agreement's.
    """

    id: str
    agreement_id: str
    reason: str
    happened_at: datetime
    action: str
    line_type: str
    quantity: int | None
    amount: Decimal
    tax: Decimal
    discount: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """One order, whole: with all its sales so far."""

    id: str
    is_test: bool
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    sales: tuple[Sale, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """When and why something was agreed on about an order."""

    id: str
    reason: str
    happened_at: datetime


def read_order(said: Any, sales: tuple[Sale, ...]) -> Order:
    """An order with the sales that were read of it. Raises FigureInvalid."""
    row = _object(said, "an order")
    is_test = row.get("test")
    if not isinstance(is_test, bool):
        raise FigureInvalid("an order does not say whether it is a test")
    created_at, processed_at, updated_at = (_moment(row, name) for name in ("createdAt", "processedAt", "updatedAt"))
    return Order(read_id(row), is_test, created_at, processed_at, updated_at, sales)


def read_agreement(said: Any) -> Agreement:
    """Raises FigureInvalid."""
    row = _object(said, "an agreement")
    return Agreement(read_id(row), _word(row, "reason"), _moment(row, "happenedAt"))


def read_sale(said: Any, agreement: Agreement, *, currency: str) -> Sale:
    """Raises FigureInvalid, and OtherCurrency."""
    row = _object(said, "a sale")
    quantity = row.get("quantity")
    if quantity is not None and (not isinstance(quantity, int) or abs(quantity) > 2_000_000_000):
        raise FigureInvalid("the quantity of a sale is no number")
    return Sale(
        read_id(row), agreement.id, agreement.reason, agreement.happened_at, _word(row, "actionType"),
        _word(row, "lineType"), quantity, _amount(row, "totalAmount", currency),
        _amount(row, "totalTaxAmount", currency), _amount(row, "totalDiscountAmountBeforeTaxes", currency),
    )  # fmt: skip


def read_id(row: Mapping[str, Any]) -> str:
    """`Order/1` of `gid://shopify/Order/1`: the ids of sales differ in their kinds too. Raises FigureInvalid."""
    said = row.get("id")
    if not isinstance(said, str) or not said.startswith(_PREFIX):
        raise FigureInvalid("something has no id as Shopify writes them")
    id_ = said.removeprefix(_PREFIX)
    if not 0 < len(id_) <= LONGEST_ID or storable(id_) != id_:
        raise FigureInvalid(f"the id {said[:100]!r} cannot be kept")
    return id_


def gid(id_: str) -> str:
    """The id as Shopify wants it back."""
    return f"{_PREFIX}{id_}"


def _object(said: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise FigureInvalid(f"{what} is none")
    return said


def _word(row: Mapping[str, Any], name: str) -> str:
    """A word of a list of Shopify's, that may grow."""
    said = row.get(name)
    if not isinstance(said, str) or not said or storable(said) != said:
        raise FigureInvalid(f"a row lacks its {name}")
    return said[:LONGEST_WORD]


def _moment(row: Mapping[str, Any], name: str) -> datetime:
    said = row.get(name)
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        moment = None
    # Days are found out from them: without a zone any of two would be a guess.
    if moment is None or moment.tzinfo is None:
        raise FigureInvalid(f"{name} is no instant")
    return moment.astimezone(UTC)


def _amount(row: Mapping[str, Any], name: str, currency: str) -> Decimal:
    bag = row.get(name)
    money = bag.get("shopMoney") if isinstance(bag, dict) else None
    if not isinstance(money, dict):
        raise FigureInvalid(f"a sale lacks its {name}")
    if money.get("currencyCode") != currency:
        raise OtherCurrency(f"a sale is not in {currency}")
    said = money.get("amount")
    if said is None:
        raise FigureInvalid(f"a sale lacks the amount of its {name}")
    amount = exact(said)
    if abs(amount) > LARGEST:
        raise FigureInvalid(f"a sale of {amount} is more than can be added up ({LARGEST})")
    return amount
