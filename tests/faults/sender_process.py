"""A process that sends messages, and is killed between sending one and saying so.

It is told by its environment what to send to, and after how many messages it dies.
"""

import itertools
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import Database, open_database
from app.core.http import OutboundClient
from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import ENGINE
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import Courier, Errand, Place, Receipt
from app.notifications.couriers.webhook import WebhookCourier
from app.notifications.messages.content import Content
from app.notifications.messages.writing import Press
from app.notifications.models import Delivery
from app.notifications.sender import Sender
from app.notifications.sending import Dispatch
from app.notifications.types import ChannelKind
from tests.fakes.vault import SEALER

# So long nothing is sent, in the time that is played, before this process says that it will never end.
LONGEST_REST = timedelta(hours=12)
STEP = timedelta(seconds=10)
NOTHING_LEFT = 0


@dataclass
class PlayedClock:
    """Goes on only where there is nothing to do, so that a slow machine changes nothing."""

    moment: datetime

    def now(self, session: Session | None = None) -> datetime:
        return self.moment


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
    clock = PlayedClock(datetime.fromisoformat(os.environ["SENDER_MOMENT"]))
    client = OutboundClient(allowed_private=(ip_network("127.0.0.0/8"),))
    numbers, dies_after = itertools.count(1), int(os.environ["SENDER_DIES_AFTER"])
    plain: dict[ChannelKind, Courier] = {
        ChannelKind.DISCORD: DiscordCourier(client, os.environ["SENDER_CHAT"]),
        ChannelKind.WEBHOOK: WebhookCourier(client, (ip_network("127.0.0.0/8"),)),
    }
    couriers = {kind: DeadlyCourier(courier, numbers, dies_after) for kind, courier in plain.items()}
    dispatch = Dispatch(database, clock, SEALER, couriers, Press("https://belfry.example"))  # type: ignore[arg-type]
    sender = Sender(dispatch, SchemaGate(database, expected=newest_migration(), is_strict=False))
    rests_since = clock.moment
    while is_any_waiting(database):
        if sender.send_due():
            rests_since = clock.moment
        elif clock.moment - rests_since > LONGEST_REST:
            sys.exit("what waits is never sent")
        else:
            clock.moment += STEP
    sys.exit(NOTHING_LEFT)


def is_any_waiting(database: Database) -> bool:
    """Whether there is a message of which nobody knows yet what becomes of it."""
    under_way = Delivery.state.in_(("pending", "failed", "sending"))
    with database.reading(ENGINE) as session:
        return session.scalar(select(Delivery.id).where(under_way).limit(1)) is not None


if __name__ == "__main__":
    main()
