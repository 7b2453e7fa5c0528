"""Reads of channels and of what was delivered by them. What is sealed is not read here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.notifications.models import Channel, Delivery
from app.notifications.types import ChannelKind, ChannelState, DeliveryKind, DeliveryState

# More than that are not offered to be brought back.
_MOST_DELETED = 50


class _Channel(Protocol):
    """What of a channel says whether it can stand in for another one."""

    @property
    def id(self) -> UUID: ...

    @property
    def state(self) -> str: ...

    @property
    def is_fallback(self) -> bool: ...

    @property
    def last_ok_at(self) -> datetime | None: ...

    @property
    def created_at(self) -> datetime: ...


Usable = TypeVar("Usable", bound=_Channel)


class ChannelNotFound(NotFound):
    """No such channel of this organization."""


@dataclass(frozen=True)
class ChannelRow:
    """A channel as people see it: of what is sealed, the last letters."""

    id: UUID
    name: str
    kind: ChannelKind
    settings: Mapping[str, Any]
    secret_hint: str | None
    secret_set_at: datetime | None
    state: ChannelState
    broken_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    last_ok_at: datetime | None
    is_fallback: bool
    quiet_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class DeletedChannel:
    """A channel that can still be brought back."""

    id: UUID
    name: str
    kind: ChannelKind
    deleted_at: datetime


@dataclass(frozen=True)
class DeliveryRow:
    """One message to one channel, and what became of it."""

    id: UUID
    channel_id: UUID
    incident_id: UUID | None
    rule_id: UUID | None
    kind: DeliveryKind
    type: str
    title: str
    state: DeliveryState
    tries: int
    next_try_at: datetime
    sent_at: datetime | None
    maybe_twice: bool
    words: str | None
    last_error: str | None
    created_at: datetime


_COLUMNS = [getattr(Channel, name) for name in ChannelRow.__dataclass_fields__]
_LOG = [Delivery.facts if name == "title" else getattr(Delivery, name) for name in DeliveryRow.__dataclass_fields__]


def get_channel(session: Session, *, organization_id: UUID, channel_id: UUID) -> ChannelRow:
    """Raises ChannelNotFound, for one that was deleted as well."""
    found = session.execute(_channels(organization_id).where(Channel.id == channel_id)).one_or_none()
    if found is None:
        raise ChannelNotFound("There is no such channel here.")
    return _row(tuple(found))


def list_channels(session: Session, *, organization_id: UUID) -> list[ChannelRow]:
    """Those that fail first, then by name."""
    found = [_row(tuple(row)) for row in session.execute(_channels(organization_id))]
    return sorted(found, key=lambda one: (one.state is not ChannelState.BROKEN, one.name.casefold(), one.id))


def list_deleted(session: Session, *, organization_id: UUID, since: datetime) -> list[DeletedChannel]:
    """Those that were deleted after an instant, the last one first."""
    query = (
        select(Channel.id, Channel.name, Channel.kind, Channel.deleted_at)
        .where(Channel.organization_id == organization_id, Channel.deleted_at > since)
        .order_by(Channel.deleted_at.desc(), Channel.id)
        .limit(_MOST_DELETED)
    )
    return [DeletedChannel(row.id, row.name, ChannelKind(row.kind), row.deleted_at) for row in session.execute(query)]


def first_of_kind(session: Session, *, organization_id: UUID, kind: ChannelKind) -> ChannelRow | None:
    """The oldest channel of a kind: the one that is meant where only one is spoken of."""
    query = _channels(organization_id).where(Channel.kind == kind.value).order_by(Channel.created_at, Channel.id)
    found = session.execute(query.limit(1)).one_or_none()
    return None if found is None else _row(tuple(found))


def stand_in_of(channels: Iterable[Usable]) -> Usable | None:
    """What tells instead of those that are broken: the fallback, else the one that worked last; None without one."""
    used = [channel for channel in channels if channel.state == ChannelState.ON.value]
    never = datetime.min.replace(tzinfo=UTC)
    # Of several that are alike the oldest.
    oldest_first = sorted(used, key=lambda channel: (channel.created_at, channel.id))
    return max(oldest_first, key=lambda channel: (channel.is_fallback, channel.last_ok_at or never), default=None)


def get_delivery(session: Session, *, organization_id: UUID, delivery_id: UUID) -> DeliveryRow:
    """Raises ChannelNotFound."""
    query = select(*_LOG).where(Delivery.organization_id == organization_id, Delivery.id == delivery_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise ChannelNotFound("There is no such delivery here.")
    return _delivery(tuple(found))


def list_deliveries(
    session: Session,
    *,
    organization_id: UUID,
    limit: int,
    channel_id: UUID | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> list[DeliveryRow]:
    """The newest first, or those before the instant and id of one."""
    query = select(*_LOG).where(Delivery.organization_id == organization_id)
    if channel_id is not None:
        query = query.where(Delivery.channel_id == channel_id)
    if before is not None:
        # As one value, so that an index leads there: each half of an OR would read all that is newer.
        query = query.where(tuple_(Delivery.created_at, Delivery.id) < before)
    found = session.execute(query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit))
    return [_delivery(tuple(row)) for row in found]


def _channels(organization_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(Channel.organization_id == organization_id, Channel.deleted_at.is_(None))


def _row(found: tuple[Any, ...]) -> ChannelRow:
    values = dict(zip(ChannelRow.__dataclass_fields__, found, strict=True))
    return ChannelRow(**{**values, "kind": ChannelKind(values["kind"]), "state": ChannelState(values["state"])})


def _delivery(found: tuple[Any, ...]) -> DeliveryRow:
    values = dict(zip(DeliveryRow.__dataclass_fields__, found, strict=True))
    values["title"] = str((values["title"] or {}).get("title", ""))
    return DeliveryRow(**{**values, "kind": DeliveryKind(values["kind"]), "state": DeliveryState(values["state"])})
