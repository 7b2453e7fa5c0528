"""How Meta speaks: its usage headers, and its errors, which come with any status."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.core.hiding import Cleaner
from app.core.http import OutboundResponse
from app.core.retry_after import break_asked_for
from app.syncs.calls.client import Sender, ServiceClient, Watch
from app.syncs.calls.troubles import Trouble
from app.syncs.calls.usage import Usage
from app.syncs.meta.refusals import UNREADABLE, read_error, without_an_error
from app.syncs.meta.usage import read_usage


class MetaDialect:
    """The Graph API's."""

    name = "Meta"

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        return read_usage(headers)

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        error = content.get("error") if isinstance(content, dict) else None
        if isinstance(error, dict):
            return read_error(error, status=response.status, usage=usage, clean=clean)
        wait = break_asked_for(response.status, response.headers, now=now)
        trouble = without_an_error(response.status, wait=wait)
        return UNREADABLE if trouble is None and not isinstance(content, dict) else trouble


def meta_client(
    *,
    base_url: str,
    version: str,
    token: str,
    sender: Sender,
    watch: Watch,
    chance: Callable[[], float],
    app_secret: str | None = None,
    also_secret: tuple[str, ...] = (),
) -> ServiceClient:
    """A client for one sign-in. `base_url` and `version` are the operator's settings, never what somebody typed in.

    `sender` is an OutboundClient with `base_url` among its `own_urls`, for syncs alone; one serves a whole process.
    With the secret of the app that the token was given to, each call proves that it comes from whoever has that.
    """
    return ServiceClient(
        base_url=f"{base_url}/{version}",
        sender=sender,
        dialect=MetaDialect(),
        watch=watch,
        # In the address it would end up in logs of every machine on the way.
        headers=(("Authorization", f"Bearer {token}"),),
        secrets=(token, *also_secret, *([app_secret] if app_secret else [])),
        chance=chance,
        always={} if app_secret is None else {"appsecret_proof": proof_of(token, app_secret)},
    )


def proof_of(token: str, app_secret: str) -> str:
    """What Meta calls the appsecret_proof: worthless without the token, and for another one."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
