"""The huey instance: a carrier of hints. It keeps no results and does no retries; the ledger does the rest."""

import logging
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from huey import Huey
from huey.exceptions import HueyException
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.queue.link import BrokerAway, Errand, Link
from app.queue.messages import JSONSerializer, MessageRefused
from app.queue.served import Served
from app.queue.storages import FileQueue, RedisQueue

log = logging.getLogger(__name__)

QUEUE = "belfry"


class Carrier(Huey):  # type: ignore[misc]
    """huey, which never hears of a broker that is away nor of a message that is not ours: it just gets no hint."""

    def __init__(self, served: Served | None = None, **kwargs: Any) -> None:
        self.link = Link()
        super().__init__(QUEUE, results=False, utc=True, serializer=JSONSerializer(), **kwargs)
        self.storage.served = served or Served()

    def dequeue(self) -> Any:
        """The next task, or None after a while without one."""
        try:
            with self.link.asking(Errand.TAKE):
                data = self.storage.dequeue()
        except BrokerAway:
            time.sleep(self.link.seconds_to_wait())
            return None
        return None if data is None else self._read(data)

    def read_periodic(self, timestamp: datetime | None) -> list[Any]:
        """What huey puts on the queue every minute: nothing while the broker is away, for it would complain."""
        return [] if self.link.is_away else list(super().read_periodic(timestamp))

    def _read(self, data: bytes) -> Any:
        try:
            return self.deserialize_task(data)
        except (MessageRefused, HueyException) as error:
            # Old, foreign or forged, and perhaps one of thousands. Nothing is lost: the truth is in the database.
            log.debug("message refused", extra={"problem": str(error)})
            return None


def make_huey(settings: Settings, served: Served | None = None) -> Carrier:
    """The carrier for the broker of the settings, which waits for hints in the queues served. Not connected yet."""
    if not settings.broker_url.startswith("sqlite"):
        return Carrier(served, storage_class=RedisQueue, url=settings.broker_url)
    path = Path(make_url(settings.broker_url).database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    # fsync off: a hint that a power cut takes is given again by the sweep.
    return Carrier(served, storage_class=FileQueue, filename=str(path), fsync=False)
