"""Commands on bulk actions: select, start, stop, undo, forget. What is done to each thing is in carrying.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.core.names import has_unshowable
from app.events.service import append_event
from app.ops.bulk.kinds import MOST_OBJECTS, BulkKind, Family
from app.ops.bulk.queries import BulkRow, get_bulk_action
from app.ops.bulk.registry import FAMILIES, KINDS
from app.ops.bulk.states import BulkState, ItemState
from app.ops.models import BulkAction, BulkItem
from app.tenants.access import Actor, require
from app.tenants.audit import record
from app.tenants.standing import scopes_said

LONGEST_REASON = 500
MOST_PER_MINUTE = 6_000
# How long one that is over can be looked at and undone, and how long a selection waits for somebody to use it.
KEPT, DRAFTS_KEPT = timedelta(days=30), timedelta(days=1)
_NAMES_AT_ONCE = 500


class SelectionInvalid(Invalid):
    """Nothing was selected, or too much."""


class BulkKindUnknown(Invalid):
    """Nothing of this name can be done to things like these."""


class BulkInvalid(Invalid):
    """The reason or the pace cannot be accepted."""


class CountWrong(Invalid):
    """So many are done only for somebody who says how many they are."""


class NotStoppable(Conflict):
    """It is over, or was not started."""


class NotUndoable(Conflict):
    """Nothing can be taken back of it."""


def find_kind(name: str) -> BulkKind:
    """A kind by its name. Raises BulkKindUnknown."""
    kind = KINDS.get(name)
    if kind is None:
        raise BulkKindUnknown(f"Use one of {', '.join(KINDS)}.", field="action")
    return kind


def select_objects(
    session: Session, *, actor: Actor, family: str, object_ids: Sequence[UUID], now: datetime, left: int = 0
) -> UUID:
    """Keep a selection as it is at this moment; an id that comes twice counts once. Returns its id.

    `left` is how many others match, of a selection that is cut; whoever is asked about it is told.

    Raises SelectionInvalid. Ids of nothing here are kept as well, and told of when something is done to them.
    """
    found = FAMILIES[family]
    require(actor, found.permission)
    ids = list(dict.fromkeys(object_ids))
    if not ids:
        raise SelectionInvalid(f"No {found.many} are selected. Tick some, or choose a filter that some match.")
    if len(ids) > MOST_OBJECTS:
        raise SelectionInvalid(f"Select at most {MOST_OBJECTS:,} {found.many} at once. These are {len(ids):,}.")
    names = _names_of(session, found, actor.organization_id, ids)
    items = [(each, names.get(each, ""), None) for each in ids]
    return _keep(session, actor, kind=found.name, items=items, now=now, parameters={"left": left} if left else {})


def start(
    session: Session, *, actor: Actor, bulk_id: UUID, kind: str, parameters: Mapping[str, Any], now: datetime,
    reason: str = "", per_minute: int | None = None, at_once: bool = False, counted: int | None = None,
) -> bool:  # fmt: skip
    """Begin with something that is to be done to a selection. False when somebody began with it before.

    Where no pace is given, the kind's own is taken, unless all is wanted `at_once`. `counted` is how many somebody said
    that they are, which some kinds ask for.
    Raises BulkActionNotFound, SelectionInvalid, BulkKindUnknown, BulkInvalid and what the kind's parameters raise.
    """
    wanted = find_kind(kind)
    require(actor, wanted.permission)
    row = get_bulk_action(session, organization_id=actor.organization_id, bulk_id=bulk_id)
    if row.state is not BulkState.DRAFT:
        return False
    _refuse_selection(wanted, row)
    if wanted.must_type(row.total) and counted != row.total:
        raise CountWrong(f"Type {row.total} to {wanted.button.lower()} so many: this cannot be undone.", field="count")
    values = {
        "kind": wanted.name,
        "state": BulkState.GOING.value,
        "parameters": wanted.accept(parameters),
        "reason": _clean_reason(reason),
        "per_minute": _pace(wanted, row.total, per_minute, at_once),
        **_as(actor),
        "started_at": now,
        "next_at": now,
    }
    is_draft = BulkAction.id == bulk_id, BulkAction.state == BulkState.DRAFT.value
    if count_changed(session, update(BulkAction).where(*is_draft).values(**values)) != 1:
        return False
    title = wanted.title_of(row.total, values["parameters"])
    _note(session, actor, wanted, bulk_id, "started", _with_reason(title, values["reason"]), now)
    return True


def stop(session: Session, *, actor: Actor, bulk_id: UUID, now: datetime) -> None:
    """Leave everything as it is that was not come to yet. Raises NotStoppable."""
    row = get_bulk_action(session, organization_id=actor.organization_id, bulk_id=bulk_id)
    if row.kind is None:
        raise NotStoppable("This is a selection. Nothing is done to it, so there is nothing to stop.")
    require(actor, row.kind.permission)
    if not _stop(session, actor, bulk_id, now):
        raise NotStoppable("This is over already, so there is nothing to stop.")
    row = _again(session, actor, bulk_id)
    _note(session, actor, row.kind, bulk_id, "stopped", f"Stopped after {row.progress}: {row.title}", now)


def undo(session: Session, *, actor: Actor, bulk_id: UUID, now: datetime) -> UUID:
    """Make everything what it was before, as a bulk action of its own. Returns its id, also the second time.

    What goes on is stopped first. Raises NotUndoable.
    """
    row = get_bulk_action(session, organization_id=actor.organization_id, bulk_id=bulk_id)
    if row.undone_by_id is not None:
        return row.undone_by_id
    if row.kind is None or row.kind.undo is None or row.is_undo:
        raise NotUndoable("This cannot be undone.")
    require(actor, row.kind.permission)
    # Waits for the piece that somebody just carries out, and nothing comes after it.
    _stop(session, actor, bulk_id, now)
    row = _again(session, actor, bulk_id)
    mine = BulkItem.bulk_action_id == bulk_id, BulkItem.organization_id == actor.organization_id
    query = select(BulkItem.object_id, BulkItem.name, BulkItem.was).where(*mine, BulkItem.state == ItemState.DONE.value)
    items = [tuple(found) for found in session.execute(query.order_by(BulkItem.position.desc()))]
    if not items:
        raise NotUndoable("Nothing was changed, so there is nothing to undo.")
    more = {
        "state": BulkState.GOING.value, "parameters": dict(row.parameters), "undo_of_id": bulk_id,
        "started_at": now, "next_at": now,
    }  # fmt: skip
    try:
        undo_id = _keep(session, actor, kind=row.kind_name, items=items, now=now, **more)
    except IntegrityError as error:
        raise NotUndoable("Somebody undoes this already. Reload the page to see how far that is.") from error
    _note(session, actor, row.kind, undo_id, "undone", _again(session, actor, undo_id).title, now)
    return undo_id


def forget_bulk_actions(session: Session, *, organization_id: UUID, now: datetime, limit: int) -> int:
    """Delete what is over for long and selections that nobody used; at most so many rows. Returns how many."""
    is_old = (BulkAction.finished_at < now - KEPT) | (
        (BulkAction.state == BulkState.DRAFT.value) & (BulkAction.created_at < now - DRAFTS_KEPT)
    )
    query = select(BulkAction.id).where(BulkAction.organization_id == organization_id, is_old)
    old = session.scalars(query.order_by(BulkAction.created_at).limit(limit)).all()
    if not old:
        return 0
    # Things would go with their action, but one may have thousands, and one write should not have to take them all.
    key = BulkItem.bulk_action_id, BulkItem.position
    some = select(*key).where(BulkItem.bulk_action_id.in_(old)).limit(limit)
    items = count_changed(session, _quietly(delete(BulkItem).where(tuple_(*key).in_(some))))
    if items == limit:
        return items
    return items + count_changed(session, _quietly(delete(BulkAction).where(BulkAction.id.in_(old))))


def _quietly(doomed: Delete) -> Delete:
    return doomed.execution_options(synchronize_session=False)


def _keep(
    session: Session, actor: Actor, *, kind: str, items: Sequence[tuple[Any, ...]], now: datetime, **more: Any
) -> UUID:
    bulk_id = new_id()
    values: dict[str, Any] = {
        "state": BulkState.DRAFT.value, "parameters": {}, "reason": "", **_as(actor), "total": len(items),
        "done": 0, "unchanged": 0, "refused": 0, "created_at": now,
    }  # fmt: skip
    here = {"organization_id": actor.organization_id}
    with session.begin_nested():
        session.execute(insert(BulkAction).values(id=bulk_id, kind=kind, **here, **(values | more)))
    rows = [
        {
            "bulk_action_id": bulk_id, "position": position, "object_id": object_id, "name": name,
            "state": ItemState.PENDING.value, "words": "", "was": was, **here,
        }
        for position, (object_id, name, was) in enumerate(items)
    ]  # fmt: skip
    session.execute(insert(BulkItem), rows)
    return bulk_id


def _as(actor: Actor) -> dict[str, Any]:
    return {
        "actor_user_id": actor.user_id,
        "actor_label": actor.label,
        "actor_scopes": scopes_said(actor),
    }


def _stop(session: Session, actor: Actor, bulk_id: UUID, now: datetime) -> bool:
    is_going = (
        BulkAction.id == bulk_id,
        BulkAction.organization_id == actor.organization_id,
        BulkAction.state == BulkState.GOING.value,
    )
    values = {"state": BulkState.STOPPED.value, "finished_at": now, "stopped_by": actor.label}
    return count_changed(session, update(BulkAction).where(*is_going).values(**values)) == 1


def _again(session: Session, actor: Actor, bulk_id: UUID) -> BulkRow:
    session.expire_all()
    return get_bulk_action(session, organization_id=actor.organization_id, bulk_id=bulk_id)


def _names_of(session: Session, family: Family, organization_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    for begin in range(0, len(ids), _NAMES_AT_ONCE):
        found |= family.names_of(session, organization_id, ids[begin : begin + _NAMES_AT_ONCE])
    return found


def _refuse_selection(kind: BulkKind, row: BulkRow) -> None:
    if row.kind_name != kind.family.name:
        raise BulkKindUnknown(f"{row.title}: “{kind.button}” is for {kind.family.many}.", field="action")
    if row.total > kind.most:
        raise SelectionInvalid(
            f"{kind.button} does at most {kind.family.counted(kind.most)} at once. {row.total:,} are selected."
        )


def _pace(kind: BulkKind, total: int, wanted: int | None, at_once: bool) -> int | None:
    if wanted is None:
        return None if at_once else kind.pace(total)
    if not 1 <= wanted <= MOST_PER_MINUTE:
        raise BulkInvalid(f"Do between 1 and {MOST_PER_MINUTE:,} a minute.", field="per_minute")
    return wanted


def _clean_reason(text: str) -> str:
    said = " ".join(text.split())
    if len(said) > LONGEST_REASON:
        raise BulkInvalid(f"The reason is too long. Use at most {LONGEST_REASON} characters.", field="reason")
    if has_unshowable(said):
        raise BulkInvalid("The reason contains characters that cannot be shown.", field="reason")
    return said


def _with_reason(title: str, reason: str) -> str:
    return f"{title}: {reason}" if reason else title


def _note(
    session: Session, actor: Actor, kind: BulkKind | None, bulk_id: UUID, verb: str, summary: str, now: datetime
) -> None:
    record(
        session, actor=actor, action=f"bulk.{verb}", subject_kind="bulk_action", subject_id=bulk_id, summary=summary,
        now=now,
    )  # fmt: skip
    if kind is not None:
        append_event(
            session, organization_id=actor.organization_id, topic=kind.family.topic, kind=f"bulk.{verb}",
            subject_id=bulk_id, now=now,
        )  # fmt: skip
