"""The address that hands out tokens: for an app's credentials, and for a refresh token that changes with each use."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.shopify import refusals
from tests.fakes.providers.shopify.refusals import Refused
from tests.fakes.providers.shopify.scenarios import App, State, Token
from tests.fakes.providers.wire import Answer, Call

CLIENT_SECONDS, REFRESHED_SECONDS = 86_399, 3_600


@dataclass(frozen=True)
class Grant:
    """What one request for a token says."""

    shop: str
    said: dict[str, Any]
    fault: Fault | None
    now: datetime

    @classmethod
    def of(cls, shop: str, call: Call, fault: Fault | None, now: datetime) -> "Grant":
        try:
            said = json.loads(call.body) if "json" in call.headers.get("content-type", "") else call.parameters
        except ValueError:
            said = {}
        return cls(shop, said if isinstance(said, dict) else {}, fault, now)


def hand_out(state: State, grant: Grant) -> Answer:
    """A new token. Raises Refused."""
    said = grant.said
    app = state.apps.get(str(said.get("client_id")))
    if app is None:
        raise Refused(refusals.oauth("application_cannot_be_found", "No application has this client id."))
    if said.get("client_secret") != app.secret:
        raise Refused(refusals.oauth("invalid_client", "The client secret is wrong.", status=401))
    if grant.shop not in app.shops:
        raise Refused(refusals.oauth("shop_not_permitted", "Client credentials cannot be performed on this shop."))
    match said.get("grant_type"):
        case "client_credentials":
            return _answer(state, app, grant, {"expires_in": CLIENT_SECONDS})
        case "refresh_token":
            return _answer(state, app, grant, {"expires_in": REFRESHED_SECONDS} | _rotate(app, said))
    raise Refused(refusals.oauth("unsupported_grant_type", "This grant type is not known."))


def _rotate(app: App, said: dict[str, Any]) -> dict[str, Any]:
    """The next refresh token. The one that was used is worthless from now on, or from when the next one is used."""
    used = said.get("refresh_token")
    if used == app.refresh_token:
        app.old_refresh_token = app.refresh_token if app.keeps_old else None
    elif used is None or used != app.old_refresh_token:
        raise Refused(refusals.oauth("invalid_request", "The refresh token is invalid, has expired or was used."))
    app.refresh_token = f"shprtFakeRotated{int(app.refresh_token[-6:], 36) + 1:032d}"
    return {"refresh_token": app.refresh_token, "refresh_token_expires_in": app.refresh_seconds}


def _answer(state: State, app: App, grant: Grant, more: dict[str, Any]) -> Answer:
    value = f"shpatFakeHandedOut{len(state.tokens):028d}"
    ends = grant.now + timedelta(seconds=more["expires_in"])
    state.tokens[value] = Token(value, app.shops, app.scopes, ends)
    said = {"access_token": value, "scope": ",".join(app.scopes)} | more
    if grant.fault is not None and grant.fault.fault == "no_expiry":
        del said["expires_in"]
    if grant.fault is not None and grant.fault.fault == "no_rotation":
        said.pop("refresh_token", None)
    return Answer.of_json(said, headers=(refusals.request_id(),))
