"""How far each stream of a connection has come, and what is usual of it. Written by landings and by what people say."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import NotFound
from app.core.ids import new_id
from app.events.service import Topic, append_event
from app.syncs.days import ONE_DAY, DayRange, last_whole_day, raised
from app.syncs.differences import flags_text
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.lost_days import lost_days, with_lost
from app.syncs.models import Landing, StreamState
from app.syncs.volume import MOST, Band, usual_band
from app.syncs.writing import OVERTAKEN, NewerFigures, Place, first_kept_day

# Long enough to learn from, for the slowest schedule that is of use.
KEEP_LANDINGS = timedelta(days=100)
# Whoever says that a loss is normal has so long to sync again, in as many windows as it takes.
BELIEVE_LOSSES = timedelta(hours=24)


class Doubt(StrEnum):
    """Why a landing is looked at twice."""

    LOSS = "loss"  # most of what was there is missing: nothing was marked as vanished
    VOLUME = "volume"  # another number of rows than usual


class StreamNotFound(NotFound):
    """Nothing of this stream was ever landed."""


@dataclass(frozen=True)
class Judged:
    """What a landing is to its stream. `is_newly_doubted` says whether somebody has to be told."""

    data_through: date | None
    usual: Band | None
    doubt: Doubt | None
    is_newly_doubted: bool


def find_stream(session: Session, place: Place, stream: Stream) -> StreamState:
    """The row of a stream, made if need be. For whoever has the connection locked."""
    mine = _of(place.organization_id, place.connection_id, stream.name)
    row = session.scalar(select(StreamState).where(*mine).execution_options(populate_existing=True))
    if row is None:
        here = {"organization_id": place.organization_id, "connection_id": place.connection_id}
        row = StreamState(name=stream.name, level=stream.level.value, **here)
        session.add(row)
    return row


def refuse_older(session: Session, place: Place, window: FetchedWindow) -> None:
    """Raise NewerFigures when some day of the window was landed from answers that are newer than its own.

    Rows alone could not tell: newer answers that said the same have left no trace in them.
    """
    newer = (
        select(Landing.id)
        .where(*_landings(place, window.stream.name), Landing.fetched_at > window.fetched_at)
        .where(Landing.first_day <= window.last_day, Landing.last_day >= window.first_day)
        .limit(1)
    )
    if session.scalar(newer) is not None:
        raise NewerFigures(OVERTAKEN)


def record_landing(
    session: Session,
    place: Place,
    stream: StreamState,
    window: FetchedWindow,
    *,
    rows_changed: int,
    is_loss: bool,
    now: datetime,
) -> Judged:
    """Write down what was landed, raise the watermark, and say whether it is as usual."""
    days = DayRange(window.first_day, window.last_day)
    usual = usual_band(_comparable(session, place, stream, window, days))
    is_odd = usual is not None and not usual.holds(len(window.figures))
    doubt = Doubt.LOSS if is_loss else Doubt.VOLUME if is_odd else None
    is_newly_doubted = doubt is not None and stream.doubt is None
    if doubt is not None or _is_over(session, place, stream, window, days):
        if doubt is None and stream.doubt is not None:
            _tell_believed(session, place.organization_id, place.connection_id, stream.name, now)
        stream.doubt = doubt
        stream.doubted_since = None if doubt is None else stream.doubted_since or now
    if not is_loss:
        _give_up_lost(session, place, stream, window)
        # What may be incomplete is not called complete.
        stream.high_water = raised(stream.high_water, window=days, fetched_at=window.fetched_at, zone=window.zone)
    stream.fetched_at = max(stream.fetched_at or window.fetched_at, window.fetched_at)
    if window.mark is not None:
        stream.mark = with_lost(window.mark, lost_days(stream.mark))
    _insert_landing(session, place, window, days, usual=usual, doubt=doubt, rows_changed=rows_changed, now=now)
    _forget_old_landings(session, place, window, now)
    return Judged(stream.high_water, usual, doubt, is_newly_doubted)


def _give_up_lost(session: Session, place: Place, stream: StreamState, window: FetchedWindow) -> None:
    """Go on behind days that can never be had, and remember which they are."""
    lost, reached = window.lost, stream.high_water
    if lost is None or reached is None or not lost.first <= reached + ONE_DAY <= lost.last:
        return
    # Some may have landed when their service still kept them, behind others that were lost by then.
    landed = first_kept_day(session, place, window.stream, DayRange(reached + ONE_DAY, lost.last))
    last = lost.last if landed is None else landed - ONE_DAY
    if last > reached:
        stream.mark = with_lost(stream.mark, [*lost_days(stream.mark), DayRange(reached + ONE_DAY, last)])
    stream.high_water = lost.last


def _is_over(session: Session, place: Place, stream: StreamState, window: FetchedWindow, days: DayRange) -> bool:
    """Whether a landing that is as usual ends the doubt of its stream.

    A run lands several windows: one of other days says nothing of the one that is looked at twice.
    """
    if stream.doubt is None:
        return True
    doubted = (
        select(Landing)
        .where(*_landings(place, window.stream.name), Landing.doubt.is_not(None))
        .order_by(Landing.fetched_at.desc(), Landing.first_day.desc())
        .limit(1)
    )
    last = session.scalar(doubted)
    if last is None:
        return True
    return last.days == days.days or (days.first <= last.first_day and last.last_day <= days.last)


def call_normal(
    session: Session, *, organization_id: UUID, connection_id: UUID, stream: str, now: datetime
) -> Doubt | None:
    """What looks odd is normal: learn anew what is usual. Says what the doubt was. Raises StreamNotFound.

    Of a loss nothing is marked as vanished by this; the next sync does that.
    """
    mine = _of(organization_id, connection_id, stream)
    row = session.scalar(select(StreamState).where(*mine).with_for_update())
    if row is None:
        raise StreamNotFound("Nothing of this was ever landed.")
    doubt = None if row.doubt is None else Doubt(row.doubt)
    row.doubt, row.doubted_since, row.normal_since = None, None, now
    if doubt is Doubt.LOSS:
        row.losses_until = now + BELIEVE_LOSSES
    if doubt is not None:
        _tell_believed(session, organization_id, connection_id, stream, now)
    return doubt


def _tell_believed(session: Session, organization_id: UUID, connection_id: UUID, stream: str, now: datetime) -> None:
    append_event(
        session, organization_id=organization_id, topic=Topic.CONNECTIONS, kind="figures.believed",
        subject_id=connection_id, now=now, data={"stream": stream},
    )  # fmt: skip


def promised_minute(session: Session, *, organization_id: UUID, connection_id: UUID, stream: str) -> int | None:
    """By which minute of the day figures are promised; None where nothing is. Raises StreamNotFound."""
    mine = _of(organization_id, connection_id, stream)
    found = session.scalar(select(StreamState).where(*mine).execution_options(populate_existing=True))
    if found is None:
        raise StreamNotFound("Nothing of this was ever landed.")
    return found.promised_minute


def promise(session: Session, *, organization_id: UUID, connection_id: UUID, stream: str, minute: int | None) -> None:
    """Promise the figures of each day by a minute of the next one, in the account's zone; None promises nothing.

    Raises StreamNotFound.
    """
    query = update(StreamState).where(*_of(organization_id, connection_id, stream)).values(promised_minute=minute)
    if count_changed(session, query) != 1:
        raise StreamNotFound("Nothing of this was ever landed.")


def _comparable(
    session: Session, place: Place, stream: StreamState, window: FetchedWindow, days: DayRange
) -> list[int]:
    """How many rows landings of as many days brought that nobody doubted, the newest first.

    Those that reach up to now are compared with each other alone: days of long ago that a first sync reads may have
    nothing in them, and say nothing of what is usual.
    """
    query = (
        select(Landing.rows_seen, Landing.last_day, Landing.fetched_at)
        .where(*_landings(place, window.stream.name), Landing.days == days.days, Landing.doubt.is_(None))
        # The same answers, landed again, are no experience.
        .where(Landing.fetched_at != window.fetched_at)
    )
    if stream.normal_since is not None:
        query = query.where(Landing.landed_at > stream.normal_since)
    found = session.execute(query.order_by(Landing.fetched_at.desc(), Landing.first_day.desc()).limit(2 * MOST))
    is_of_now = _reaches_now(days.last, window.fetched_at, window.zone)
    return [row.rows_seen for row in found if _reaches_now(row.last_day, row.fetched_at, window.zone) is is_of_now]


def _reaches_now(last_day: date, fetched_at: datetime, zone: str) -> bool:
    return last_day >= last_whole_day(fetched_at, zone)


def _insert_landing(
    session: Session,
    place: Place,
    window: FetchedWindow,
    days: DayRange,
    *,
    usual: Band | None,
    doubt: Doubt | None,
    rows_changed: int,
    now: datetime,
) -> None:
    values = {
        "id": new_id(),
        "organization_id": place.organization_id,
        "connection_id": place.connection_id,
        "stream": window.stream.name,
        "first_day": days.first,
        "last_day": days.last,
        "days": days.days,
        "fetched_at": window.fetched_at,
        "landed_at": now,
        "run_id": place.run_id,
        "api_version": window.api_version,
        "mapping_version": window.mapping_version,
        "flags": flags_text(window.flags),
        "rows_seen": len(window.figures),
        "rows_changed": rows_changed,
        "usual_low": usual.low if usual else None,
        "usual_high": usual.high if usual else None,
        "doubt": doubt.value if doubt else None,
    }
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Landing) if is_sqlite else postgresql.insert(Landing)
    session.execute(insert.on_conflict_do_nothing().values(**values))


def _forget_old_landings(session: Session, place: Place, window: FetchedWindow, now: datetime) -> None:
    old = _landings(place, window.stream.name), Landing.fetched_at < now - KEEP_LANDINGS
    session.execute(delete(Landing).where(*old[0], old[1]).execution_options(synchronize_session=False))


def _of(organization_id: UUID, connection_id: UUID, name: str) -> tuple[ColumnElement[bool], ...]:
    return (
        StreamState.organization_id == organization_id,
        StreamState.connection_id == connection_id,
        StreamState.name == name,
    )


def _landings(place: Place, stream: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Landing.organization_id == place.organization_id,
        Landing.connection_id == place.connection_id,
        Landing.stream == stream,
    )
