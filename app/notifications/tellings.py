"""What rules told channels, as rows: read, written, and those whose time has come."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.notifications.decisions import Told
from app.notifications.models import Delivery, Telling
from app.notifications.rules import HeldBy
from app.notifications.types import DeliveryKind

# So much that waits is looked at in one pass.
MOST_DUE = 20_000
_AT_ONCE = 400


def find_due(session: Session, *, now: datetime) -> list[Telling]:
    """What was held back until now, locked."""
    due = select(Telling).where(Telling.due_at.is_not(None), Telling.due_at <= now)
    query = due.order_by(Telling.due_at).limit(MOST_DUE).with_for_update(skip_locked=True)
    return list(session.scalars(query, execution_options={"populate_existing": True}))


# The messages by which something is told for the first time.
_TELLING = (DeliveryKind.OPENED.value, DeliveryKind.DIGEST.value)
_CHANGING = (
    "incident_id", "episode", "told_at", "is_told", "due_at", "held_by", "updated_at", "mark", "stands_in",
    "touched_at",
)  # fmt: skip
_UPDATE_TOLD = (
    update(Telling)
    .where(
        Telling.rule_id == bindparam("b_rule_id"),
        Telling.channel_id == bindparam("b_channel_id"),
        Telling.cause_key == bindparam("b_cause_key"),
    )
    .values({name: bindparam(f"b_{name}") for name in _CHANGING})
    .execution_options(synchronize_session=False)
)


def hand_over(session: Session, *, messages: Iterable[Delivery], to: UUID | None, now: datetime) -> None:
    """What these messages were to tell first, their channel did not tell: another one does, or nobody.

    Whoever tells that something is wrong tells the rest of it.
    """
    for message in messages:
        if message.kind not in _TELLING:
            continue
        # What is told in one pass bears its moment; of a digest, nothing can be written over.
        which = [Telling.channel_id == message.channel_id, Telling.is_told, Telling.told_at == message.created_at]
        is_its = Telling.incident_id == message.incident_id if message.incident_id else Telling.updated_at.is_(None)
        here = Telling.organization_id == message.organization_id, *which, is_its
        given = [] if to is None else [told_of(row) for row in session.scalars(select(Telling).where(*here))]
        rows = [
            _columns(replace(told, channel_id=to, stands_in=True, due_at=None, held_by=None), now)
            for told in given
            if to is not None
        ]
        if rows:
            _put(session, rows)
        query = update(Telling).where(*here).values(is_told=False)
        session.execute(query.execution_options(synchronize_session=False))


def _put(session: Session, rows: list[dict[str, Any]]) -> None:
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    given = make(Telling)
    # Who was told the same for itself was told it.
    is_other = Telling.is_told.is_(False) | (Telling.incident_id != given.excluded.incident_id)
    changed = {name: given.excluded[name] for name in _CHANGING}
    keys = ["rule_id", "channel_id", "cause_key"]
    session.execute(given.on_conflict_do_update(index_elements=keys, set_=changed, where=is_other), rows)


def told_of(row: Telling) -> Told:
    """A row as decisions are made on it."""
    return Told(
        row.rule_id, row.channel_id, row.cause_key, row.organization_id, row.incident_id, row.episode, row.told_at,
        row.is_told, row.due_at, HeldBy(row.held_by) if row.held_by else None, row.updated_at, row.mark, row.stands_in,
        is_new=False,
    )  # fmt: skip


def write_told(session: Session, tellings: Iterable[Told], *, now: datetime) -> None:
    """Write down what was told, and what is held until when. What says nothing gets no row."""
    changed = list(tellings)
    new = [_columns(told, now) for told in changed if told.is_new and _is_worth_keeping(told)]
    for begin in range(0, len(new), _AT_ONCE):
        session.execute(insert(Telling), new[begin : begin + _AT_ONCE])
    known = [_columns(told, now) for told in changed if not told.is_new]
    if known:
        rows = [{f"b_{name}": value for name, value in row.items()} for row in known]
        session.connection().execute(_UPDATE_TOLD, rows)


def _columns(told: Told, now: datetime) -> dict[str, Any]:
    return {
        "rule_id": told.rule_id, "channel_id": told.channel_id, "cause_key": told.cause_key,
        "organization_id": told.organization_id, "incident_id": told.incident_id, "episode": told.episode,
        "told_at": told.told_at, "is_told": told.is_told, "due_at": told.due_at,
        "held_by": told.held_by and told.held_by.value, "updated_at": told.updated_at, "mark": told.mark,
        "stands_in": told.stands_in, "touched_at": now,
    }  # fmt: skip


def _is_worth_keeping(told: Told) -> bool:
    return told.told_at is not None or told.due_at is not None
