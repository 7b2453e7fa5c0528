"""What commands on rules and on times of maintenance share: channels and scopes that are there."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.text import storable
from app.jobs.models import Job
from app.notifications.models import Channel
from app.notifications.types import ScopeKind
from app.schedules.models import Schedule
from app.schedules.tags import clean_tag
from app.tenants.access import Actor

MOST_CHANNELS = 20
_TABLES: dict[ScopeKind, type[Schedule] | type[Job]] = {ScopeKind.SCHEDULE: Schedule, ScopeKind.JOB: Job}


def clean_channels(
    session: Session, actor: Actor, wanted: Sequence[UUID], refusal: type[Invalid], *, field: str
) -> list[str]:  # fmt: skip
    """Channels that are there, as they are stored. Raises the refusal, naming the field."""
    ids = list(dict.fromkeys(wanted))
    mine = Channel.organization_id == actor.organization_id, Channel.deleted_at.is_(None)
    found = set(session.scalars(select(Channel.id).where(*mine, Channel.id.in_(ids)))) if ids else set()
    if not ids or found != set(ids) or len(ids) > MOST_CHANNELS:
        raise refusal("Choose one or more of the channels that are there.", field=field)
    return [str(one) for one in ids]


def clean_scope(
    session: Session, actor: Actor, kind: str, value: str | None, refusal: type[Invalid]
) -> tuple[ScopeKind, str | None]:  # fmt: skip
    """What a rule or a window is about, as it is stored. Raises the refusal or TagInvalid."""
    if kind not in {one.value for one in ScopeKind}:
        raise refusal("Choose what it is about.", field="scope_kind")
    scope = ScopeKind(kind)
    if scope is ScopeKind.ORGANIZATION:
        return scope, None
    text = storable(value or "").strip()
    if scope is ScopeKind.TAG and text:
        return scope, clean_tag(text)
    if scope is ScopeKind.SERVICE and 0 < len(text) <= 16:
        return scope, text.lower()
    table = _TABLES.get(scope)
    found = None if table is None else _id(text)
    if table is None or found is None:
        raise refusal(f"Choose a {scope.value}.", field="scope_value")
    mine = table.organization_id == actor.organization_id, table.id == found, table.deleted_at.is_(None)
    if session.scalar(select(table.id).where(*mine)) is None:
        raise refusal(f"There is no such {scope.value}.", field="scope_value")
    return scope, str(found)


def scope_name(session: Session, organization_id: UUID, kind: ScopeKind, value: str | None) -> str | None:
    """The name of the schedule or job that a rule is about, as long as it is there; else its value."""
    table = _TABLES.get(kind)
    if table is None or value is None:
        return value
    mine = table.organization_id == organization_id, table.id == UUID(value)
    return session.scalar(select(table.name).where(*mine)) or "that was deleted"


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
