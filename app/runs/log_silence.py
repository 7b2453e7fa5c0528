"""How long a run has said nothing, and how long it usually says nothing between two lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.ranks import middle_of
from app.runs.logs import newest_times
from app.runs.models import Attempt
from app.runs.usual import FEWEST

# Nobody worries about less.
WORTH_SAYING = timedelta(seconds=60)
_LATELY = 51


@dataclass(frozen=True)
class Silence:
    """How long nothing was written. `typical` is the middle of the last gaps; None where there are too few."""

    lasts: timedelta
    typical: timedelta | None


def silence_of(session: Session, *, organization_id: UUID, run_id: UUID, now: datetime) -> Silence | None:
    """The silence of a run that goes on; None for one that wrote something within the last minute."""
    times = newest_times(session, organization_id=organization_id, run_id=run_id, limit=_LATELY)
    tries = select(func.max(Attempt.started_at)).where(
        Attempt.organization_id == organization_id, Attempt.run_id == run_id
    )
    # Another try has not been silent for longer than it goes on.
    begun = [at for at in (session.scalar(tries), *times[:1]) if at is not None]
    if not begun or now - max(begun) < WORTH_SAYING:
        return None
    lasts = now - max(begun)
    gaps = [later - earlier for later, earlier in pairwise(times)]
    typical = middle_of(gaps) if len(gaps) >= FEWEST else None
    return Silence(lasts, typical)
