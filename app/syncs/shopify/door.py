"""How this installation speaks with shops, and what comes of trying a login: once, within ten seconds, in words."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.core.deadline import Deadline, boot_seconds
from app.core.service_settings import ServiceSettings
from app.core.service_urls import shop_address
from app.syncs.calls.client import Sender, Spent, Watch
from app.syncs.calls.retries import MOST_TRIES
from app.syncs.calls.trials import InTime, Moment
from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.doors import LONGEST_SHOWN, TEST_SECONDS, FoundAccounts
from app.syncs.logins import Login, Renewals
from app.syncs.renewals import UnkeptRenewals
from app.syncs.shopify.dialect import shopify_client
from app.syncs.shopify.graphql import ShopCalls, Tokens
from app.syncs.shopify.queries import Operation
from app.syncs.shopify.refusal_words import no_answer, words_for
from app.syncs.shopify.shop import ShopFacts, read_shop
from app.syncs.shopify.sign_in import RefreshedTokens, TokenDesk, tokens_of
from app.syncs.signs.shopify import SHOP, SHOPIFY_SIGN
from app.syncs.signs.shopify_logins import read_login
from app.syncs.standing import LoginFacts, Seen, Tried

_ONE_ORDER = Operation("OneOrder", "query OneOrder { orders(first: 1, sortKey: CREATED_AT) { nodes { id } } }")


@dataclass(frozen=True)
class ShopifyDoor:
    """Where shops answer, the version that is asked for, and what carries requests."""

    template: str
    version: str
    sender: Sender
    chance: Callable[[], float] = random.random
    seconds: float = TEST_SECONDS

    @classmethod
    def of(cls, services: ServiceSettings, sender: Sender) -> "ShopifyDoor":
        return cls(services.shopify_base_url_template, services.shopify_api_version, sender)

    def calls(self, login: Login, *, watch: Watch) -> ShopCalls:
        """Asks the shop of a connection, signed in for as long as a read takes. Nothing is asked yet."""
        renewals = login.renewals or UnkeptRenewals()
        return self._calls(login.secret, login.account_id, renewals, watch)

    def try_login(self, secret: str, account_id: str, *, now: datetime) -> Tried:
        """Read a shop and one order of it with a login. Never raises for what Shopify says or does not say."""
        renewals = UnkeptRenewals()
        return replace(self._try(secret, account_id, renewals, now), secret=renewals.newest)

    def try_stored(self, login: Login, *, now: datetime) -> Tried:
        """The same with the login of a connection: where its token has to be renewed, it is stored with the login.

        Raises ConnectionNotFound and ConnectionEnded.
        """
        return self._try(login.secret, login.account_id, login.renewals or UnkeptRenewals(), now)

    def find_accounts(self, secret: str, *, now: datetime) -> FoundAccounts:
        """No login lists the shops that it reads."""
        return FoundAccounts(problem=SHOPIFY_SIGN.nothing_found)

    def _try(self, secret: str, shop: str, renewals: Renewals, now: datetime) -> Tried:
        started, hurried = boot_seconds(), self._hurried()
        calls = hurried._calls(secret, shop, renewals, Moment(now), most_tries=1)
        try:
            facts = read_shop(calls, domain=shop)
            orders = _count(calls.ask(_ONE_ORDER))
        except SyncFailed as error:
            words = words_for(error, shop=shop, now=now, seconds=self.seconds)
            return Tried(words, boot_seconds() - started, trouble=error.trouble_class)
        seconds, name = boot_seconds() - started, calls.client.clean(facts.name)[:LONGEST_SHOWN]
        words = _good_words(facts, name, orders, seconds, asked=self.version, served=calls.served_version)
        return Tried(words, seconds, Seen(shop, name, facts.zone, facts.currency, _login_facts(calls.tokens, now)))

    def _calls(
        self, secret: str, shop: str, renewals: Renewals, watch: Watch, *, most_tries: int = MOST_TRIES
    ) -> ShopCalls:
        if not SHOP.fullmatch(shop):
            raise ValueError("only what was cleaned becomes a part of an address")
        login, spent, base_url = read_login(secret), Spent(), shop_address(self.template, shop)
        client = shopify_client(
            base_url=base_url, version=self.version, token=login.access_token or "", sender=self.sender, watch=watch,
            chance=self.chance, most_tries=most_tries,
        )  # fmt: skip
        client.spent = spent
        client.sign_in(client.headers, login.secrets)
        desk = TokenDesk(base_url, self.sender, watch, self.chance, most_tries, spent)
        return ShopCalls(client, tokens_of(login, desk, renewals), self.version)

    def _hurried(self) -> "ShopifyDoor":
        """The same, for as long as somebody may be kept waiting."""
        return replace(self, sender=InTime(self.sender, Deadline.after(self.seconds), no_answer(self.seconds)))


def _count(said: Mapping[str, Any]) -> int:
    """1, or 0 where there is none: reading one proves that orders can be read."""
    orders = said.get("orders")
    nodes = orders.get("nodes") if isinstance(orders, dict) else None
    if not isinstance(nodes, list):
        raise failed(TroubleClass.INTERNAL, "Shopify does not say which orders there are.")
    return min(len(nodes), 1)


def _login_facts(tokens: Tokens, now: datetime) -> LoginFacts:
    """A refresh token ends when nobody uses it for long. What gets new tokens by itself, or is fixed, does not."""
    if not isinstance(tokens, RefreshedTokens):
        return LoginFacts(known_at=now)
    ends_at = tokens.login.refresh_ends_at
    return LoginFacts(expires_at=ends_at, known_at=None if ends_at is None else now)


def _good_words(facts: ShopFacts, name: str, orders: int, seconds: float, *, asked: str, served: str) -> str:
    """What was read, and what is not as it could be."""
    what = f"1 order from {name}" if orders else name
    found = [f"Read {what}: ok, {seconds:.1f} s"]
    if not orders:
        found.append("There are no orders that this app may read")
    if not facts.reads_all_orders:
        found.append(
            "It may read the orders of the last 60 days alone, so what is paid back of older ones is missing: grant "
            "the app read_all_orders to have that too"
        )
    if served != asked:
        found.append(
            f"Shopify no longer serves the version {asked} of its API and answered with {served}: whoever runs Belfry "
            "should update it"
        )
    return found[0] if len(found) == 1 else f"{'. '.join(found)}."
