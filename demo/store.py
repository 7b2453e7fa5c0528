"""The shop of the demo at Shopify, with its orders and what comes back. Pure: the same day has the same orders."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from demo.truth import DAYS_AHEAD
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.making import product, refund_of, shipping
from tests.fakes.providers.shopify.scenarios import ALL_SCOPES, App, State
from tests.fakes.providers.shopify.truth import Deal, Order, Shop

STORE_ID, STORE, ZONE = "demo-outdoor.myshopify.com", "Demo Outdoor Shop", "Europe/Berlin"
CLIENT_ID = "demoapp0123456789abcdef0123456789"
# Of the fake; it opens nothing anywhere else.
CLIENT_SECRET = "shpssDemoSecretOfTheShopsApp0123456789"  # noqa: S105 - and there to be read
# More than a first sync reads.
DAYS_BEFORE = 370
_VAT = "0.19"
_WEEK = (5, 4, 5, 6, 7, 9, 8)  # orders a day, from Monday on
_PRICES = ("29.00", "49.90", "64.00", "119.00", "189.00", "249.00")


class DemoShopify(ShopifyFake):
    """Shopify with the shop of the demo. What it holds depends on when the demo began."""

    scenarios: tuple[str, ...] = ("demo",)

    def __init__(self, begun: datetime) -> None:
        super().__init__()
        self._begun = begun

    def build(self, scenario: str, now: datetime) -> State:
        """One shop, and one app that is installed in it."""
        begun, today = (each.astimezone(ZoneInfo(ZONE)).date() for each in (self._begun, now))
        state = State()
        state.add(make_store(begun, today))
        state.apps[CLIENT_ID] = App(CLIENT_ID, CLIENT_SECRET, (STORE_ID,), ALL_SCOPES, "shprtDemoUnused000001")
        return state


def make_store(begun: date, today: date) -> Shop:
    """The shop with all its orders, some that are to come included: nobody sees them before they are there."""
    # As many calls as a large plan lets make, so that the first year is read in seconds.
    store = Shop(STORE_ID, STORE, "EUR", ZONE, taxes_included=True, bucket_size=200_000.0, restore_rate=20_000.0)
    for away in range(-DAYS_BEFORE, (today - begun).days + DAYS_AHEAD + 1):
        for order in _orders(begun + timedelta(days=away)):
            store.add(order)
    return store


def _orders(day: date) -> Iterator[Order]:
    chance = Random(f"{STORE_ID} {day}")  # noqa: S311 - nobody is to be kept from guessing it
    for turn in range(_WEEK[day.weekday()] + chance.randint(-2, 2)):
        minute = chance.randint(8 * 60, 23 * 60 - 1)
        local = datetime.combine(day, time(minute // 60, minute % 60, chance.randint(0, 59)), ZoneInfo(ZONE))
        yield _order(day.toordinal() * 100 + turn, local, chance)


def _order(number: int, at: datetime, chance: Random) -> Order:
    pieces, price = chance.choice((1, 1, 1, 2, 3)), Decimal(chance.choice(_PRICES))
    discount = str((price * pieces / 10).quantize(Decimal("0.01"))) if chance.random() < 0.2 else "0"
    line = product(price, quantity=pieces, included=_VAT, discount=discount)
    order = Order(number, at, [Deal("ORDER", at, (line, shipping("4.12", tax="0.78")))], at, taxes_included=True)
    if chance.random() < 0.09:
        back = at + timedelta(days=chance.randint(3, 45), minutes=chance.randint(0, 300))
        order.deals.append(refund_of(order, back, quantity=1))
    return order
