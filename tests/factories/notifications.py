"""Channels, rules and settings: a valid row from one call."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.notifications.models import Channel, MaintenanceWindow, NotifySettings, Rule
from app.notifications.types import DEFAULT_TYPES
from tests.factories.work import LONG_AGO


def make_channel(session: Session, organization_id: UUID, **columns: Any) -> UUID:
    values: dict[str, Any] = {"name": f"Channel {new_id().hex[-6:]}", "kind": "webhook", "settings": {}}
    moments = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    channel = Channel(id=new_id(), organization_id=organization_id, **(values | moments | columns))
    session.add(channel)
    session.flush()
    return channel.id


def make_rule(session: Session, organization_id: UUID, *channel_ids: UUID, **columns: Any) -> UUID:
    values: dict[str, Any] = {
        "types": sorted(DEFAULT_TYPES),
        "scope_kind": "organization",
        "scope_value": None,
        "channel_ids": [str(one) for one in channel_ids],
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
    }
    rule = Rule(id=new_id(), organization_id=organization_id, **(values | columns))
    session.add(rule)
    session.flush()
    return rule.id


def make_settings(session: Session, organization_id: UUID, **columns: Any) -> None:
    values: dict[str, Any] = {"quiet_lets_through": [], "summary_channel_ids": [], "texts": {}, "updated_at": LONG_AGO}
    session.add(NotifySettings(organization_id=organization_id, **(values | columns)))
    session.flush()


def make_window(session: Session, organization_id: UUID, **columns: Any) -> None:
    values: dict[str, Any] = {
        "scope_kind": "organization",
        "scope_value": None,
        "made_by": "Ana",
        "created_at": LONG_AGO,
    }
    session.add(MaintenanceWindow(organization_id=organization_id, **(values | columns)))
    session.flush()
