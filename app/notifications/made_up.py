"""How many slots an incident cost, and how many of them were made up since. Works as ENGINE."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.notifications.cases import Case
from app.notifications.types import NotificationType
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Gap
from app.schedules.policies import MISSED_REASONS

# Of more that end at once it is not worked out: each takes three looks.
MOST_AT_ONCE = 20
# Trouble of connections, in which no run fails because of it.
_WITHOUT_RUNS = {
    NotificationType.CONNECTION_EXPIRING, NotificationType.DATA_AT_RISK, NotificationType.DATA_STALE,
    NotificationType.SUSPICIOUS_SYNC,
}  # fmt: skip
_LOST = [RunState.FAILED.value, RunState.MISSED.value]


def count_missed(session: Session, case: Case) -> None:
    """Note in an incident that is over how many slots of its schedules failed or were missed, and were made up.

    A sync that works again reads all that it had missed. Of anything else only a retry that went well counts.
    """
    ids = [UUID(one) for one in case.about.schedule_ids]
    if not ids or case.closed_at is None or case.types <= _WITHOUT_RUNS:
        return
    lost = (
        Run.organization_id == case.organization_id,
        Run.schedule_id.in_(ids),
        Run.finished_at.between(case.opened_at, case.closed_at),
        Run.state.in_(_LOST),
        Run.slot_at.is_not(None),
    )
    failed = session.scalar(select(func.count()).select_from(Run).where(*lost)) or 0
    gaps = (
        Gap.organization_id == case.organization_id,
        Gap.schedule_id.in_(ids),
        Gap.first_slot_at.between(case.opened_at, case.closed_at),
        Gap.reason.in_(MISSED_REASONS),
    )
    case.missed_slots = failed + int(session.scalar(select(func.sum(Gap.slots)).where(*gaps)) or 0)
    if case.connection_id is not None and case.has_recovered:
        case.made_up = case.missed_slots
        return
    again = aliased(Run)
    went_well = again.retry_of_run_id == Run.id, again.state == RunState.SUCCEEDED.value
    retried = select(func.count()).select_from(Run).join(again, went_well[0] & went_well[1]).where(*lost)
    case.made_up = session.scalar(retried) or 0
