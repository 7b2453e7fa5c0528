"""Texts of an organization's own, one for each type: kept, and taken back. What they look like: text_preview.py."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.messages.texts import MessageText, clean_text
from app.notifications.messages.writing import VARIABLES
from app.notifications.models import NotifySettings
from app.notifications.types import NotificationType
from app.tenants.access import Actor, Permission, require
from app.tenants.organizations import get_organization


class TypeUnknown(NotFound):
    """Nothing of this type is ever told."""


def known_type(word: str) -> NotificationType:
    """The type that a word names. Raises TypeUnknown."""
    try:
        return NotificationType(word)
    except ValueError:
        raise TypeUnknown(f"There is no such type of message. Types: {', '.join(NotificationType)}.") from None


def save_text(
    session: Session, *, actor: Actor, type_: NotificationType, text: MessageText, now: datetime
) -> MessageText:
    """Say it in these words from now on. Returns the text as it is kept. Raises TextInvalid."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    kept = clean_text(text, known=VARIABLES)
    settings = _settings(session, actor, now)
    before = settings.texts.get(type_.value)
    if before == asdict(kept):
        return kept
    settings.texts, settings.updated_at = {**settings.texts, type_.value: asdict(kept)}, now
    _note(session, actor, f"Changed the text for {_words(type_)}", now, _changes(before, asdict(kept)))
    return kept


def forget_text(session: Session, *, actor: Actor, type_: NotificationType, now: datetime) -> bool:
    """Say it in our words again. False if it was said so already."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    settings = _settings(session, actor, now)
    before = settings.texts.get(type_.value)
    if before is None:
        return False
    rest = {name: text for name, text in settings.texts.items() if name != type_.value}
    settings.texts, settings.updated_at = rest, now
    _note(session, actor, f"Took the text for {_words(type_)} back", now, _changes(before, {}))
    return True


def own_texts(session: Session, *, organization_id: UUID) -> dict[NotificationType, MessageText]:
    """The organization's texts, by type. What this version does not know is left out."""
    query = select(NotifySettings.texts).where(NotifySettings.organization_id == organization_id)
    known = {type_.value: type_ for type_ in NotificationType}
    return {
        known[name]: MessageText(str(text.get("title", "")), str(text.get("body", "")))
        for name, text in (session.scalar(query) or {}).items()
        if name in known and isinstance(text, dict)
    }


def _settings(session: Session, actor: Actor, now: datetime) -> NotifySettings:
    """The organization's row, made if there is none yet, and kept from others until the end of the transaction."""
    zone = get_organization(session, organization_id=actor.organization_id).timezone
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"organization_id": actor.organization_id, "zone": zone, "texts": {}, "updated_at": now}
    given = make(NotifySettings).values(quiet_lets_through=[], summary_channel_ids=[], **values)
    session.execute(given.on_conflict_do_nothing(index_elements=["organization_id"]))
    mine = NotifySettings.organization_id == actor.organization_id
    query = select(NotifySettings).where(mine).with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one()


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, Any]:
    """Each part as it was and as it is."""
    old = before or {}
    return {part: [old.get(part), after.get(part)] for part in ("title", "body") if old.get(part) != after.get(part)}


def _words(type_: NotificationType) -> str:
    return f"“{type_.value.replace('_', ' ')}”"


def _note(session: Session, actor: Actor, summary: str, now: datetime, changes: dict[str, Any]) -> None:
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action="telling.worded",
        subject_id=actor.organization_id, summary=summary, now=now, changes=changes,
    )  # fmt: skip
