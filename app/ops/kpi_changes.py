"""Why a number that had been complete moved: which days, which campaigns, from what to what, by which run."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.instants import read_instant
from app.ops.kpi_question import KpiQuestion
from app.runs.models import Run
from app.syncs.movements import EntityMovement, Movement, MovementPlace, largest_of_movements, list_movements

# Of each change so many of its figures are shown, the largest first.
PARTS_SHOWN = 5


@dataclass(frozen=True)
class KpiChange:
    """One run changed one day. `parts` are its largest figures; `has_run` says whether the run is still kept."""

    movement: Movement
    connection: str
    parts: tuple[EntityMovement, ...]
    has_run: bool

    @property
    def old_value(self) -> Decimal | None:
        """What it was, where it is of one figure; None also for one that was not there."""
        return self.parts[0].old_value if self.is_of_one else None

    @property
    def new_value(self) -> Decimal | None:
        return self.parts[0].new_value if self.is_of_one else None

    @property
    def is_of_one(self) -> bool:
        return self.movement.figures == 1 and len(self.parts) == 1


def list_changes(
    session: Session,
    question: KpiQuestion,
    *,
    limit: int,
    since: datetime | None = None,
    before: MovementPlace | None = None,
) -> list[KpiChange]:
    """What changed of the days of a question after they had been complete, the newest first. At most three statements.

    `since` leaves out what had changed earlier; `before` is the place of the last one that was seen.
    """
    wanted = question.wanted
    movements = list_movements(session, wanted, since=since, before=before, limit=limit)
    if not movements:
        return []
    parts = largest_of_movements(session, wanted, movements=movements, each=PARTS_SHOWN)
    kept = _kept_runs(session, question.organization_id, {one.run_id for one in movements})
    names = {source.id: source.name for source in question.sources}
    return [
        KpiChange(one, names.get(one.connection_id, ""), tuple(parts.get(one.place, ())), has_run=one.run_id in kept)
        for one in movements
    ]


def write_place(change: KpiChange) -> str:
    """The place of a change in the list, for links."""
    at, day, connection_id = change.movement.place
    return f"{at.isoformat()}~{day.isoformat()}~{connection_id}"


def read_place(text: str) -> MovementPlace | None:
    """The same read back; None for what somebody has written by hand."""
    at, _, rest = text.partition("~")
    day, _, connection_id = rest.partition("~")
    moment = read_instant(at)
    try:
        return None if moment is None else (moment, date.fromisoformat(day), UUID(connection_id))
    except ValueError:
        return None


def _kept_runs(session: Session, organization_id: UUID, run_ids: Collection[UUID]) -> set[UUID]:
    """Those that retention has not removed."""
    return set(session.scalars(select(Run.id).where(Run.organization_id == organization_id, Run.id.in_(run_ids))))
