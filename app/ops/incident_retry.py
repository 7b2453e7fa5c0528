"""Retries all failed runs of an incident, as a bulk action that goes at its own pace and can be stopped."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.notifications.handling import note_retried
from app.notifications.incident_models import IncidentSubject
from app.notifications.incident_rows import IncidentRow, get_incident
from app.ops.bulk.kinds import MOST_OBJECTS
from app.ops.bulk.service import select_objects, start
from app.runs.models import Run
from app.runs.queries import in_dead_letter
from app.tenants.access import Actor, Permission, require

_RETRY = "runs.retry"


class NothingToRetry(Conflict):
    """No failed run of the incident is left: they were retried, removed or deleted."""


def retry_incident(session: Session, *, actor: Actor, incident_id: UUID, now: datetime) -> UUID:
    """Retry what failed since the incident opened. Returns the bulk action's id.

    Raises IncidentNotFound or NothingToRetry.
    """
    require(actor, Permission.MANAGE_QUEUE)
    incident = get_incident(session, organization_id=actor.organization_id, incident_id=incident_id)
    run_ids = runs_to_retry(session, incident=incident, organization_id=actor.organization_id)
    if not run_ids:
        raise NothingToRetry("No failed run of this incident is left to retry.")
    bulk_id = select_objects(session, actor=actor, family="runs", object_ids=run_ids, now=now)
    reason = f"Incident: {incident.title}"[:200]
    start(session, actor=actor, bulk_id=bulk_id, kind=_RETRY, parameters={}, now=now, reason=reason)
    note_retried(session, actor=actor, incident_id=incident_id, runs=len(run_ids), now=now)
    return bulk_id


def runs_to_retry(session: Session, *, incident: IncidentRow, organization_id: UUID) -> list[UUID]:
    """The newest failed run of each schedule or job of an incident, as far as nobody has dealt with it."""
    mine = IncidentSubject.organization_id == organization_id, IncidentSubject.incident_id == incident.id
    things = session.scalars(select(IncidentSubject.subject_id).where(*mine).limit(MOST_OBJECTS)).all()
    found: dict[UUID, UUID] = {}
    for begin in range(0, len(things), 500):
        some = things[begin : begin + 500]
        of_these = or_(Run.schedule_id.in_(some), Run.schedule_id.is_(None) & Run.job_id.in_(some))
        query = (
            select(Run.id, Run.schedule_id, Run.job_id)
            .where(Run.organization_id == organization_id, *in_dead_letter(), of_these)
            .where(Run.finished_at >= incident.opened_at)
            .order_by(Run.finished_at, Run.id)
            .limit(MOST_OBJECTS)
        )
        found |= {row.schedule_id or row.job_id: row.id for row in session.execute(query)}
    return list(found.values())[:MOST_OBJECTS]
