"""Lists that somebody narrowed and named: for themselves, or for the whole organization."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, String, cast, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.core.instants import read_instant, write_instant
from app.core.names import clean_name, has_unshowable
from app.core.questions import Question, ask
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record
from app.tenants.models import SavedView

LONGEST_NAME = 80
LONGEST_VALUE = 200
# Of one list, shared ones and each person's own: more could not be told apart above a list.
MOST_VIEWS = 30


class ListName(StrEnum):
    """The lists that have views."""

    RUNS = "runs"
    SCHEDULES = "schedules"


# What of an address narrows a list. Where in it somebody was is left out.
PARTS = {
    ListName.RUNS: ("state", "trigger", "last", "since", "until", "schedule", "job", "q"),
    ListName.SCHEDULES: ("status", "tag", "owner", "service", "q", "sort"),
}
_TIMES = {"since", "until"}
_COLUMNS = (
    SavedView.id, SavedView.list_name, SavedView.name, cast(SavedView.query, String).label("parts"), SavedView.user_id,
    SavedView.created_by, SavedView.created_at,
)  # fmt: skip


class ViewNotFound(NotFound):
    """No such view that the actor may see."""


class ViewInvalid(Invalid):
    """What is to be kept narrows nothing, or is none of what narrows the list."""


class ViewNameTaken(Conflict):
    """Another view of the same list has the name."""


class TooManyViews(Conflict):
    """The list has as many views as it may have."""


@dataclass(frozen=True)
class ViewRow:
    """A view. `query` are the parts of the list's address."""

    id: UUID
    list_name: ListName
    name: str
    query: dict[str, str]
    is_shared: bool
    created_by: str
    created_at: datetime


def list_views(session: Session, *, actor: Actor, list_name: ListName | None = None) -> list[ViewRow]:
    """One's own views and those of the organization, by name."""
    return ask(session, views_of(actor=actor, list_name=list_name))


def views_of(*, actor: Actor, list_name: ListName | None = None) -> Question[list[ViewRow]]:
    """The same as a question."""
    query = select(*_COLUMNS).where(*_seen_by(actor)).order_by(SavedView.list_name, func.lower(SavedView.name))
    if list_name is not None:
        query = query.where(SavedView.list_name == list_name.value)
    return Question(query.order_by(SavedView.id), lambda rows: [_row(one) for one in rows])


def get_view(session: Session, *, actor: Actor, view_id: UUID) -> ViewRow:
    """One of them. Raises ViewNotFound, also for one of somebody else."""
    found = session.execute(select(*_COLUMNS).where(SavedView.id == view_id, *_seen_by(actor))).one_or_none()
    if found is None:
        raise ViewNotFound("There is no such view here. It may have been deleted.")
    return _row(found)


def save_view(
    session: Session, *, actor: Actor, list_name: ListName, name: str, query: Mapping[str, str], is_shared: bool,
    now: datetime,
) -> UUID:  # fmt: skip
    """Keep a narrowed list under a name. Returns the view's id.

    One for the organization is for operators. Raises NameInvalid, ViewInvalid, ViewNameTaken and TooManyViews.
    """
    _require(actor, is_shared=is_shared)
    kept = _clean(list_name, query)
    view_id, cleaned = new_id(), clean_name(name, noun="view", longest=LONGEST_NAME)
    owner = None if is_shared else actor.user_id
    _refuse_too_many(session, actor, list_name, owner)
    values = {
        "id": view_id, "organization_id": actor.organization_id, "user_id": owner, "list_name": list_name.value,
        "name": cleaned, "query": kept, "created_by": actor.label, "created_at": now,
    }  # fmt: skip
    # Asked for by RETURNING: a unique key decides who has the name.
    if session.scalar(_insert_or_ignore(session).values(**values).returning(SavedView.id)) is None:
        raise _taken(cleaned)
    _note(session, actor, "view.saved", view_id, f"Saved the view “{cleaned}” of {list_name.value}", now)
    return view_id


def rename_view(session: Session, *, actor: Actor, view_id: UUID, name: str, now: datetime) -> None:
    """Call it otherwise. Raises ViewNotFound, NameInvalid and ViewNameTaken."""
    before = get_view(session, actor=actor, view_id=view_id)
    _require(actor, is_shared=before.is_shared)
    cleaned = clean_name(name, noun="view", longest=LONGEST_NAME)
    query = update(SavedView).where(SavedView.id == view_id, *_seen_by(actor)).values(name=cleaned)
    try:
        with session.begin_nested():
            session.execute(query)
    except IntegrityError as error:
        raise _taken(cleaned) from error
    summary = f"Renamed the view “{before.name}” to “{cleaned}”"
    _note(session, actor, "view.renamed", view_id, summary, now, {"name": [before.name, cleaned]})


def delete_view(session: Session, *, actor: Actor, view_id: UUID, now: datetime) -> None:
    """Forget it. What it showed stays. Raises ViewNotFound."""
    before = get_view(session, actor=actor, view_id=view_id)
    _require(actor, is_shared=before.is_shared)
    if count_changed(session, delete(SavedView).where(SavedView.id == view_id, *_seen_by(actor))) != 1:
        raise ViewNotFound("There is no such view here. It may have been deleted.")
    _note(session, actor, "view.deleted", view_id, f"Deleted the view “{before.name}”", now)


def _require(actor: Actor, *, is_shared: bool) -> None:
    require(actor, Permission.EDIT_SCHEDULES if is_shared else Permission.VIEW)
    if not is_shared and actor.user_id is None:
        raise ViewInvalid("Nobody in particular has views of their own. Make one for the whole organization.")


def _seen_by(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    own: list[ColumnElement[bool]] = [SavedView.user_id.is_(None)]
    if actor.user_id is not None:
        own.append(SavedView.user_id == actor.user_id)
    return SavedView.organization_id == actor.organization_id, or_(*own)


def _clean(list_name: ListName, query: Mapping[str, str]) -> dict[str, str]:
    found = {name: str(value).strip() for name, value in query.items() if str(value).strip()}
    for name, value in found.items():
        if name not in PARTS[list_name]:
            known = ", ".join(PARTS[list_name])
            raise ViewInvalid(f"The list of {list_name.value} has no {name[:40]!r}. Use: {known}.", field="query")
        if len(value) > LONGEST_VALUE or has_unshowable(value):
            raise ViewInvalid(f"{name}: use at most {LONGEST_VALUE} characters that can be shown.", field="query")
        if name in _TIMES:
            found[name] = _pinned(name, value)
    if not found:
        raise ViewInvalid("A view of everything is the list itself. Narrow the list first.", field="query")
    return {name: found[name] for name in PARTS[list_name] if name in found}


def _pinned(name: str, value: str) -> str:
    """A time as everybody reads it. One without its offset would be another one for whoever else opens the view."""
    at = read_instant(value)
    if at is None:
        raise ViewInvalid(f"{name}: {value[:40]!r} is no instant. Write it as 2027-03-13T08:00Z.", field="query")
    return write_instant(at)


def _refuse_too_many(session: Session, actor: Actor, list_name: ListName, owner: UUID | None) -> None:
    here = SavedView.organization_id == actor.organization_id, SavedView.list_name == list_name.value
    whose = SavedView.user_id.is_(None) if owner is None else SavedView.user_id == owner
    if (session.scalar(select(func.count()).select_from(SavedView).where(*here, whose)) or 0) >= MOST_VIEWS:
        raise TooManyViews(f"There are {MOST_VIEWS} such views already. Delete one first.")


def _taken(name: str) -> ViewNameTaken:
    return ViewNameTaken(f"Another view is called “{name}”. Choose another name, or delete that one first.")


def _insert_or_ignore(session: Session) -> Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(SavedView).on_conflict_do_nothing()
    return postgresql.insert(SavedView).on_conflict_do_nothing()


def _row(one: Any) -> ViewRow:
    return ViewRow(
        id=one.id,
        list_name=ListName(one.list_name),
        name=one.name,
        query={str(name): str(value) for name, value in json.loads(one.parts).items()},
        is_shared=one.user_id is None,
        created_by=one.created_by,
        created_at=one.created_at,
    )


def _note(
    session: Session, actor: Actor, action: str, view_id: UUID, summary: str, now: datetime,
    changes: Mapping[str, list[str]] | None = None,
) -> None:  # fmt: skip
    record(
        session, actor=actor, action=action, subject_kind="view", subject_id=view_id, summary=summary, now=now,
        changes=changes,
    )  # fmt: skip
