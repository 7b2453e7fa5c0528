"""A process that sends messages, and is killed between sending one and saying so.

It is told by its environment what to send to, and after how many messages it dies.
"""

import itertools
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import open_database
from app.core.http import OutboundClient
from app.core.schema import SchemaGate, newest_migration
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import Courier, Errand, Place, Receipt
from app.notifications.couriers.webhook import WebhookCourier
from app.notifications.messages.content import Content
from app.notifications.messages.writing import Press
from app.notifications.sender import Sender
from app.notifications.sending import Dispatch
from app.notifications.types import ChannelKind
from tests.fakes.vault import SEALER

# So much faster than the wall: leases and pauses of a minute are over in half a second.
FASTER = 120
NOTHING_LEFT = 0


class FastClock:
    """Runs from an instant on that all processes know."""

    moment = None

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self, session: Session | None = None) -> datetime:
        return self._start + (datetime.now(UTC) - self._start) * FASTER


@dataclass(frozen=True)
class DeadlyCourier:
    """Carries a message, and the process does not live to tell when its number has come."""

    courier: Any
    numbers: Any
    dies_after: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.courier, name)

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        receipt: Receipt = self.courier.carry(place, content, errand)
        if next(self.numbers) == self.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return receipt


def main() -> None:
    """Send until nothing is left, or until it is killed."""
    database = open_database(os.environ["SENDER_DATABASE"], connections=5)
    clock = FastClock(datetime.fromisoformat(os.environ["SENDER_START"]))
    client = OutboundClient(allowed_private=(ip_network("127.0.0.0/8"),))
    numbers, dies_after = itertools.count(1), int(os.environ["SENDER_DIES_AFTER"])
    plain: dict[ChannelKind, Courier] = {
        ChannelKind.DISCORD: DiscordCourier(client, os.environ["SENDER_CHAT"]),
        ChannelKind.WEBHOOK: WebhookCourier(client, (ip_network("127.0.0.0/8"),)),
    }
    couriers = {kind: DeadlyCourier(courier, numbers, dies_after) for kind, courier in plain.items()}
    dispatch = Dispatch(
        database,
        clock,
        SEALER,
        couriers,
        Press("https://belfry.example"),
        lease=timedelta(seconds=FASTER),  # type: ignore[arg-type]
    )
    sender = Sender(dispatch, SchemaGate(database, expected=newest_migration(), is_strict=False))
    sender.send_due()
    sys.exit(NOTHING_LEFT)


if __name__ == "__main__":
    main()
