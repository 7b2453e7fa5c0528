"""How Shopify speaks: costs in the body, errors of any form with any status, and the version it really served."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.core.http import OutboundResponse
from app.core.retry_after import break_asked_for
from app.syncs.calls.client import Sender, ServiceClient, Watch
from app.syncs.calls.troubles import Trouble
from app.syncs.calls.usage import Usage
from app.syncs.shopify.refusals import UNREADABLE, bucket_in, read_errors, read_status, reference_of, wait_in

VERSION_HEADER = "x-shopify-api-version"


@dataclass
class ShopifyDialect:
    """The Admin API's. `served` is the version that the newest answer says it was made with."""

    name: str = field(default="Shopify", init=False)
    served: str | None = field(default=None, init=False)

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        """How empty the bucket is. There is a rest only when it does not hold another query like the last."""
        wait = wait_in(content)
        bucket = bucket_in(content)
        if bucket is None:
            return Usage(100.0, wait, refills=wait) if wait else None
        return Usage(bucket.percent, wait, refills=bucket.fills_up_in, rest=wait or timedelta())

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        headers = {name.lower(): value for name, value in response.headers}
        self.served = headers.get(VERSION_HEADER) or self.served
        reference = reference_of(headers)
        wait = break_asked_for(response.status, response.headers, now=now)
        trouble = read_status(response.status, content, wait=wait, reference=reference, clean=clean)
        if trouble is not None:
            return trouble
        if not isinstance(content, dict):
            return UNREADABLE
        trouble = read_errors(content.get("errors"), wait=wait_in(content), reference=reference, clean=clean)
        if trouble is not None:
            return trouble
        return None if isinstance(content.get("data"), dict) else UNREADABLE


def shopify_client(
    *,
    base_url: str,
    version: str,
    token: str,
    sender: Sender,
    watch: Watch,
    chance: Callable[[], float],
    most_tries: int | None = None,
) -> ServiceClient:
    """A client for one shop. `base_url` is its address after the operator's template, `version` their setting.

    `sender` is an OutboundClient for syncs alone; one serves a whole process.
    """
    client = ServiceClient(
        base_url=f"{base_url}/admin/api/{version}",
        sender=sender,
        dialect=ShopifyDialect(),
        watch=watch,
        headers=signed_in(token),
        secrets=(token,),
        chance=chance,
    )
    if most_tries is not None:
        client.most_tries = most_tries
    return client


def signed_in(token: str) -> tuple[tuple[str, str], ...]:
    """The headers that go with every call."""
    return (("X-Shopify-Access-Token", token),)
