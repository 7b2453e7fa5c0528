"""The statements of a landing: figures in, marked and logged. What to write is decided in `landing`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.text import storable
from app.syncs.days import DayRange
from app.syncs.differences import Change, FigureKey, KeptFigure, Write
from app.syncs.figures import LONGEST_NAME, Entity, FetchedWindow, Metric, Stream
from app.syncs.models import FigureChange, LandedEntity, LandedFigure
from app.syncs.put_rows import as_json, batches, from_json, insert_into

OVERTAKEN = "Newer figures of these days are landed already. These are older and were let go."


class NewerFigures(Conflict):
    """Somebody landed newer answers of the same days; older ones are not written over them."""


@dataclass(frozen=True)
class Place:
    """Where a window lands: whose connection it is, and which run is at work."""

    organization_id: UUID
    connection_id: UUID
    run_id: UUID


def figures_of(place: Place, stream: Stream, days: DayRange) -> tuple[ColumnElement[bool], ...]:
    """The rows that a window of a stream speaks for."""
    return (
        LandedFigure.organization_id == place.organization_id,
        LandedFigure.connection_id == place.connection_id,
        LandedFigure.level == stream.level.value,
        LandedFigure.metric.in_(sorted(metric.value for metric in stream.metrics)),
        LandedFigure.day.between(days.first, days.last),
    )


def count_kept(session: Session, place: Place, stream: Stream, days: DayRange) -> dict[date, tuple[int, int]]:
    """By day, how many figures there are, and how many of them have not vanished."""
    live = func.sum(case((LandedFigure.vanished_at.is_(None), 1), else_=0))
    query = select(LandedFigure.day, func.count(), live).where(*figures_of(place, stream, days))
    return {day: (int(all_), int(some)) for day, all_, some in session.execute(query.group_by(LandedFigure.day))}


def first_kept_day(session: Session, place: Place, stream: Stream, days: DayRange) -> date | None:
    """The first of these days of which there is a figure."""
    return session.scalar(select(func.min(LandedFigure.day)).where(*figures_of(place, stream, days)))


def read_kept(session: Session, place: Place, stream: Stream, days: DayRange) -> dict[FigureKey, KeptFigure]:
    """The figures as they are in the table."""
    figure = LandedFigure
    columns = (figure.value, figure.currency, figure.flags, figure.vanished_at)
    query = select(figure.metric, figure.day, figure.entity_id, *columns).where(*figures_of(place, stream, days))
    metrics = {metric.value: metric for metric in Metric}
    return {
        FigureKey(metrics[metric], day, entity_id): KeptFigure(value, currency, flags, vanished_at is None)
        for metric, day, entity_id, value, currency, flags, vanished_at in session.execute(query)
    }


def write_figures(
    session: Session, place: Place, window: FetchedWindow, writes: Iterable[Write], *, now: datetime
) -> None:
    """Put figures in their places. Raises NewerFigures when one is there that was fetched later."""
    of_all = {
        "organization_id": place.organization_id,
        "connection_id": place.connection_id,
        "level": window.stream.level.value,
        "run_id": place.run_id,
        "fetched_at": window.fetched_at,
        "api_version": window.api_version,
        "mapping_version": window.mapping_version,
        "first_landed_at": now,
        "changed_at": now,
    }
    statement = _put(insert_into(session, LandedFigure), of_all)
    for batch in batches(writes):
        if count_changed(session, statement, as_json(map(_row, batch))) != len(batch):
            raise NewerFigures(OVERTAKEN)


def _put(new: Any, of_all: dict[str, Any]) -> Any:
    """Insert or replace figures, but for those that were fetched later."""
    put = from_json(new, ("metric", "day", "entity_id", "value", "currency", "flags"), of_all)
    said = ("value", "currency", "flags", "run_id", "fetched_at", "api_version", "mapping_version", "changed_at")
    return put.on_conflict_do_update(
        index_elements=["organization_id", "connection_id", "level", "metric", "day", "entity_id"],
        set_={**{name: new.excluded[name] for name in said}, "vanished_at": None},
        where=LandedFigure.fetched_at <= new.excluded.fetched_at,
    )


def _row(write: Write) -> tuple[Any, ...]:
    figure = write.figure
    return figure.metric.value, figure.day, figure.entity.id, figure.value, figure.currency, write.flags


def mark_vanished(
    session: Session, place: Place, window: FetchedWindow, keys: Iterable[FigureKey], *, now: datetime
) -> None:
    """Keep figures that the service no longer tells of, and count them no more."""
    statement = (
        update(LandedFigure.__table__)  # type: ignore[arg-type]
        .where(
            LandedFigure.organization_id == place.organization_id,
            LandedFigure.connection_id == place.connection_id,
            LandedFigure.level == window.stream.level.value,
            LandedFigure.metric == bindparam("of_metric"),
            LandedFigure.day == bindparam("of_day"),
            LandedFigure.entity_id == bindparam("of_entity"),
            LandedFigure.fetched_at <= window.fetched_at,
        )
        .values(
            vanished_at=now,
            changed_at=now,
            run_id=place.run_id,
            fetched_at=window.fetched_at,
            api_version=window.api_version,
            mapping_version=window.mapping_version,
        )
    )
    for batch in batches(keys):
        rows = [{"of_metric": key.metric.value, "of_day": key.day, "of_entity": key.entity_id} for key in batch]
        if count_changed(session, statement, rows) != len(rows):
            raise NewerFigures(OVERTAKEN)


def log_changes(
    session: Session, place: Place, window: FetchedWindow, changes: Iterable[Change], *, now: datetime
) -> None:
    """Write down from what to what figures went."""
    here = {"organization_id": place.organization_id, "connection_id": place.connection_id, "run_id": place.run_id}
    for batch in batches(changes):
        rows = [
            {
                "id": new_id(),
                "level": window.stream.level.value,
                "metric": change.key.metric.value,
                "day": change.key.day,
                "entity_id": change.key.entity_id,
                "old_value": change.old_value,
                "new_value": change.new_value,
                "currency": change.currency,
                "at": now,
                **here,
            }
            for change in batch
        ]
        session.execute(insert(FigureChange), rows)


def write_names(session: Session, place: Place, entities: Iterable[Entity], *, are_newest: bool) -> None:
    """Keep what things are called. Names that are known are only written over by those that are newer, and differ."""
    new = insert_into(session, LandedEntity)
    statement = new.on_conflict_do_nothing()
    if are_newest:
        statement = new.on_conflict_do_update(
            index_elements=["organization_id", "connection_id", "level", "entity_id"],
            set_={"name": new.excluded.name},
            where=LandedEntity.name != new.excluded.name,
        )
    here = {"organization_id": place.organization_id, "connection_id": place.connection_id}
    for batch in batches(entities):
        rows = [
            {"level": one.level.value, "entity_id": one.id, "name": storable(one.name)[:LONGEST_NAME], **here}
            for one in batch
        ]
        session.execute(statement, rows)


def count_changed(session: Session, statement: Any, values: Any) -> int:
    """Execute a guarded write, for each of a list of values, and say how many rows it changed."""
    # Of an INSERT the number is kept only if somebody asks for it.
    return session.connection().execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount
