"""Asks one shop in GraphQL, with a token that may end in the middle of a read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass
from app.syncs.shopify.dialect import ShopifyDialect, signed_in
from app.syncs.shopify.queries import Operation

_PATH = "/graphql.json"
REFUSED = "Shopify no longer accepts the access token: it was taken back, or the app was removed. Reconnect the shop."


class Tokens(Protocol):
    """What signs in to a shop, for as long as a read takes."""

    def get(self) -> str:
        """The token to use now. Raises SyncFailed when none can be had."""

    def renew(self, refused: str) -> str:
        """Another one than the one that was refused. Raises SyncFailed, AUTH_REVOKED where there is none."""


@dataclass(frozen=True)
class FixedToken:
    """A token that is good until somebody takes it back."""

    token: str = field(repr=False)

    def get(self) -> str:
        return self.token

    def renew(self, refused: str) -> str:
        raise SyncFailed(Trouble(TroubleClass.AUTH_REVOKED, REFUSED, "HTTP 401"))


@dataclass
class ShopCalls:
    """Asks one shop. `client` is one of `shopify_client`."""

    client: ServiceClient
    tokens: Tokens
    version: str

    def ask(self, operation: Operation, **variables: Any) -> Mapping[str, Any]:
        """The `data` of an answer without errors. Raises SyncFailed and ReadStopped."""
        said = {"query": operation.text, "operationName": operation.name, "variables": variables}
        token = self._sign_in(self.tokens.get())
        try:
            return self._data(said)
        except SyncFailed as error:
            if error.trouble_class is not TroubleClass.AUTH_EXPIRED:
                raise
        self._sign_in(self.tokens.renew(token))
        try:
            return self._data(said)
        except SyncFailed as error:
            if error.trouble_class is not TroubleClass.AUTH_EXPIRED:
                raise
            # A new one is refused as well: it is not about time.
            raise SyncFailed(Trouble(TroubleClass.AUTH_REVOKED, REFUSED, error.trouble.code)) from error

    @property
    def served_version(self) -> str:
        """The version that answers: Shopify quietly takes a newer one when the one asked for is no longer served."""
        dialect = self.client.dialect
        assert isinstance(dialect, ShopifyDialect)
        return dialect.served or self.version

    def _sign_in(self, token: str) -> str:
        self.client.sign_in(signed_in(token), secrets=(token,))
        return token

    def _data(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self.client.post_json(_PATH, said)["data"]
        return data
