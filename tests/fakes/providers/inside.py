"""The fakes without a socket in between, for the many short tests: what is sent is answered by a call."""

from typing import BinaryIO

from app.core.http import FailureKind, OutboundFailed, OutboundLimits, OutboundRequest, OutboundResponse
from tests.fakes.providers.wire import Call, Delivery
from tests.fakes.providers.world import World

BASE = "http://127.0.0.1:1"
_FAILURES = {
    Delivery.CUT: FailureKind.PROTOCOL,
    Delivery.SLOW: FailureKind.TIMEOUT,
    Delivery.DRIP: FailureKind.TIMEOUT,
}


class InsideClient:
    """Stands in for the OutboundClient. Refuses whatever would have left this machine."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(
        self, request: OutboundRequest, *, limits: OutboundLimits | None = None, into: BinaryIO | None = None
    ) -> OutboundResponse:
        assert request.url.startswith(f"{BASE}/"), f"{request.url.partition('?')[0]} is no address of the fakes"
        headers = {name.lower(): value for name, value in request.headers}
        answer = self._world.answer(Call.of(request.method, request.url[len(BASE) :], headers, request.body or b""))
        if answer.delivery in _FAILURES:
            raise OutboundFailed("127.0.0.1 port 1 gave no whole answer.", kind=_FAILURES[answer.delivery])
        longest = (limits or OutboundLimits()).max_response_bytes
        is_truncated = len(answer.body) > longest
        body = answer.body[:longest]
        if into is not None:
            into.write(body)
            body = b""
        return OutboundResponse(answer.status, answer.headers, body, is_truncated, 0.01, request.url.partition("?")[0])
