"""Carries a bulk action out, a piece at a time: each thing by its own command, what came of it in the same transaction.

Whoever dies in the middle of a piece has done nothing of it, and somebody else goes on.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, literal_column, select, update
from sqlalchemy.orm import Session

from app.core.db import OUTAGES, was_in_conflict
from app.core.errors import AppError, Unavailable
from app.events.service import append_event
from app.ops.bulk.kinds import BulkKind, Deed, NothingToDo, Outcome
from app.ops.bulk.registry import KINDS
from app.ops.bulk.states import BulkState, ItemState
from app.ops.models import BulkAction, BulkItem
from app.tenants.access import Actor
from app.tenants.standing import NoLongerMember, actor_by_now

log = logging.getLogger(__name__)

# What one transaction takes at most: on SQLite everybody else waits for it.
MOST_AT_ONCE = 25
LONGEST_SECONDS = 0.25
# Whoever presses a button waits for so much, and sees the outcome at once where that is all.
AT_ONCE_SECONDS = 1.0
UNEXPECTED = "Something went wrong that nobody foresaw. It is as it was; the server's log says more."

_COLUMNS = (
    BulkAction.kind, BulkAction.parameters, BulkAction.actor_user_id, BulkAction.actor_label, BulkAction.actor_scopes,
    BulkAction.per_minute, BulkAction.undo_of_id, BulkAction.total, BulkAction.done, BulkAction.unchanged,
    BulkAction.refused,
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """What a transaction did: to how many things, whether more are left, and whether runs may be ready to start."""

    settled: int = 0
    goes_on: bool = False
    makes_runs: bool = False


NOTHING = Piece()


@dataclass(frozen=True)
class _Work:
    """One bulk action in hand."""

    id: UUID
    organization_id: UUID
    kind: BulkKind
    row: Row[*tuple[Any, ...]]
    now: datetime


def carry_piece(
    session: Session, *, organization_id: UUID, bulk_id: UUID, now: datetime, most: int = MOST_AT_ONCE,
    seconds: float | None = None, ticks: Callable[[], float] = time.monotonic,
) -> Piece:  # fmt: skip
    """Do it to the next few things, at least to one. Nothing happens while somebody else is at it, or before its time.

    Works as the organization. Whoever calls it dispatches after the commit where runs may be ready.
    """
    work = _take(session, organization_id, bulk_id, now)
    if work is None:
        return NOTHING
    began, share = ticks(), _share(work.row.per_minute, most)
    longest = LONGEST_SECONDS if seconds is None else seconds
    counts = dict.fromkeys((ItemState.DONE, ItemState.UNCHANGED, ItemState.REFUSED), 0)
    actor = _actor(session, work)
    for item in _next_items(session, work, share):
        counts[_settle(session, work, actor, item)] += 1
        if ticks() - began >= longest:
            break
    goes_on = _put_back(session, work, counts)
    return Piece(sum(counts.values()), goes_on, work.kind.makes_runs and counts[ItemState.DONE] > 0)


def carry_at_once(session: Session, *, organization_id: UUID, bulk_id: UUID, now: datetime) -> Piece:
    """The first piece, in the transaction of whoever began: all of a small selection. The rest goes on by itself."""
    return carry_piece(session, organization_id=organization_id, bulk_id=bulk_id, now=now, seconds=AT_ONCE_SECONDS)


def _take(session: Session, organization_id: UUID, bulk_id: UUID, now: datetime) -> _Work | None:
    is_due = (
        BulkAction.id == bulk_id,
        BulkAction.organization_id == organization_id,
        BulkAction.state == literal_column(f"'{BulkState.GOING.value}'"),
        BulkAction.next_at <= now,
    )
    found = session.execute(select(*_COLUMNS).where(*is_due).with_for_update(skip_locked=True)).one_or_none()
    # What another version began, it finishes.
    kind = None if found is None else KINDS.get(found.kind)
    return None if found is None or kind is None else _Work(bulk_id, organization_id, kind, found, now)


def _share(per_minute: int | None, most: int) -> int:
    return most if per_minute is None else min(most, max(1, per_minute // 60))


def _next_items(session: Session, work: _Work, limit: int) -> list[Row[*tuple[Any, ...]]]:
    pending = BulkItem.bulk_action_id == work.id, BulkItem.state == ItemState.PENDING.value
    columns = BulkItem.position, BulkItem.object_id, BulkItem.was
    return list(session.execute(select(*columns).where(*pending).order_by(BulkItem.position).limit(limit)).all())


def _actor(session: Session, work: _Work) -> Actor | NoLongerMember:
    """Whoever asked for it, with the rights they have by now."""
    row = work.row
    try:
        return actor_by_now(
            session, organization_id=work.organization_id, user_id=row.actor_user_id, label=row.actor_label,
            scopes=row.actor_scopes,
        )  # fmt: skip
    except NoLongerMember as error:
        return error


def _settle(session: Session, work: _Work, actor: Actor | NoLongerMember, item: Row[*tuple[Any, ...]]) -> ItemState:
    state, words, outcome = ItemState.DONE, "", Outcome()
    try:
        if isinstance(actor, NoLongerMember):
            raise actor
        with session.begin_nested():
            outcome = _do(session, work, actor, item)
    except Unavailable:
        raise
    except NothingToDo as error:
        state, words = ItemState.UNCHANGED, error.message
    except AppError as error:
        state, words = ItemState.REFUSED, error.message
    except OUTAGES:
        raise
    except Exception as error:
        if was_in_conflict(error):
            raise
        # One bad row must not keep the others from their turn.
        log.exception("one thing of a bulk action failed", extra={"bulk_action": work.id, "object": item.object_id})
        state, words = ItemState.REFUSED, UNEXPECTED
    values: dict[str, Any] = {"state": state.value, "words": words, "result_id": outcome.result_id, "at": work.now}
    if outcome.was is not None:
        values["was"] = dict(outcome.was)
    mine = BulkItem.bulk_action_id == work.id, BulkItem.position == item.position
    session.execute(update(BulkItem).where(*mine).values(**values).execution_options(synchronize_session=False))
    return state


def _do(session: Session, work: _Work, actor: Actor, item: Row[*tuple[Any, ...]]) -> Outcome:
    deed = Deed(
        actor=actor,
        object_id=item.object_id,
        parameters=work.row.parameters,
        key=f"bulk-{work.id.hex}-{item.position}",
        now=work.now,
    )
    if work.row.undo_of_id is None:
        return work.kind.do(session, deed)
    assert work.kind.undo is not None
    work.kind.undo(session, deed, item.was or {})
    return Outcome(item.was)


def _put_back(session: Session, work: _Work, counts: dict[ItemState, int]) -> bool:
    """Count what was done, and say when it goes on. Returns whether it does."""
    settled = sum(counts.values())
    before = work.row.done + work.row.unchanged + work.row.refused
    # Fewer than there should be are left where somebody took rows away; then it is over all the same.
    goes_on = settled > 0 and before + settled < work.row.total
    values: dict[str, Any] = {state.value: getattr(work.row, state.value) + count for state, count in counts.items()}
    if not goes_on:
        values |= {"state": BulkState.DONE.value, "finished_at": work.now}
    elif work.row.per_minute is not None:
        values["next_at"] = work.now + timedelta(seconds=60 * settled / work.row.per_minute)
    mine = update(BulkAction).where(BulkAction.id == work.id).execution_options(synchronize_session=False)
    session.execute(mine.values(**values))
    append_event(
        session, organization_id=work.organization_id, topic=work.kind.family.topic, kind="bulk.progressed",
        subject_id=work.id, now=work.now,
    )  # fmt: skip
    return goes_on
