"""What organizations have settled about being told, read for a batch: rules, channels, silences. Works as ENGINE."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.notifications.channel_rows import stand_in_of
from app.notifications.decisions import MOST_PER_MINUTE, MOST_UNSENT
from app.notifications.listeners import Channels, Listener
from app.notifications.models import Channel, Delivery, MaintenanceWindow, NotifySettings, Rule
from app.notifications.quiet import QuietHours
from app.notifications.rules import RuleTerms, Silence, Window
from app.notifications.types import ChannelState, DeliveryKind, DeliveryState, NotificationType, ScopeKind
from app.notifications.wording import Whose
from app.tenants.models import Organization

_MINUTE = timedelta(minutes=1)
_UNSENT = [DeliveryState.PENDING.value, DeliveryState.SENDING.value, DeliveryState.FAILED.value]
_KNOWN_TYPES = {type_.value for type_ in NotificationType}


@dataclass(frozen=True)
class House:
    """One organization."""

    whose: Whose
    rules: tuple[RuleTerms, ...]
    channels: Channels
    names: dict[UUID, str]
    silence: Silence

    def channels_of(self, channel_ids: Collection[UUID]) -> list[UUID]:
        """The channels that are used now; for one that is broken what stands in."""
        return self.channels.used(channel_ids)

    def rule(self, rule_id: UUID) -> RuleTerms | None:
        """One of the rules that are in use."""
        return next((one for one in self.rules if one.id == rule_id), None)

    def told_for(self, listener: Listener, rule: RuleTerms) -> tuple[str, ...]:
        """The names of the broken channels for which somebody is told by another one."""
        told = listener.told
        ids = [told.channel_id] if listener.by != told.channel_id else rule.channel_ids if told.stands_in else ()
        return tuple(self.names[one] for one in ids if self.channels.states.get(one) is ChannelState.BROKEN)


@dataclass
class Room:
    """How many more messages and edits a channel may get now."""

    messages: int = MOST_PER_MINUTE
    edits: int = MOST_PER_MINUTE


@dataclass
class Rooms:
    """The room of each channel, less what was written for it."""

    by_channel: dict[UUID, Room] = field(default_factory=lambda: defaultdict(Room))

    def __getitem__(self, channel_id: UUID) -> Room:
        return self.by_channel[channel_id]


def read_houses(session: Session, organization_ids: Collection[UUID], *, now: datetime) -> dict[UUID, House]:
    """The organizations that have a rule in use and a channel. All others are told nothing, and left out."""
    ids = sorted(organization_ids)
    rules: dict[UUID, list[RuleTerms]] = defaultdict(list)
    in_use = Rule.organization_id.in_(ids), Rule.deleted_at.is_(None), Rule.is_enabled
    for row in session.scalars(select(Rule).where(*in_use).order_by(Rule.position, Rule.id)):
        rules[row.organization_id].append(terms_of(row))
    channels: dict[UUID, list[Channel]] = defaultdict(list)
    there = Channel.organization_id.in_(ids), Channel.deleted_at.is_(None)
    query = select(Channel).where(*there).order_by(Channel.created_at, Channel.id)
    for channel in session.scalars(query, execution_options={"populate_existing": True}):
        channels[channel.organization_id].append(channel)
    told = sorted(set(rules) & set(channels))
    silences = read_silences(session, told, now=now)
    columns = Organization.id, Organization.name, Organization.timezone
    names = {
        row.id: Whose(row.name, row.timezone)
        for row in session.execute(select(*columns).where(Organization.id.in_(told)))
    }
    return {
        one: _house(names[one], rules[one], channels[one], silences.get(one, Silence())) for one in told if one in names
    }


def read_silences(session: Session, organization_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Silence]:
    """Quiet hours, and the times of maintenance that are not over."""
    windows: dict[UUID, list[Window]] = defaultdict(list)
    going = MaintenanceWindow.organization_id.in_(organization_ids), MaintenanceWindow.ends_at > now
    for row in session.scalars(select(MaintenanceWindow).where(*going)):
        window = Window(row.starts_at, row.ends_at, ScopeKind(row.scope_kind), row.scope_value)
        windows[row.organization_id].append(window)
    found = {one: Silence(windows=tuple(some)) for one, some in windows.items()}
    settled = select(NotifySettings).where(NotifySettings.organization_id.in_(organization_ids))
    for settings in session.scalars(settled, execution_options={"populate_existing": True}):
        one = settings.organization_id
        found[one] = silence_of(settings, tuple(windows[one]))
    return found


def silence_of(settings: NotifySettings, windows: tuple[Window, ...]) -> Silence:
    """The quiet hours of an organization's settings, with its times of maintenance."""
    quiet = None
    if settings.quiet_from is not None and settings.quiet_until is not None:
        quiet = QuietHours(settings.quiet_from, settings.quiet_until, settings.zone)
    return Silence(quiet, _types(settings.quiet_lets_through), windows)


def read_rooms(session: Session, channel_ids: Collection[UUID], *, now: datetime) -> Rooms:
    """How much each channel was told in the last minute, and how much of it waits unsent."""
    rooms = Rooms()
    if not channel_ids:
        return rooms
    is_edit = Delivery.kind == DeliveryKind.UPDATED.value
    recent = select(Delivery.channel_id, func.sum(case((is_edit, 0), else_=1)), func.sum(case((is_edit, 1), else_=0)))
    recent = recent.where(Delivery.channel_id.in_(channel_ids), Delivery.created_at > now - _MINUTE)
    for channel_id, messages, edits in session.execute(recent.group_by(Delivery.channel_id)):
        rooms[channel_id].messages -= int(messages)
        rooms[channel_id].edits -= int(edits)
    waiting = select(Delivery.channel_id, func.count()).where(
        Delivery.channel_id.in_(channel_ids), Delivery.state.in_(_UNSENT), Delivery.created_at <= now - _MINUTE
    )
    for channel_id, unsent in session.execute(waiting.group_by(Delivery.channel_id)):
        room = rooms[channel_id]
        room.messages = min(room.messages, MOST_UNSENT - unsent)
        room.edits = min(room.edits, MOST_UNSENT - unsent)
    return rooms


def terms_of(row: Rule) -> RuleTerms:
    """What a rule says. Types that this version does not know are left out."""
    return RuleTerms(
        row.id, row.organization_id, _types(row.types), ScopeKind(row.scope_kind), row.scope_value,
        row.after_failures, row.tells_recovery, timedelta(minutes=row.cooldown_minutes),
        tuple(UUID(one) for one in row.channel_ids), row.is_enabled, row.snoozed_until,
    )  # fmt: skip


def _types(stored: Collection[str]) -> frozenset[NotificationType]:
    return frozenset(NotificationType(one) for one in stored if one in _KNOWN_TYPES)


def _house(whose: Whose, rules: list[RuleTerms], channels: list[Channel], silence: Silence) -> House:
    return House(whose, tuple(rules), how_they_stand(channels), {one.id: one.name for one in channels}, silence)


def how_they_stand(channels: Collection[Channel]) -> Channels:
    """Which of them are used, and who tells instead where one is broken."""
    instead = stand_in_of(channels)
    states = {channel.id: ChannelState(channel.state) for channel in channels}
    return Channels(states, () if instead is None else (instead.id,))
