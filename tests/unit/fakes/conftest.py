"""A world with the fake of Meta in it, and requests as somebody would send them."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import EU, TOKEN
from tests.fakes.providers.wire import Answer, Call
from tests.fakes.providers.world import World

FIELDS = "account_id,account_currency,campaign_id,campaign_name,spend,impressions,reach,actions,action_values"
Ask = Callable[..., Answer]


@pytest.fixture
def world() -> World:
    return World(MetaFake())


@pytest.fixture
def ask(world: World) -> Ask:
    """Sends one request: a path below the version, a token, and parameters."""

    def send(
        path: str, *, method: str = "GET", version: str = "v26.0", token: str | None = TOKEN, **said: Any
    ) -> Answer:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return world.answer(Call.of(method, f"/meta/{version}/{path}?{urlencode(said)}", headers))

    return send


@pytest.fixture
def insights(ask: Ask) -> Ask:
    """Asks for the campaign-days of some days in November 2026."""

    def send(since: str = "2026-11-01", until: str = "2026-11-19", **more: Any) -> Answer:
        span = json.dumps({"since": since, "until": until})
        path = more.pop("path", f"act_{EU}/insights")
        wanted = {"level": "campaign", "fields": FIELDS, "time_range": span, "time_increment": 1, "limit": 500}
        return ask(path, **(wanted | more))

    return send
