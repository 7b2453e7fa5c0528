"""What previews ask for again and again while somebody types, and what of it is believed for a moment."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.lately import Lately
from app.ops.capacity import live_slots
from app.ops.load_notes import Capacity
from app.ops.schedule_lengths import ScheduleLengths, read_lengths
from app.runs.durations import typical_of_job, typical_of_organization
from app.schedules.load import LoadBook, LoadMap

# How long runs take and how many workers there are is no answer to what is typed: it may be so old.
_BELIEVED = timedelta(seconds=10)
_MOST = 1_000


class PreviewBooks:
    """For one process, of all organizations that asked lately. Any number of threads."""

    def __init__(self) -> None:
        self._load = LoadBook()
        self._typical: Lately[tuple[UUID, UUID], timedelta | None] = Lately(believed=_BELIEVED, most=_MOST)
        self._capacity: Lately[UUID, Capacity] = Lately(believed=_BELIEVED, most=_MOST)
        self._lengths: Lately[tuple[UUID, UUID], ScheduleLengths] = Lately(believed=_BELIEVED, most=_MOST)

    def load(self, session: Session, *, organization_id: UUID, now: datetime) -> LoadMap:
        """How many of its schedules start when, as it is now."""
        return self._load.look_up(session, organization_id=organization_id, now=now)

    def typical(self, session: Session, *, organization_id: UUID, job_id: UUID, now: datetime) -> timedelta | None:
        """What a run of the job usually takes; None where too few have ended."""
        here = {"organization_id": organization_id, "job_id": job_id}
        return self._typical.look_up((organization_id, job_id), now=now, read=lambda: typical_of_job(session, **here))

    def capacity(self, session: Session, *, organization_id: UUID, now: datetime) -> Capacity:
        """How many runs start at once, and what a run of the organization usually takes."""
        return self._capacity.look_up(
            organization_id, now=now, read=lambda: _read_capacity(session, organization_id, now)
        )

    def lengths(self, session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> ScheduleLengths:
        """How long the runs of a schedule take."""
        here = {"organization_id": organization_id, "schedule_id": schedule_id}
        return self._lengths.look_up(
            (organization_id, schedule_id), now=now, read=lambda: read_lengths(session, **here, now=now)
        )


def _read_capacity(session: Session, organization_id: UUID, now: datetime) -> Capacity:
    slots = session.scalar(select(live_slots(lambda age: literal(now - age, UTCDateTime())))) or 0
    return Capacity(slots, typical_of_organization(session, organization_id=organization_id))
