"""What a text of people's own would look like: with the newest message of its type, or with made-up facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.notifications.messages.content import Content
from app.notifications.messages.texts import MessageText, clean_text
from app.notifications.messages.writing import (
    VARIABLES,
    Press,
    can_be_worded,
    example_facts,
    shown_values,
    write,
)
from app.notifications.models import Delivery
from app.notifications.types import DeliveryKind, Facts, NotificationType
from app.tenants.access import Actor, Permission, require
from app.tenants.organizations import get_organization

# So many of the newest messages are looked through for one of the type.
LOOKED_THROUGH = 500


@dataclass(frozen=True)
class TextPreview:
    """A message, and what each name in braces stood for. `told_at` is when it was really told; None: it is made up."""

    content: Content
    values: Mapping[str, str]
    told_at: datetime | None

    @property
    def is_example(self) -> bool:
        return self.told_at is None


def preview_text(
    session: Session, *, actor: Actor, type_: NotificationType, text: MessageText | None, press: Press, now: datetime
) -> TextPreview:
    """What a message of the type would say with this text, or with ours. Nothing is kept. Raises TextInvalid."""
    require(actor, Permission.VIEW)
    kept = None if text is None else clean_text(text, known=VARIABLES)
    found = _newest(session, organization_id=actor.organization_id, type_=type_)
    told_at, facts = (None, _example(session, actor, type_, now)) if found is None else found
    content = write(facts, press=press, now=now, text=kept)
    return TextPreview(content, shown_values(facts, press=press, now=now), told_at)


def _example(session: Session, actor: Actor, type_: NotificationType, now: datetime) -> Facts:
    organization = get_organization(session, organization_id=actor.organization_id)
    return example_facts(type_, now=now, organization=organization.name, zone=organization.timezone)


def _newest(session: Session, *, organization_id: UUID, type_: NotificationType) -> tuple[datetime, Facts] | None:
    """The newest message that the text is meant for, and when it was written; None where there was none lately."""
    newest = (
        select(Delivery.type, Delivery.kind, Delivery.facts, Delivery.created_at, Delivery.id)
        .where(Delivery.organization_id == organization_id)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    kinds = [kind.value for kind in DeliveryKind if can_be_worded(kind, type_)]
    mine = newest.c.type == type_.value, newest.c.kind.in_(kinds)
    query = select(newest.c.created_at, newest.c.facts).where(*mine)
    row = session.execute(query.order_by(newest.c.created_at.desc(), newest.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    try:
        return row.created_at, Facts.of_json(row.facts)
    except (KeyError, ValueError, TypeError):
        # One that cannot be read is as good as none.
        return None
