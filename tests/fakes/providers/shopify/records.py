"""What the wire shows of the truth: objects with the fields of the schema, and pages of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.fakes.providers.shopify.graphql import Field, Part
from tests.fakes.providers.shopify.schema import TYPES
from tests.fakes.providers.shopify.truth import Deal, Line, Order, Shop

_AGREEMENTS = {
    "ORDER": "OrderAgreement", "ORDER_EDIT": "OrderEditAgreement", "REFUND": "RefundAgreement",
    "RETURN": "ReturnAgreement",
}  # fmt: skip
_SALES = {
    "PRODUCT": "ProductSale", "SHIPPING": "ShippingLineSale", "GIFT_CARD": "GiftCardSale", "TIP": "TipSale",
    "ADJUSTMENT": "AdjustmentSale", "DUTY": "DutySale",
}  # fmt: skip
_PLACES = {"JPY": 0, "KRW": 0, "KWD": 3}


@dataclass(frozen=True)
class Money:
    """An amount in the shop's currency, and in the one that the customer saw."""

    amount: Decimal
    currency: str
    shown_amount: Decimal
    shown_currency: str


@dataclass(frozen=True)
class Page:
    """Some things of a list, each with its cursor."""

    items: list[tuple[str, Any]]
    has_next: bool
    has_previous: bool = False
    end_cursor: str | None = None

    @property
    def end(self) -> str | None:
        return self.end_cursor or (self.items[-1][0] if self.items else None)


@dataclass(frozen=True)
class Deals:
    """One agreement of an order, as the wire sees it."""

    order: Order
    place: int
    deal: Deal


@dataclass(frozen=True)
class Sold:
    """One sale of an agreement."""

    of: Deals
    place: int
    line: Line


@dataclass
class Records:
    """One shop as one request sees it. `nested_most` is how much of a nested list is handed out at once at most."""

    shop: Shop
    now: datetime
    root: Callable[[Field], Any]
    nested_most: int | None = None
    words: dict[str, str] = field(default_factory=dict)

    def project(self, type_name: str, thing: Any, fields: Iterable[Field | Part]) -> dict[str, Any]:
        """What is asked for of one thing."""
        found: dict[str, Any] = {}
        for each in fields:
            if isinstance(each, Part):
                if self._is(thing, type_name, each.type_name):
                    inner = each.type_name if each.type_name in TYPES else type_name
                    found |= self.project(inner, thing, each.fields)
            elif each.name == "__typename":
                found[each.key] = self.name_of(thing, type_name)
            else:
                found[each.key] = self._shown(TYPES[type_name][each.name], self.value(type_name, thing, each), each)
        return found

    def _shown(self, of: str | None, value: Any, asked: Field) -> Any:
        if value is None or of is None:
            return value
        if isinstance(value, list):
            return [self.project(of, each, asked.fields) for each in value]
        return self.project(of, value, asked.fields)

    def value(self, type_name: str, thing: Any, asked: Field) -> Any:
        """One field of one thing. Of things that are no classes, it is the entry of that name."""
        if type_name in {"Query", "Mutation"}:
            return self.root(asked)
        match thing:
            case Page():
                return _page_value(thing, asked.name)
            case Order():
                return self._order(thing, asked)
            case Deals():
                return self._agreement(thing, asked)
            case Sold():
                return self._sale(thing, asked.name)
            case Money():
                amount, currency = thing.amount, thing.currency
                if asked.name == "presentmentMoney":
                    amount, currency = thing.shown_amount, thing.shown_currency
                return {"amount": written(amount), "currencyCode": currency}
            case tuple():
                return thing[0] if asked.name == "cursor" else thing[1]
        return thing.get(asked.name)

    def name_of(self, thing: Any, type_name: str) -> str:
        match thing:
            case Deals():
                return _AGREEMENTS[thing.deal.reason]
            case Sold():
                return _SALES.get(thing.line.kind, "UnknownSale")
            case Order():
                return "Order"
            case dict():
                return str(thing.get("__typename", type_name))
        return type_name

    def _is(self, thing: Any, type_name: str, asked: str) -> bool:
        return asked in {type_name, self.name_of(thing, type_name)}

    def _order(self, order: Order, asked: Field) -> Any:
        if asked.name == "agreements":
            agreements = [Deals(order, place, deal) for place, deal in order.seen(self.now)]
            return self._page(agreements, [each.place for each in agreements], asked)
        if asked.name in {"totalPriceSet", "currentTotalPriceSet"}:
            deals = order.seen(self.now)[:1] if asked.name == "totalPriceSet" else order.seen(self.now)
            total = sum((line.net + line.tax for _, deal in deals for line in deal.lines), Decimal(0))
            return self._money(order, total)
        cancelled = order.cancelled_at if order.cancelled_at and order.cancelled_at <= self.now else None
        values = {
            "id": order.id, "name": f"#{order.number}", "test": order.is_test,
            "createdAt": moment(order.created_at), "processedAt": moment(order.processed_at),
            "updatedAt": moment(order.updated_at(self.now)), "cancelledAt": moment(cancelled), "closedAt": None,
            "currencyCode": self.shop.currency, "presentmentCurrencyCode": order.presentment or self.shop.currency,
            "taxesIncluded": order.taxes_included, "sourceName": "web",
            "edited": any(deal.reason == "ORDER_EDIT" for _, deal in order.seen(self.now)),
        }  # fmt: skip
        return values[asked.name]

    def _agreement(self, one: Deals, asked: Field) -> Any:
        if asked.name == "sales":
            sales = [Sold(one, place, line) for place, line in enumerate(one.deal.lines)]
            return self._page(sales, [each.place for each in sales], asked)
        values = {
            "id": f"gid://shopify/SalesAgreement/{one.order.number}{one.place:03}",
            "happenedAt": moment(one.deal.at),
            "reason": one.deal.reason,
        }
        return values[asked.name]

    def _sale(self, one: Sold, name: str) -> Any:
        line, order = one.line, one.of.order
        # What is taken off of a price with tax takes tax off as well, so after taxes it is more.
        share = 1 + (line.tax / line.net if line.net else Decimal(0))
        values: dict[str, Any] = {
            "id": f"gid://shopify/Sale/{order.number}{one.of.place:03}{one.place:03}",
            "actionType": self.words.get("actionType") or line.action.value,
            "lineType": self.words.get("lineType") or line.kind,
            "quantity": line.quantity if line.kind != "ADJUSTMENT" else None,
            "totalAmount": self._money(order, line.net + line.tax),
            "totalTaxAmount": self._money(order, line.tax),
            "totalDiscountAmountBeforeTaxes": self._money(order, line.discount),
            "totalDiscountAmountAfterTaxes": self._money(order, line.discount * share),
        }
        return values[name]

    def _money(self, order: Order, amount: Decimal) -> Money:
        shown = order.presentment or self.shop.currency
        step = Decimal(1).scaleb(-_PLACES.get(shown, 2))
        return Money(amount, self.shop.currency, (amount * order.rate).quantize(step), shown)

    def _page(self, things: list[Any], places: list[int], asked: Field) -> Page:
        """A page of a nested list; in a bulk operation there is no `first`, and it is all of it."""
        from_place = int(asked.arguments["after"]) + 1 if "after" in asked.arguments else 0
        first = asked.arguments.get("first")
        if first is not None and self.nested_most is not None:
            first = min(first, self.nested_most)
        left = [each for each in zip(places, things, strict=True) if each[0] >= from_place]
        shown = left if first is None else left[:first]
        items = [(_place_cursor(place), thing) for place, thing in shown]
        return Page(items, len(left) > len(shown), from_place > 0)


def _place_cursor(place: int) -> str:
    return f"{place:010}"


def _page_value(page: Page, name: str) -> Any:
    match name:
        case "nodes":
            return [thing for _, thing in page.items]
        case "edges":
            return page.items
    return {
        "hasNextPage": page.has_next, "hasPreviousPage": page.has_previous,
        "startCursor": page.items[0][0] if page.items else None, "endCursor": page.end,
    }  # fmt: skip


def written(amount: Decimal) -> str:
    """As the service writes amounts: at least one digit behind the point, and no more zeros than that."""
    text = f"{amount.normalize():f}"
    return text if "." in text else f"{text}.0"


def moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
