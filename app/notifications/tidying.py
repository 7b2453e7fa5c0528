"""Deletes what nobody asks for any more: old incidents, messages and the like. Works as ENGINE, in small batches."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select, tuple_
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.notifications.incident_models import Incident
from app.notifications.models import BadEvent, Delivery, MaintenanceWindow, Telling
from app.notifications.types import IncidentState

INCIDENTS_KEPT = timedelta(days=90)
MESSAGES_KEPT = timedelta(days=30)
BATCH = 500


def tidy(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Delete at most so many rows of each kind. Returns how many there were."""
    old, older = now - MESSAGES_KEPT, now - INCIDENTS_KEPT
    is_at_rest = Telling.due_at.is_(None), Telling.is_told.is_(False)
    of_telling = Telling.rule_id, Telling.channel_id, Telling.cause_key
    return sum(
        (
            _delete(session, Incident, (Incident.id,), limit, Incident.closed_at < older),
            _delete(session, Delivery, (Delivery.id,), limit, Delivery.created_at < old),
            _delete(session, Telling, of_telling, limit, Telling.touched_at < old, *is_at_rest),
            _delete(session, Telling, of_telling, limit, Telling.touched_at < older, _is_about_nothing_open()),
            _delete(session, BadEvent, (BadEvent.event_id,), limit, BadEvent.at < old),
            _delete(session, MaintenanceWindow, (MaintenanceWindow.id,), limit, MaintenanceWindow.ends_at < older),
        )
    )


def _is_about_nothing_open() -> ColumnElement[bool]:
    """What a rule told whose incident ended when the rule was off or gone: nobody says any more that it is over."""
    mine = Incident.organization_id == Telling.organization_id, Incident.id == Telling.incident_id
    return ~exists().where(*mine, Incident.state != IncidentState.CLOSED.value)


def _delete(session: Session, table: Any, key: tuple[Any, ...], limit: int, *which: ColumnElement[bool]) -> int:
    rows = session.execute(select(*key).where(*which).limit(limit)).all()
    if not rows:
        return 0
    found = tuple_(*key).in_([tuple(row) for row in rows]) if len(key) > 1 else key[0].in_([row[0] for row in rows])
    return count_changed(session, delete(table).where(found).execution_options(synchronize_session=False))
