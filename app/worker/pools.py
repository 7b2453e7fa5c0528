"""The ways of one process to its database, each with connections of its own."""

from dataclasses import dataclass

from app.core.config import Settings
from app.core.db import Database, open_database

# Less than half a lease of the default length. A batch of the tick takes half a second.
SMALL_ANSWER_SECONDS = 12.0


@dataclass(frozen=True)
class Pools:
    """The same database by four ways, so that leases are renewed and slots planned however busy the work is.

    `tell` is of those who tell people: a storm of messages keeps no run from its connection.
    """

    work: Database
    tick: Database
    beat: Database
    tell: Database

    @classmethod
    def open(cls, settings: Settings) -> "Pools":
        work = open_database(settings.database_url, connections=settings.workers + 2)
        if not work.is_postgres:
            # A file has no connections to run out of.
            return cls(work, work, work, work)
        # These ask small questions. Without an answer soon they try another connection, before a lease ends.
        tick, beat, tell = (
            open_database(settings.database_url, connections=3, keeps_plans=keeps, answer_seconds=SMALL_ANSWER_SECONDS)
            for keeps in (False, True, False)
        )
        return cls(work, tick, beat, tell)

    def dispose(self) -> None:
        for database in (self.work, self.tick, self.beat, self.tell):
            database.dispose()
