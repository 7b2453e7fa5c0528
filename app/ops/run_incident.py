"""Which incident a failed run belongs to. Who was told of it is in notifications/told_of.py."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.connection import connection_of
from app.notifications.handling import IncidentNotFound
from app.notifications.incident_rows import IncidentRow
from app.notifications.signals import RunFacts
from app.notifications.told_of import incident_of_run
from app.runs.attempt_queries import AttemptRow, list_attempts
from app.runs.queries import RunRow, definition_of_run, get_run
from app.runs.states import Reason, RunState


def get_incident_of_run(session: Session, *, organization_id: UUID, run_id: UUID) -> IncidentRow:
    """The incident of a run. Raises RunNotFound or IncidentNotFound."""
    run = get_run(session, organization_id=organization_id, run_id=run_id)
    found = find_incident(
        session, run=run, attempts=list_attempts(session, organization_id=organization_id, run_id=run_id)
    )
    if found is None:
        raise IncidentNotFound("This run belongs to no incident: it did not fail for good, or that was too long ago.")
    return found


def find_incident(session: Session, *, run: RunRow, attempts: Sequence[AttemptRow]) -> IncidentRow | None:
    """The incident of a run that failed after its last try; None of any other, and before it is written down."""
    if run.state is not RunState.FAILED or run.reason is Reason.GIVEN_UP or run.finished_at is None:
        return None
    found = attempts[-1].error_class if attempts else None
    facts = RunFacts(
        run.id, run.job_id, run.job_name, run.schedule_id, connection_id=_connection(session, run), cause=run.cause
    )
    return incident_of_run(
        session,
        organization_id=run.organization_id,
        run=facts,
        error_class=None if found is None else found.value,
        failed_at=run.finished_at,
    )


def _connection(session: Session, run: RunRow) -> UUID | None:
    if run.kind != KindName.SYNC.value:
        return None
    definition = definition_of_run(session, run=run)
    return connection_of(definition) if isinstance(definition, Mapping) else None
