"""What can be done to many schedules at once. Each by the command that does it to one, and so with its own audit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.events.service import Topic
from app.ops.bulk.kinds import BulkKind, ChangedSince, Deed, Family, NothingToDo, Outcome
from app.runs import service as runs
from app.schedules.deleted import bring_back, is_deleted
from app.schedules.drafts import draft_with
from app.schedules.names import schedule_names
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow, get_schedule, lock_schedule
from app.schedules.tags import TagInvalid, clean_tag
from app.schedules.zones import find_zone
from app.tenants.access import Permission

# Each of them starts at once, so more would be an accident more often than a wish.
MOST_RUN_AT_ONCE = 20


class MissedUnclear(Invalid):
    """It is not said what is to become of slots that schedules missed while they were off."""


class TagUnclear(Invalid):
    """It is not said which tag is meant, or it cannot be one."""


def _names_of(session: Session, organization_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    return schedule_names(session, organization_id=organization_id, schedule_ids=ids)


SCHEDULES = Family("schedules", "schedule", "schedules", Topic.SCHEDULES, Permission.RUN, _names_of)


def _current(session: Session, deed: Deed) -> ScheduleRow:
    """The schedule, which nobody else changes before this is committed."""
    here = deed.actor.organization_id
    lock_schedule(session, organization_id=here, schedule_id=deed.object_id)
    return get_schedule(session, organization_id=here, schedule_id=deed.object_id)


def _switch(session: Session, deed: Deed, *, is_on: bool) -> Outcome:
    row = _current(session, deed)
    if row.enabled == is_on:
        raise NothingToDo(f"It was {'on' if is_on else 'off'} already.")
    missed = Missed(deed.parameters.get("missed", Missed.SKIP))
    runs.switch_schedule(session, actor=deed.actor, schedule_id=row.id, enabled=is_on, now=deed.now, missed=missed)
    return Outcome(was={"version": row.version + 1})


def _switch_back(session: Session, deed: Deed, was: Mapping[str, Any], *, is_on: bool) -> None:
    row = _current(session, deed)
    if row.enabled == is_on:
        raise NothingToDo(f"It is {'on' if is_on else 'off'} already.")
    _refuse_changed(row, was)
    # Slots that passed in between were missed because it was off, and are told of as such.
    runs.switch_schedule(session, actor=deed.actor, schedule_id=row.id, enabled=is_on, now=deed.now)


def _run(session: Session, deed: Deed) -> Outcome:
    run_id = runs.run_schedule_now(
        session, actor=deed.actor, schedule_id=deed.object_id, request_key=deed.key, now=deed.now
    )
    return Outcome(result_id=run_id)


def _add_tag(session: Session, deed: Deed) -> Outcome:
    row, tag = _current(session, deed), deed.parameters["tag"]
    if tag in row.tags:
        raise NothingToDo("It has this tag already.")
    return _edit(session, deed, row, {"tags": (*row.tags, tag)})


def _remove_tag(session: Session, deed: Deed) -> Outcome:
    row, tag = _current(session, deed), deed.parameters["tag"]
    if tag not in row.tags:
        raise NothingToDo("It does not have this tag.")
    return _edit(session, deed, row, {"tags": tuple(each for each in row.tags if each != tag)})


def _move_zone(session: Session, deed: Deed) -> Outcome:
    row, zone = _current(session, deed), deed.parameters["timezone"]
    if row.timezone == zone:
        raise NothingToDo("It is in this time zone already.")
    return _edit(session, deed, row, {"timezone": zone})


def _edit(session: Session, deed: Deed, row: ScheduleRow, changes: dict[str, Any]) -> Outcome:
    draft = draft_with(row, changes, now=deed.now)
    runs.edit_schedule(session, actor=deed.actor, schedule_id=row.id, draft=draft, version=row.version, now=deed.now)
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in _of(row, changes).items()}
    return Outcome(was={"version": row.version + 1, "fields": said})


def _of(row: ScheduleRow, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in changes}


def _edit_back(session: Session, deed: Deed, was: Mapping[str, Any]) -> None:
    row = _current(session, deed)
    _refuse_changed(row, was)
    before = {name: tuple(value) if isinstance(value, list) else value for name, value in was["fields"].items()}
    draft = draft_with(row, before, now=deed.now)
    runs.edit_schedule(session, actor=deed.actor, schedule_id=row.id, draft=draft, version=row.version, now=deed.now)


def _delete(session: Session, deed: Deed) -> Outcome:
    lock_schedule(session, organization_id=deed.actor.organization_id, schedule_id=deed.object_id)
    runs.delete_schedule(session, actor=deed.actor, schedule_id=deed.object_id, now=deed.now)
    return Outcome(was={})


def _delete_back(session: Session, deed: Deed, _was: Mapping[str, Any]) -> None:
    here = deed.actor.organization_id
    lock_schedule(session, organization_id=here, schedule_id=deed.object_id)
    if not is_deleted(session, organization_id=here, schedule_id=deed.object_id):
        raise NothingToDo("Somebody brought it back already.")
    bring_back(session, actor=deed.actor, schedule_id=deed.object_id, now=deed.now)


def _refuse_changed(row: ScheduleRow, was: Mapping[str, Any]) -> None:
    if row.version != was["version"]:
        raise ChangedSince("Somebody changed it after that, so it stays as it is now.")


def _accept_tag(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        tag = clean_tag(str(given.get("tag") or ""))
    except TagInvalid as error:
        raise TagUnclear(error.message, field="tag") from error
    if not tag:
        raise TagUnclear("Say which tag.", field="tag")
    return {"tag": tag}


def _accept_zone(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"timezone": find_zone(str(given.get("timezone") or "")).name}


def _accept_missed(given: Mapping[str, Any]) -> dict[str, Any]:
    missed = given.get("missed") or Missed.SKIP
    if missed not in set(Missed):
        raise MissedUnclear("Say what is to become of missed slots: skip, latest or all.", field="missed")
    return {"missed": str(missed)}


def _kind(name: str, button: str, title: str, past: str, **more: Any) -> BulkKind:
    facts = {"permission": Permission.EDIT_SCHEDULES} | more
    return BulkKind(f"schedules.{name}", SCHEDULES, button=button, title=title, past=past, **facts)


SCHEDULE_KINDS = (
    _kind(
        "enable", "Enable", "Enable {things}", "{things} enabled", accept=_accept_missed, makes_runs=True,
        do=partial(_switch, is_on=True), undo=partial(_switch_back, is_on=False),
    ),
    _kind(
        "disable", "Disable", "Disable {things}", "{things} disabled", makes_runs=True,
        do=partial(_switch, is_on=False), undo=partial(_switch_back, is_on=True),
    ),
    _kind(
        "run", "Run", "Run {things} now", "{things} started", permission=Permission.RUN, makes_runs=True, do=_run,
        most=MOST_RUN_AT_ONCE,
    ),
    _kind(
        "add_tag", "Tag", "Add the tag “{tag}” to {things}", "{things} tagged “{tag}”", accept=_accept_tag,
        makes_runs=True, do=_add_tag, undo=_edit_back, ask="Add a tag to {things}",
    ),
    _kind(
        "remove_tag", "Untag", "Remove the tag “{tag}” from {things}", "{things} no longer tagged “{tag}”",
        accept=_accept_tag, makes_runs=True, do=_remove_tag, undo=_edit_back, ask="Remove a tag from {things}",
    ),
    _kind(
        "move_zone", "Move zone", "Move {things} to {timezone}", "{things} moved to {timezone}",
        accept=_accept_zone, makes_runs=True, do=_move_zone, undo=_edit_back, ask="Move {things} to another time zone",
    ),
    _kind("delete", "Delete", "Delete {things}", "{things} deleted", makes_runs=True, do=_delete, undo=_delete_back),
)  # fmt: skip
