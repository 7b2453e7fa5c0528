"""What trying a login needs of the outside world: a few calls, once each, within the time that somebody waits."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from app.core.deadline import Deadline
from app.core.http import FailureKind, OutboundFailed, OutboundLimits, OutboundRequest, OutboundResponse
from app.syncs.calls.client import LIMITS, Sender, ServiceClient


@dataclass(frozen=True)
class InTime:
    """Sends for as long as there is time; `late_words` is what is said after that."""

    sender: Sender
    deadline: Deadline
    late_words: str

    def send(
        self, request: OutboundRequest, *, limits: OutboundLimits | None = None, into: BinaryIO | None = None
    ) -> OutboundResponse:
        left = self.deadline.seconds_left
        if left <= 0:
            raise OutboundFailed(self.late_words, kind=FailureKind.TIMEOUT)
        limits = limits or LIMITS
        limits = replace(limits, total_seconds=min(limits.total_seconds, left))
        return self.sender.send(request, limits=limits, into=into)


@dataclass(frozen=True)
class Moment:
    """Nobody waits in a test: a service that asks for fewer calls gets them, because these are few."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def go_on(self) -> None:
        """Time is kept where requests are sent."""

    def pause(self, seconds: float) -> None:
        """The few calls of a test are not spread."""

    def log(self, text: str) -> None:
        """What counts is said at the end."""


def once(client: ServiceClient) -> ServiceClient:
    """The same, for somebody who waits: nothing is asked a second time."""
    return replace(client, most_tries=1)
