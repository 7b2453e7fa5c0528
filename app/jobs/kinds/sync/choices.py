"""Whether what a sync names is there: its connection, and the account whose figures it pushes."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import DefinitionInvalid
from app.jobs.kinds.sync.connection import service_name
from app.jobs.kinds.sync.definition import SyncDefinition
from app.jobs.services import is_destination
from app.syncs.connections import ConnectionEnded, ConnectionNotFound, load_connection
from app.syncs.service_metrics import metrics_of
from app.syncs.sheets.plan import PushPlan


def refuse_other_connections(session: Session, wanted: SyncDefinition, organization_id: UUID) -> None:
    """Raises DefinitionInvalid for one that is gone, was disconnected, or is of another service."""
    if wanted.connection_id is not None:
        service = _service_of(session, organization_id, wanted.connection_id, "connection_id")
        if service != wanted.service.value:
            words = f"This connection is none of {service_name({'service': wanted.service.value})}. Choose another one."
            raise DefinitionInvalid({"connection_id": words})
    if wanted.push is not None:
        _refuse_other_figures(session, wanted.push, organization_id)


def _refuse_other_figures(session: Session, plan: PushPlan, organization_id: UUID) -> None:
    service = _service_of(session, organization_id, plan.source, "push.source")
    if is_destination(service):
        raise DefinitionInvalid({"push.source": "A spreadsheet has no figures to push. Choose an account."})
    known = metrics_of(service)
    unknown = [metric.value for metric in plan.metrics if metric not in known]
    if unknown:
        words = f"{service_name({'service': service})} has no {' or '.join(unknown)}. It has: {', '.join(known)}."
        raise DefinitionInvalid({"push.metrics": words})


def _service_of(session: Session, organization_id: UUID, connection_id: UUID, field: str) -> str:
    try:
        return load_connection(session, organization_id=organization_id, connection_id=connection_id).service
    except (ConnectionNotFound, ConnectionEnded) as error:
        raise DefinitionInvalid({field: f"{error.message} Choose another connection."}) from None
