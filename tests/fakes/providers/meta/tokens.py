"""What an app asks about the tokens that people gave it."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.fakes.providers.meta import refusals, scenarios
from tests.fakes.providers.meta.insights import Refused
from tests.fakes.providers.meta.scenarios import State
from tests.fakes.providers.wire import Answer, Call


def token_facts(state: State, call: Call, now: datetime) -> Answer:
    """What the app may ask about a token. Raises Refused."""
    said = call.bearer or call.parameters.get("access_token")
    if said != f"{scenarios.APP_ID}|{scenarios.APP_SECRET}":
        raise Refused(refusals.graph_error(190, "Invalid OAuth access token signature."))
    token = state.tokens.get(call.query.get("input_token", ""))
    if token is None:
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return Answer.of_json({"data": {"error": error, "is_valid": False, "scopes": []}})
    ends = int(token.expires_at.timestamp()) if token.expires_at else 0
    facts = {
        "app_id": scenarios.APP_ID, "type": "USER", "application": "Belfry (fake)", "expires_at": ends,
        "data_access_expires_at": int(token.data_access_expires_at.timestamp()),
        "is_valid": ends == 0 or ends > now.timestamp(), "issued_at": int(token.issued_at.timestamp()),
        "scopes": list(token.scopes), "user_id": token.user_id,
    }  # fmt: skip
    return Answer.of_json({"data": facts})


def refuse_proof(state: State, token: str, call: Call) -> None:
    """Raises Refused for a proof that is wrong, and where the app demands one for a missing one."""
    said = call.parameters.get("appsecret_proof")
    right = hmac.new(scenarios.APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
    if said is None and state.needs_proof:
        raise Refused(refusals.bad_parameter("API calls from the server require an appsecret_proof argument"))
    if said is not None and said != right:
        raise Refused(refusals.bad_parameter("Invalid appsecret_proof provided in the API argument"))


def exchange(state: State, call: Call, now: datetime) -> Answer:
    """A new token for one that is still good. Raises Refused."""
    said = call.query
    if (said.get("client_id"), said.get("client_secret")) != (scenarios.APP_ID, scenarios.APP_SECRET):
        raise Refused(refusals.graph_error(1, "Error validating client secret."))
    if said.get("grant_type") != "fb_exchange_token":
        raise Refused(refusals.bad_parameter("Invalid grant_type"))
    old = state.tokens.get(said.get("fb_exchange_token", ""))
    if old is None or (old.expires_at is not None and old.expires_at <= now):
        raise Refused(refusals.expired())
    value = f"{old.value[:40]}exchanged{len(state.tokens)}"
    life = timedelta(seconds=5_183_944)
    state.tokens[value] = replace(old, value=value, issued_at=now.astimezone(UTC), expires_at=now + life)
    return Answer.of_json({"access_token": value, "token_type": "bearer", "expires_in": 5_183_944})
