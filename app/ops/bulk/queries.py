"""Reads of bulk actions and of what became of each thing, as frozen rows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal_column, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.core.errors import NotFound
from app.ops.bulk.kinds import BulkKind, Family
from app.ops.bulk.registry import FAMILIES, KINDS
from app.ops.bulk.states import BulkState, ItemState
from app.ops.models import BulkAction, BulkItem

_Found = Select[BulkAction, UUID | None]


class BulkActionNotFound(NotFound):
    """No such bulk action in this organization, or no longer."""


@dataclass(frozen=True)
class BulkRow:
    """A bulk action as pages and commands see it. A draft has no kind yet, but a family."""

    id: UUID
    organization_id: UUID
    kind_name: str
    state: BulkState
    parameters: Mapping[str, Any]
    reason: str
    by: str
    per_minute: int | None
    total: int
    done: int
    unchanged: int
    refused: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stopped_by: str | None
    undo_of_id: UUID | None
    undone_by_id: UUID | None
    kind: BulkKind | None = field(compare=False)
    family: Family | None = field(compare=False)

    @property
    def settled(self) -> int:
        """How many have an outcome: the 31 of “31 of 38”."""
        return self.done + self.unchanged + self.refused

    @property
    def pending(self) -> int:
        return self.total - self.settled

    @property
    def is_going(self) -> bool:
        return self.state is BulkState.GOING

    @property
    def is_undo(self) -> bool:
        return self.undo_of_id is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back, and nobody has done so."""
        has_way_back = self.kind is not None and self.kind.undo is not None and not self.is_undo
        return has_way_back and self.done > 0 and self.undone_by_id is None

    @property
    def title(self) -> str:
        """“Disable 38 schedules”, “Undo: Disable 38 schedules”."""
        if self.kind is None:
            things = f"{self.total:,}" if self.family is None else self.family.counted(self.total)
            return f"{things} selected" if self.state is BulkState.DRAFT else f"{self.kind_name}: {things}"
        title = self.kind.title_of(self.total, self.parameters)
        return f"Undo: {title[:1].lower()}{title[1:]}" if self.is_undo else title

    @property
    def left_words(self) -> str:
        """Of a selection that was cut: how many others match, and how to go on. Else nothing."""
        if self.kind is not None or self.family is None:
            return ""
        return self.family.left_words(self.parameters.get("left", 0))

    @property
    def progress(self) -> str:
        """“31 of 38”."""
        return f"{self.settled:,} of {self.total:,}"

    @property
    def summary(self) -> str:
        """What came of it so far, in one sentence: “31 schedules disabled, 2 were so already, 5 could not be.”"""
        if self.kind is None:
            return ""
        said = f"{self.kind.family.counted(self.done)} as before" if self.is_undo else ""
        parts = [said or self.kind.past_of(self.done, self.parameters)]
        if self.unchanged:
            parts.append(f"{self.unchanged:,} {'was' if self.unchanged == 1 else 'were'} so already")
        if self.refused:
            parts.append(f"{self.refused:,} could not be")
        if self.pending:
            left = "left as it was" if self.pending == 1 else "left as they were"
            parts.append(f"{self.pending:,} {'to go' if self.is_going else left}")
        return f"{', '.join(parts)}."


@dataclass(frozen=True)
class ItemRow:
    """One thing of a bulk action. Without a name there was none when it was selected."""

    position: int
    object_id: UUID
    name: str
    state: ItemState
    words: str
    result_id: UUID | None
    at: datetime | None


def get_bulk_action(session: Session, *, organization_id: UUID, bulk_id: UUID) -> BulkRow:
    """One of them. Raises BulkActionNotFound, also for one of somebody else."""
    found = session.execute(_query(organization_id).where(BulkAction.id == bulk_id)).one_or_none()
    if found is None:
        raise BulkActionNotFound("There is no such bulk action here. They are kept for 30 days.")
    return _row(*found)


def list_bulk_actions(
    session: Session, *, organization_id: UUID, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[BulkRow]:
    """The newest first, without drafts. `before` is when the last one seen was made, and its id."""
    query = _query(organization_id).where(BulkAction.state != BulkState.DRAFT.value)
    if before is not None:
        query = query.where(tuple_(BulkAction.created_at, BulkAction.id) < before)
    found = session.execute(query.order_by(BulkAction.created_at.desc(), BulkAction.id.desc()).limit(limit))
    return [_row(*each) for each in found]


def list_items(
    session: Session, *, organization_id: UUID, bulk_id: UUID, limit: int, after: int = -1,
    states: Collection[ItemState] = tuple(ItemState),
) -> list[ItemRow]:  # fmt: skip
    """The things of a bulk action in the order of their selection, those in some states; behind a position."""
    query = (
        select(BulkItem)
        .where(
            BulkItem.organization_id == organization_id,
            BulkItem.bulk_action_id == bulk_id,
            BulkItem.position > after,
            BulkItem.state.in_([state.value for state in states]),
        )
        .order_by(BulkItem.position)
        .limit(limit)
    )
    return [
        ItemRow(one.position, one.object_id, one.name, ItemState(one.state), one.words, one.result_id, one.at)
        for one in session.scalars(query)
    ]


@dataclass(frozen=True)
class Waiting:
    """A bulk action that is to be gone on with, and as whom."""

    id: UUID
    organization_id: UUID
    user_id: UUID | None


def going_across_tenants(session: Session, *, now: datetime, limit: int) -> list[Waiting]:
    """What is to be gone on with now, of all organizations. Of kinds that this version knows."""
    # Written into the statement, so that the index of those that go on is used.
    query = (
        select(BulkAction.id, BulkAction.organization_id, BulkAction.actor_user_id)
        .where(
            BulkAction.state == literal_column("'going'"), BulkAction.next_at <= now, BulkAction.kind.in_(list(KINDS))
        )
        .order_by(BulkAction.next_at)
        .limit(limit)
    )
    return [Waiting(*found) for found in session.execute(query)]


def _query(organization_id: UUID) -> _Found:
    undo = aliased(BulkAction)
    is_undone = (undo.organization_id == BulkAction.organization_id) & (undo.undo_of_id == BulkAction.id)
    query = select(BulkAction, undo.id).outerjoin(undo, is_undone)
    return query.where(BulkAction.organization_id == organization_id)


def _row(found: BulkAction, undone_by_id: UUID | None) -> BulkRow:
    kind = KINDS.get(found.kind)
    return BulkRow(
        id=found.id,
        organization_id=found.organization_id,
        kind_name=found.kind,
        state=BulkState(found.state),
        parameters=found.parameters,
        reason=found.reason,
        by=found.actor_label,
        per_minute=found.per_minute,
        total=found.total,
        done=found.done,
        unchanged=found.unchanged,
        refused=found.refused,
        created_at=found.created_at,
        started_at=found.started_at,
        finished_at=found.finished_at,
        stopped_by=found.stopped_by,
        undo_of_id=found.undo_of_id,
        undone_by_id=undone_by_id,
        kind=kind,
        family=FAMILIES.get(found.kind) if kind is None else kind.family,
    )
