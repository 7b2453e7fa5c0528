"""The shops, apps and tokens of the scenarios. The same scenario and clock always give the same data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.fakes.providers.shopify import making
from tests.fakes.providers.shopify.making import gift_card, old_sale, refund_of, shipping, whole_refund
from tests.fakes.providers.shopify.truth import Action, Deal, Line, Order, Shop

# Not shaped like real ones, so that nobody's scanner is frightened; long, so that a search for them proves something.
TOKEN = "shpatFakeTokenOfAnna0123456789abcdefghijklmnop"
OTHER_TOKEN = "shpatFakeTokenOfSixtyDays0123456789abcdefghij"
SCOPELESS_TOKEN = "shpatFakeTokenWithoutScope0123456789abcdefgh"
CLIENT_ID = "fakeclient0123456789abcdef01234567"
CLIENT_SECRET = "shpssFakeClientSecret0123456789abcdefghijk"
REFRESH_TOKEN = "shprtFakeRefreshToken0123456789abcdefghijklm"
SECRETS = (TOKEN, OTHER_TOKEN, SCOPELESS_TOKEN, CLIENT_SECRET, REFRESH_TOKEN)
ACME, NIPPON, GULF = "acme.myshopify.com", "nippon.myshopify.com", "gulf.myshopify.com"
ALL_SCOPES = ("read_orders", "read_all_orders", "read_products")
# The orders of S3 that tests name.
OLD_ORDER, REFUNDED_ORDER, CANCELLED_ORDER, TEST_ORDER, EDITED_ORDER, LONG_ORDER = 901, 902, 903, 904, 905, 906


@dataclass
class Token:
    """What lets an app into shops. `expires_at` None: never."""

    value: str
    shops: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: datetime | None = None


@dataclass
class App:
    """One app with its refresh token, which is another one after each use.

    With `keeps_old` the one before is good until the new one is used, as the service promises since August 2026.
    """

    id: str
    secret: str
    shops: tuple[str, ...]
    scopes: tuple[str, ...]
    refresh_token: str
    old_refresh_token: str | None = None
    keeps_old: bool = False
    refresh_seconds: int = 7_776_000


@dataclass
class State:
    """All that one scenario knows."""

    shops: dict[str, Shop] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)

    def add(self, shop: Shop) -> None:
        self.shops[shop.domain] = shop

    def grant(self, value: str, *, scopes: tuple[str, ...] = ALL_SCOPES, expires_at: datetime | None = None) -> None:
        """Let whoever has this token into every shop there is so far."""
        self.tokens[value] = Token(value, tuple(self.shops), scopes, expires_at)


def build(scenario: str, now: datetime) -> State:
    """The data of a scenario. Its ordinary orders end today, its special ones are of autumn 2026."""
    state = State()
    _BUILDERS[scenario](state, now)
    state.grant(TOKEN)
    state.grant(OTHER_TOKEN, scopes=("read_orders", "read_products"))
    state.grant(SCOPELESS_TOKEN, scopes=("read_products",))
    state.apps[CLIENT_ID] = App(CLIENT_ID, CLIENT_SECRET, tuple(state.shops), ALL_SCOPES, REFRESH_TOKEN)
    return state


def _three_shops(state: State, now: datetime) -> None:
    """S3: dollars over the end of summer time, yen with the tax in the price, dinars with three places."""
    acme = Shop(ACME, "Acme =cmd 🏖️", "USD", "America/New_York")
    making.fill(acme, now, days=40, each_day=3)
    for order in _special_orders():
        acme.add(order)
    state.add(acme)
    nippon = Shop(NIPPON, "日本商店", "JPY", "Asia/Tokyo", taxes_included=True)
    making.fill(nippon, now, days=20, each_day=2)
    state.add(nippon)
    gulf = Shop(GULF, "Gulf Dates", "KWD", "Asia/Kuwait")
    making.fill(gulf, now, days=8, each_day=1)
    state.add(gulf)


def _many_orders(state: State, now: datetime) -> None:
    """S4: more orders than one listing hands out."""
    shop = Shop(ACME, "Acme Large", "USD", "America/New_York")
    making.fill_large(shop, now, orders=26_000, days=40)
    state.add(shop)


_BUILDERS: dict[str, Callable[[State, datetime], None]] = {
    "S3": _three_shops,
    "S4": _many_orders,
    "S5": _three_shops,  # the same shop with two people: both tokens can read it in every scenario
}
NAMES = tuple(_BUILDERS)


def _special_orders() -> list[Order]:
    return [*_around_the_clock_change(), *_with_a_past(), *_of_other_kinds()]


def _around_the_clock_change() -> list[Order]:
    """On the night to 1 November 2026 New York sets its clocks back: the day has 25 hours."""
    moments = (
        "2026-11-01T03:59:59", "2026-11-01T04:00:00", "2026-11-01T05:30:00", "2026-11-01T06:30:00",
        "2026-11-02T04:59:59", "2026-11-02T05:00:00",
    )  # fmt: skip
    return [
        old_sale(910 + number, _at(moment), Decimal("10.01") * (number + 1), tax_rate="0.08875")
        for number, moment in enumerate(moments)
    ]


def _with_a_past() -> list[Order]:
    old = old_sale(OLD_ORDER, _at("2026-09-05T15:00:00"), Decimal("250.00"), quantity=2, tax_rate="0.08875")
    old.deals.append(refund_of(old, _at("2026-11-17T16:20:00"), quantity=1))
    refunded = old_sale(REFUNDED_ORDER, _at("2026-10-05T18:00:00"), Decimal("57.23"), quantity=3, included="0.20")
    refunded.deals.append(refund_of(refunded, _at("2026-11-09T03:30:00"), quantity=1))
    refunded.deals.append(Deal("REFUND", _at("2026-11-10T12:00:00"), (_adjustment("-5.00"),)))
    cancelled = old_sale(CANCELLED_ORDER, _at("2026-11-12T20:00:00"), Decimal("80.00"), discount="7.99")
    cancelled.cancelled_at = _at("2026-11-13T22:00:00")
    cancelled.deals.append(whole_refund(cancelled, cancelled.cancelled_at))
    imported = old_sale(907, _at("2026-11-18T10:00:00"), Decimal("33.30"))
    imported.processed_at = _at("2026-10-20T10:00:00")
    imported.deals[0] = Deal("ORDER", imported.processed_at, imported.deals[0].lines)
    later = old_sale(908, _at("2026-11-16T14:00:00"), Decimal("44.40"))
    later.deals.append(whole_refund(later, _at("2026-11-25T14:00:00")))
    return [old, refunded, cancelled, imported, later]


def _of_other_kinds() -> list[Order]:
    test = old_sale(TEST_ORDER, _at("2026-11-14T10:00:00"), Decimal("999.99"))
    test.is_test = True
    edited = old_sale(EDITED_ORDER, _at("2026-11-11T15:00:00"), Decimal("20.00"), quantity=2, tax_rate="0.08875")
    added = making.product(Decimal("15.50"), quantity=1, tax_rate="0.08875", discount="1.77")
    lower = Line(Action.UPDATE, "PRODUCT", 0, Decimal("-2.50"), tax=Decimal("-0.22"))
    edited.deals.append(Deal("ORDER_EDIT", _at("2026-11-13T15:00:00"), (added, lower)))
    edited.deals.append(refund_of(edited, _at("2026-11-14T15:00:00"), quantity=1, reason="ORDER_EDIT"))
    abroad = old_sale(920, _at("2026-11-10T09:00:00"), Decimal("100.00"), discount="10.00")
    abroad.presentment, abroad.rate = "EUR", Decimal("0.91")
    card = Order(921, _at("2026-11-10T10:00:00"), [], _at("2026-11-10T10:00:00"))
    card.deals.append(Deal("ORDER", card.created_at, (gift_card("50.00"),)))
    mixed = old_sale(922, _at("2026-11-10T11:00:00"), Decimal("12.00"))
    mixed.deals[0] = Deal("ORDER", mixed.created_at, (*mixed.deals[0].lines, gift_card("25.00"), shipping("4.90")))
    return [test, edited, abroad, card, mixed, _long_order()]


def _long_order() -> Order:
    """More lines and more deals than anybody asks for at once."""
    at = _at("2026-11-15T12:00:00")
    lines = tuple(making.product(Decimal(100 + number) / 100, quantity=1) for number in range(260))
    order = Order(LONG_ORDER, at, [Deal("ORDER", at, lines)], at)
    for number in range(30):
        back = making.returned(lines[number])
        order.deals.append(Deal("REFUND", at + timedelta(hours=number + 1), (back,)))
    return order


def _adjustment(amount: str) -> Line:
    return Line(Action.RETURN, "ADJUSTMENT", 0, Decimal(amount))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
