"""How the figures of a connection stand, stream by stream, and syncing it once more."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.jobs.sync_jobs import jobs_of_connection
from app.ops.sync_starts import next_starts
from app.runs import service as runs
from app.syncs.connections import load_connection
from app.syncs.freshness import Standing, freshness_words, standing_to_promise
from app.syncs.stream_changes import minute_words
from app.syncs.stream_rows import StreamRow, list_landings, list_streams
from app.syncs.streams import Doubt
from app.tenants.access import Actor

_DOUBTS = {
    Doubt.LOSS: "Most figures that were there are missing. None was taken away.",
    Doubt.VOLUME: "Far more or fewer figures came than usual.",
}


class NothingToRun(Conflict):
    """No job reads from the connection."""


@dataclass(frozen=True)
class StreamFacts:
    """One stream of a connection. Without a standing nothing is promised of it, or nothing of it is complete yet."""

    row: StreamRow
    standing: Standing | None
    # How many figures were usual at its newest landing.
    usual: str | None
    rows_seen: int | None

    @property
    def words(self) -> str:
        """`data through 2026-05-06 · promised by 07:00 · at risk`, by the account's clocks, and what was lost."""
        return freshness_words(
            self.standing, data_through=self.row.data_through, zone=self.row.zone, lost=self.row.lost
        )

    @property
    def age_words(self) -> str:
        """`Data through 2026-05-06 · promised by 07:00 · at risk`, without the days that were lost."""
        said = freshness_words(self.standing, data_through=self.row.data_through, zone=self.row.zone)
        return said[:1].upper() + said[1:]

    @property
    def doubt_words(self) -> str:
        """What is odd about its newest landing; empty where nothing is."""
        return "" if self.row.doubt is None else _DOUBTS[self.row.doubt]

    @property
    def promised_by(self) -> str | None:
        """`07:00`."""
        return None if self.row.promised_minute is None else minute_words(self.row.promised_minute)


def read_stream_facts(
    session: Session, *, organization_id: UUID, connection_id: UUID, now: datetime
) -> list[StreamFacts]:
    """The streams of a connection, by name. Raises ConnectionNotFound or ConnectionEnded."""
    load_connection(session, organization_id=organization_id, connection_id=connection_id)
    rows = list_streams(session, organization_id=organization_id, connection_ids=[connection_id])
    starts = next_starts(session, organization_id=organization_id, connection_ids=[connection_id])
    return [_facts(session, organization_id, row, starts.get(connection_id), now) for row in rows]


def standing_of(row: StreamRow, *, next_start: datetime | None, now: datetime) -> Standing | None:
    """How a stream stands to its promise; None where there is none, or nothing is complete yet."""
    return standing_to_promise(
        row.data_through, minute=row.promised_minute, zone=row.zone, now=now, next_start=next_start
    )


def sync_again(session: Session, *, actor: Actor, connection_id: UUID, request_key: str, now: datetime) -> UUID:
    """Start the job that reads a connection. The same key twice is one run. Returns the run's id.

    Raises ConnectionNotFound, ConnectionEnded or NothingToRun.
    """
    connection = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    jobs = jobs_of_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
    if not jobs:
        raise NothingToRun(f"No job reads from “{connection.name}”. Make one first.")
    return runs.run_job_now(session, actor=actor, job_id=jobs[0], request_key=request_key, now=now)


def _facts(
    session: Session, organization_id: UUID, row: StreamRow, start: datetime | None, now: datetime
) -> StreamFacts:
    newest = next(
        iter(
            list_landings(
                session, organization_id=organization_id, connection_id=row.connection_id, stream=row.name, limit=1
            )
        ),
        None,
    )
    usual = None if newest is None or newest.usual is None else str(newest.usual)
    seen = None if newest is None else newest.rows_seen
    return StreamFacts(row, standing_of(row, next_start=start, now=now), usual, seen)
