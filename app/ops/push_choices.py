"""What a push may be made of: the spreadsheets and accounts of an organization, and what those tell."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.services import is_destination
from app.syncs.connection_rows import list_connections
from app.syncs.figures import Metric
from app.syncs.service_metrics import metrics_of


@dataclass(frozen=True)
class FiguresOf:
    """An account with figures."""

    id: str
    name: str
    service: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class PushChoices:
    """By name: spreadsheets, by id, and accounts."""

    sheets: dict[str, str]
    sources: tuple[FiguresOf, ...]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All that any of the accounts tells, each once."""
        return tuple(dict.fromkeys(metric for one in self.sources for metric in one.metrics))


def read_push_choices(session: Session, *, organization_id: UUID, now: datetime) -> PushChoices:
    """Those in use."""
    rows = sorted(
        list_connections(session, organization_id=organization_id, now=now), key=lambda row: row.name.casefold()
    )
    return PushChoices(
        {str(row.id): row.name for row in rows if is_destination(row.service)},
        tuple(
            FiguresOf(str(row.id), row.name, row.service, metrics_of(row.service))
            for row in rows
            if not is_destination(row.service)
        ),
    )
