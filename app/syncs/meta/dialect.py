"""How Meta speaks: its usage headers, and its errors, which come with any status."""

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

    def usage(self, headers: Mapping[str, str]) -> Usage | None:
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
    *, base_url: str, version: str, token: str, sender: Sender, watch: Watch, chance: Callable[[], float]
) -> ServiceClient:
    """A client for one sign-in. `base_url` and `version` are the operator's settings, never what somebody typed in.

    `sender` is an OutboundClient with `base_url` among its `own_urls`, for syncs alone; one serves a whole process.
    """
    return ServiceClient(
        base_url=f"{base_url}/{version}",
        sender=sender,
        dialect=MetaDialect(),
        watch=watch,
        # In the address it would end up in logs of every machine on the way.
        headers=(("Authorization", f"Bearer {token}"),),
        secrets=(token,),
        chance=chance,
    )
