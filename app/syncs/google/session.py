"""One service account at one API of Google: signed in when it asks, and once more when its token is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.syncs.calls.client import Dialect, Sender, ServiceClient, Spent, Watch
from app.syncs.calls.retries import MOST_TRIES
from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.google.tokens import AccessToken, TokenDialect, request_token
from app.syncs.signs.key_files import ServiceKey

_Said = TypeVar("_Said")


@dataclass
class GoogleSession:
    """What reads and writes. `client` is the API's and `tokens` the sign-in's; both count into one account of calls."""

    key: ServiceKey
    scope: str
    client: ServiceClient
    tokens: ServiceClient
    _token: AccessToken | None = field(default=None, init=False, repr=False)

    @property
    def spent(self) -> Spent:
        return self.client.spent

    def post_json(self, path: str, said: Any) -> Any:
        """The JSON of an answer. Raises SyncFailed and ReadStopped."""
        return self.ask(lambda client: client.post_json(path, said))

    def ask(self, call: Callable[[ServiceClient], _Said]) -> _Said:
        """Make a call that may be made twice, signed in. Raises what it raises.

        A token may be refused before its time: another one is asked for then, once, for the same key.
        """
        self._sign_in()
        try:
            return call(self.client)
        except SyncFailed as error:
            if error.trouble_class is not TroubleClass.AUTH_EXPIRED:
                raise
        self._token = None
        self._sign_in()
        return call(self.client)

    def _sign_in(self) -> None:
        if self._token is not None and self._token.is_good(self.client.watch.now()):
            return
        self._token = request_token(self.tokens, self.key, scope=self.scope)
        # In the address it would end up in logs of every machine on the way.
        self.client.sign_in((("Authorization", f"Bearer {self._token.value}"),), self.key.secrets)


def open_session(
    key: ServiceKey,
    *,
    scope: str,
    base_url: str,
    token_url: str,
    dialect: Dialect,
    sender: Sender,
    watch: Watch,
    chance: Callable[[], float],
    most_tries: int = MOST_TRIES,
) -> GoogleSession:
    """Nothing is asked yet. Both addresses are the operator's settings, never what stands in a file or was typed in."""
    spent = Spent()
    client = ServiceClient(
        base_url, sender, dialect, watch, (), key.secrets, chance, most_tries=most_tries, spent=spent
    )  # fmt: skip
    tokens = ServiceClient(
        token_url, sender, TokenDialect(), watch, (), key.secrets, chance, most_tries=most_tries, spent=spent
    )  # fmt: skip
    return GoogleSession(key, scope, client, tokens)
