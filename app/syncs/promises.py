"""Tells of promises that will not be kept, and of those that were not: each once for the day that is missing."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.events.service import Topic, append_event
from app.syncs.days import ONE_DAY
from app.syncs.freshness import Freshness, Standing
from app.syncs.models import StreamState
from app.syncs.stream_rows import StreamRow

_KINDS = {Freshness.AT_RISK: "figures.at_risk", Freshness.STALE: "figures.stale"}


def organizations_with_promises(session: Session) -> list[UUID]:
    """Those in which anything is promised, or was told of a promise. Works as ENGINE."""
    is_of_interest = or_(StreamState.promised_minute.is_not(None), StreamState.told.is_not(None))
    promised = select(StreamState.organization_id).where(is_of_interest)
    return list(session.scalars(promised.distinct().order_by(StreamState.organization_id)))


def has_to_be_told(row: StreamRow, standing: Standing) -> bool:
    """Whether how a stream stands is news."""
    if standing.freshness is Freshness.FRESH:
        return False
    day = _missing(standing)
    is_worse = standing.freshness is Freshness.STALE and row.told != Freshness.STALE.value
    return row.told_day is None or row.told_day < day or (row.told_day == day and is_worse)


def tell_standing(
    session: Session, row: StreamRow, standing: Standing, *, organization_id: UUID, now: datetime
) -> bool:
    """One event. False where somebody else was faster."""
    day, told = _missing(standing), standing.freshness.value
    unsaid = or_(
        StreamState.told_day.is_(None),
        StreamState.told_day < day,
        (StreamState.told_day == day) & (StreamState.told != told),
    )
    mine = StreamState.organization_id == organization_id, StreamState.connection_id == row.connection_id
    query = update(StreamState).where(*mine, StreamState.name == row.name, unsaid).values(told_day=day, told=told)
    if count_changed(session, query) != 1:
        return False
    words = standing.words(row.zone or "UTC")
    append_event(
        session, organization_id=organization_id, topic=Topic.CONNECTIONS, kind=_KINDS[standing.freshness],
        subject_id=row.connection_id, now=now,
        data={
            "stream": row.name, "day": day.isoformat(), "deadline": standing.deadline.isoformat(),
            "text": f"{row.name} of “{row.connection}”: {words}",
        },
    )  # fmt: skip
    return True


def tell_over(session: Session, row: StreamRow, *, organization_id: UUID, is_kept: bool, now: datetime) -> bool:
    """What was told of a stream is over: the figures are there, or nobody waits for them any more.

    One event. False where somebody else was faster.
    """
    mine = StreamState.organization_id == organization_id, StreamState.connection_id == row.connection_id
    query = update(StreamState).where(*mine, StreamState.name == row.name, StreamState.told == row.told)
    if count_changed(session, query.values(told=None)) != 1:
        return False
    kind = "figures.fresh" if is_kept else "figures.unpromised"
    append_event(
        session, organization_id=organization_id, topic=Topic.CONNECTIONS, kind=kind, subject_id=row.connection_id,
        now=now, data={"stream": row.name, "day": None if row.told_day is None else row.told_day.isoformat()},
    )  # fmt: skip
    return True


def _missing(standing: Standing) -> date:
    return standing.data_through + ONE_DAY
