"""Gets tokens for a shop: for the id and secret of an app, and for a refresh token that changes with each use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.core.http import OutboundResponse
from app.core.retry_after import break_asked_for
from app.syncs.calls.client import LIMITS, Sender, ServiceClient, Spent, Watch
from app.syncs.calls.retries import MOST_TRIES
from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass, failed
from app.syncs.calls.usage import Usage
from app.syncs.logins import Renewals, Renewed
from app.syncs.shopify.graphql import FixedToken, Tokens
from app.syncs.shopify.refusals import UNREADABLE, reference_of
from app.syncs.shopify.sign_in_refusals import LOST, read_refusal
from app.syncs.signs.shopify_logins import LoginWay, ShopLogin, read_login

_PATH = "/access_token"
# Short, so that all tries together end before somebody else may take their turn.
SIGN_IN_LIMITS = replace(LIMITS, total_seconds=20.0)
# Where an answer does not say how long its token is good: the shortest that Shopify hands out. Never taken for endless.
_UNTOLD = timedelta(hours=1)
_LONGEST = timedelta(days=2)
_LONGEST_REFRESH = timedelta(days=400)


class SignInDialect:
    """The address that hands out tokens, whose errors look unlike those of the API."""

    name = "Shopify's sign-in"

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        return None

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        headers = {name.lower(): value for name, value in response.headers}
        wait = break_asked_for(response.status, response.headers, now=now)
        trouble = read_refusal(response.status, content, wait=wait, reference=reference_of(headers), clean=clean)
        if trouble is not None:
            return trouble
        return None if isinstance(content, dict) and _text(content.get("access_token")) else UNREADABLE


@dataclass(frozen=True)
class TokenDesk:
    """Where one shop hands out tokens. `base_url` is its address after the operator's template."""

    base_url: str
    sender: Sender
    watch: Watch
    chance: Callable[[], float]
    most_tries: int = MOST_TRIES
    spent: Spent = field(default_factory=Spent)

    def ask(self, login: ShopLogin, *, is_doubtful: bool = False) -> ShopLogin:
        """The same login with another token, and with another refresh token where it has one. Raises SyncFailed.

        `is_doubtful` says that the answer before may be lost, which is told when Shopify refuses.
        """
        client = ServiceClient(
            f"{self.base_url}/admin/oauth", self.sender, SignInDialect(), self.watch, (), login.secrets, self.chance,
            most_tries=self.most_tries, spent=self.spent, limits=SIGN_IN_LIMITS,
        )  # fmt: skip
        asked_before = self.spent.requests
        try:
            said = client.post_json(_PATH, _form_of(login))
        except SyncFailed as error:
            is_lost = login.way is LoginWay.REFRESH and (is_doubtful or self.spent.requests > asked_before + 1)
            if is_lost and error.trouble_class is TroubleClass.AUTH_REVOKED:
                raise SyncFailed(replace(error.trouble, message=LOST)) from error
            raise
        return _renewed(login, said, self.watch.now())


@dataclass
class ClientTokens:
    """An app that asks for a token with its own id and secret, as often as it likes."""

    login: ShopLogin
    desk: TokenDesk

    def get(self) -> str:
        return self.login.good_token(self.desk.watch.now()) or self.renew("")

    def renew(self, refused: str) -> str:
        self.login = self.desk.ask(self.login)
        assert self.login.access_token is not None
        return self.login.access_token


@dataclass
class RefreshedTokens:
    """An app whose refresh token is another one after each use: it is renewed by one at a time, and stored first."""

    login: ShopLogin
    desk: TokenDesk
    renewals: Renewals

    def get(self) -> str:
        return self.login.good_token(self.desk.watch.now()) or self.renew("")

    def renew(self, refused: str) -> str:
        self.login = read_login(self.renewals.renew(self.login.as_text(), self._ask))
        token = self.login.good_token(self.desk.watch.now())
        if token is None:
            raise failed(
                TroubleClass.TRANSIENT, "The login was replaced while it was renewed. Try again with the new one."
            )
        return token

    def _ask(self, secret: str, is_doubtful: bool) -> Renewed:
        login = self.desk.ask(read_login(secret), is_doubtful=is_doubtful)
        return Renewed(login.refresh_ends_at, login.as_text())


def tokens_of(login: ShopLogin, desk: TokenDesk, renewals: Renewals) -> Tokens:
    """What signs in for as long as a read takes."""
    match login.way:
        case LoginWay.TOKEN:
            assert login.access_token is not None
            return FixedToken(login.access_token)
        case LoginWay.CLIENT:
            return ClientTokens(login, desk)
        case LoginWay.REFRESH:
            return RefreshedTokens(login, desk, renewals)


def _form_of(login: ShopLogin) -> dict[str, str]:
    assert login.client_id is not None
    assert login.client_secret is not None
    said = {"client_id": login.client_id, "client_secret": login.client_secret}
    if login.refresh_token is None:
        return said | {"grant_type": "client_credentials"}
    return said | {"grant_type": "refresh_token", "refresh_token": login.refresh_token}


def _renewed(login: ShopLogin, said: Mapping[str, Any], now: datetime) -> ShopLogin:
    refresh = _text(said.get("refresh_token")) if login.refresh_token is not None else None
    known = login.refresh_ends_at if refresh in {None, login.refresh_token} else None
    told = _seconds(said.get("refresh_token_expires_in"), _LONGEST_REFRESH)
    is_refresh = login.way is LoginWay.REFRESH
    return replace(
        login,
        access_token=_text(said.get("access_token")),
        ends_at=now + (_seconds(said.get("expires_in"), _LONGEST) or _UNTOLD),
        refresh_token=refresh or login.refresh_token,
        refresh_ends_at=(now + told if told else known) if is_refresh else None,
    )


def _text(value: Any) -> str | None:
    is_good = isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value
    return value if is_good and 0 < len(value) <= 4_096 else None


def _seconds(value: Any, longest: timedelta) -> timedelta | None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    return min(timedelta(seconds=min(value, 10**9)), longest)
