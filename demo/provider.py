"""The fakes of a demo: Meta with three accounts, Google Analytics with the site of a shop, Shopify with its orders, a
spreadsheet, and the server of that shop, which is down now and then."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.sheet import DemoSheets
from demo.site import DemoGa4
from demo.store import DemoShopify
from demo.truth import EU, PLANS, UK, US, make_account
from tests.fakes.providers.faults import Fault
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.meta import refusals
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.insights import Refused
from tests.fakes.providers.meta.scenarios import State, Token
from tests.fakes.providers.wire import Answer, Call
from tests.fakes.providers.world import World

SCENARIO = "demo"
# Soon enough to be warned of, and long enough to look at.
US_TOKEN_LIFE = timedelta(days=6, hours=12)
# Tokens of the fake, which open nothing anywhere else.
TOKENS = {
    EU.id: "EAAdemoTokenOfTheEuropeanAccount0123456789",
    UK.id: "EAAdemoTokenThatIsTakenBack0123456789abcd",
    US.id: "EAAdemoTokenThatEndsWithinAWeek0123456789",
}
NEW_UK_TOKEN = "EAAdemoTokenToReconnectWith0123456789abcd"  # noqa: S105 - of the fake, and there to be read
_MOST_ORDERS = 40


class DemoMeta(MetaFake):
    """Meta with the accounts of the demo. What they are depends on when the demo began, not on when it was started."""

    scenarios: tuple[str, ...] = (SCENARIO,)

    def __init__(self, begun: datetime) -> None:
        super().__init__()
        self._begun = begun
        self._taken_back: set[str] = set()

    def build(self, scenario: str, now: datetime) -> State:
        """Three accounts, each with a person whose login reads it alone."""
        state = State()
        for plan in PLANS:
            begun, today = (each.astimezone(ZoneInfo(plan.zone)).date() for each in (self._begun, now))
            state.add(make_account(plan, begun, today))
            self._grant(state, TOKENS[plan.id], plan.id, None)
        self._grant(state, TOKENS[US.id], US.id, self._begun + US_TOKEN_LIFE)
        self._grant(state, NEW_UK_TOKEN, UK.id, None)
        return state

    def take_back(self, token: str) -> None:
        """Whoever gave this token has changed their password, so that it is good for nothing any more."""
        self._taken_back.add(token)

    def _grant(self, state: State, token: str, account_id: str, ends: datetime | None) -> None:
        person, begun = f"77{account_id}", self._begun
        state.tokens[token] = Token(token, person, (account_id,), begun, ends, begun + timedelta(days=3_650))

    def _token_of(self, call: Call, now: datetime) -> Token:
        token = super()._token_of(call, now)
        if token.value in self._taken_back:
            answer = refusals.refusal_of(Fault("meta", "revoked"))
            assert answer is not None
            raise Refused(answer)
        return token


@dataclass
class Shop:
    """The server of a shop: it counts its orders, and of three questions for its prices it answers two."""

    name: str = "shop"
    scenarios: tuple[str, ...] = (SCENARIO,)
    _asked: dict[str, int] = field(default_factory=dict)

    def reset(self, scenario: str, now: datetime) -> None:
        """Begin to count anew."""
        self._asked.clear()

    def route_of(self, call: Call) -> str:
        """The part of the address that names what is asked for."""
        return call.path.strip("/")

    def meets(self, fault: Fault, call: Call) -> bool:
        """It has no conditions of its own."""
        return True

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """Orders always, prices mostly."""
        route = self.route_of(call)
        turn = self._asked[route] = self._asked.get(route, 0) + 1
        if route == "orders":
            return Answer.of_json({"orders_today": int(_MOST_ORDERS * (now.hour * 60 + now.minute) / 1_440)})
        if route == "prices":
            is_down = turn % 3 == 0
            return Answer.of_json({"error": "overloaded"}, status=503) if is_down else Answer.of_json({"prices": 214})
        return Answer.of_json({"error": "The shop has orders and prices."}, status=404)

    def mutate(self, change: dict[str, Any], now: datetime) -> None:
        """Nothing of it can be changed."""

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        """Nobody lands what it says."""
        return []


def make_world(begun: datetime) -> World:
    """All fakes of a demo that began then. Their clock is the machine's."""
    now = datetime.fromtimestamp(time.time(), begun.tzinfo)
    # Not a clock that stands still while the machine sleeps.
    google = GoogleFake()
    fakes = DemoMeta(begun), DemoGa4(begun, google), google, DemoShopify(begun), DemoSheets(google.email_of), Shop()
    return World(*fakes, now=now, ticks=time.time)
