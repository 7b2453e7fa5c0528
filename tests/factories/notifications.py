"""Channels, rules and settings: a valid row from one call."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.notifications.incident_models import Incident, IncidentEntry, IncidentSubject
from app.notifications.models import Channel, Delivery, MaintenanceWindow, NotifySettings, Rule
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


def make_incident(session: Session, organization_id: UUID, **columns: Any) -> Incident:
    """One with a line in its timeline; open unless said otherwise."""
    values: dict[str, Any] = {
        "cause_key": f"schedule:{new_id()}",
        "type": "run_failed",
        "title": "Orders failed",
        "state": "open",
        "opened_at": LONG_AGO,
        "last_at": LONG_AGO,
        "happened": 1,
        "subject_kind": "schedule",
        "facts": {"text": "The shop did not answer."},
    }
    incident = Incident(id=new_id(), organization_id=organization_id, **(values | columns))
    session.add(incident)
    session.flush()
    of_it = {"organization_id": organization_id, "incident_id": incident.id}
    words = {"at": incident.opened_at, "kind": "opened", "words": "The shop did not answer."}
    run_id = incident.facts.get("run_id")
    session.add(IncidentEntry(id=new_id(), run_id=None if run_id is None else UUID(run_id), **words, **of_it))
    session.flush()
    return incident


def make_incident_thing(session: Session, incident: Incident, subject_id: UUID, **columns: Any) -> None:
    values = {"subject_kind": "schedule", "name": "Orders", "failures": 1, "is_in_trouble": True}
    of_it = {"organization_id": incident.organization_id, "incident_id": incident.id}
    session.add(IncidentSubject(subject_id=subject_id, last_at=incident.last_at, **of_it, **(values | columns)))
    session.flush()


def make_incident_message(session: Session, incident: Incident, channel_id: UUID, **columns: Any) -> None:
    at, of_it = incident.opened_at, {"organization_id": incident.organization_id, "incident_id": incident.id}
    values = {"kind": "opened", "type": incident.type, "key": str(new_id()), "facts": {"title": incident.title}}
    moments = {"next_try_at": at, "created_at": at}
    row = {"channel_id": channel_id, "state": "sent", **values, **moments, **of_it}
    session.add(Delivery(id=new_id(), **(row | columns)))
    session.flush()
