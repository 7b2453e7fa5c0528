"""Makes orders: to the cent, without chance, and without a pattern that mixing up columns would leave alone."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.fakes.providers.shopify.truth import ZERO, Action, Deal, Line, Order, Shop

_PLACES = {"JPY": 0, "KWD": 3}
_FIRST_NUMBER = 1_001


def product(
    price: Decimal, *, quantity: int, tax_rate: str = "0", included: str = "", discount: str = "0", places: int = 2
) -> Line:
    """Some pieces for a price each. With `included` that rate of tax is in the price and the discount."""
    step = Decimal(1).scaleb(-places)
    off = Decimal(discount)
    if included:
        part = Decimal(included) / (1 + Decimal(included))
        tax = ((price * quantity - off) * part).quantize(step, ROUND_HALF_UP)
        net, off = price * quantity - off - tax, (off * (1 - part)).quantize(step, ROUND_HALF_UP)
        return Line(Action.ORDER, "PRODUCT", quantity, net + off, off, tax)
    tax = ((price * quantity - off) * Decimal(tax_rate)).quantize(step, ROUND_HALF_UP)
    return Line(Action.ORDER, "PRODUCT", quantity, price * quantity, off, tax)


def returned(line: Line, *, quantity: int | None = None) -> Line:
    """A part of a line that goes back, cut off to the cent."""
    share = Decimal(quantity or line.quantity or 1) / Decimal(line.quantity or 1)
    return replace(
        line, action=Action.RETURN, quantity=-(quantity or line.quantity), gross=-_cut(line.gross * share, line.gross),
        discount=-_cut(line.discount * share, line.discount), tax=-_cut(line.tax * share, line.tax),
    )  # fmt: skip


def _cut(amount: Decimal, like: Decimal) -> Decimal:
    exponent = like.as_tuple().exponent
    return amount.quantize(Decimal(1).scaleb(int(exponent) if isinstance(exponent, int) else 0))


def shipping(price: str, *, tax: str = "0") -> Line:
    return Line(Action.ORDER, "SHIPPING", 1, Decimal(price), tax=Decimal(tax))


def gift_card(price: str) -> Line:
    return Line(Action.ORDER, "GIFT_CARD", 1, Decimal(price))


def old_sale(
    number: int, at: datetime, price: Decimal, *, quantity: int = 1, tax_rate: str = "0", included: str = "",
    discount: str = "0",
) -> Order:  # fmt: skip
    """An order of one product and its shipping."""
    line = product(price, quantity=quantity, tax_rate=tax_rate, included=included, discount=discount)
    deal = Deal("ORDER", at, (line, shipping("5.95", tax="0.49")))
    return Order(number, at, [deal], at, taxes_included=bool(included))


def refund_of(order: Order, at: datetime, *, quantity: int, reason: str = "REFUND") -> Deal:
    """Some pieces of an order's first line go back."""
    return Deal(reason, at, (returned(order.deals[0].lines[0], quantity=quantity),))


def whole_refund(order: Order, at: datetime) -> Deal:
    """All of its first deal goes back, shipping too."""
    return Deal("REFUND", at, tuple(returned(line) for line in order.deals[0].lines))


def fill(shop: Shop, now: datetime, *, days: int, each_day: int) -> None:
    """Ordinary orders, so many a day up to today, with a refund now and then."""
    midnight = datetime.combine(now.date(), time(), UTC)
    for back in reversed(range(days)):
        for turn in range(each_day):
            number = _FIRST_NUMBER + (days - 1 - back) * each_day + turn
            at = midnight - timedelta(days=back) + timedelta(minutes=number * 7919 % 1_440, seconds=number % 60)
            shop.add(_ordinary(shop, number, at))


def fill_large(shop: Shop, now: datetime, *, orders: int, days: int) -> None:
    """So many orders, evenly spread over so many days that end now, each a second from any other at least."""
    step = timedelta(days=days) / orders
    for number in range(orders):
        at = (now - step * (orders - number)).replace(microsecond=0)
        shop.add(_ordinary(shop, _FIRST_NUMBER + number, at))


def _ordinary(shop: Shop, number: int, at: datetime) -> Order:
    places = _PLACES.get(shop.currency, 2)
    price = Decimal(500 + number * 7_907 % 19_991).scaleb(-places)
    discount = Decimal(number % 7 * 31).scaleb(-places) if number % 3 == 0 else ZERO
    rates = {"included": "0.10"} if shop.taxes_included else {"tax_rate": "0.08875"}
    line = product(price, quantity=1 + number % 3, discount=str(discount), places=places, **rates)
    lines = (line,) if number % 2 else (line, Line(Action.ORDER, "SHIPPING", 1, Decimal(590).scaleb(-places)))
    order = Order(number, at, [Deal("ORDER", at, lines)], at, taxes_included=shop.taxes_included)
    if number % 13 == 5:
        order.deals.append(refund_of(order, at + timedelta(days=number % 9, hours=5), quantity=1))
    return order
