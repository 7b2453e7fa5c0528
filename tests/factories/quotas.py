"""A run of a sync that was told how much of its service's quota is used."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.runs.models import Attempt, Run
from tests.factories.work import make_job, make_run


def tell_quota(session: Session, *, connection_id: UUID, organization_id: UUID, used: float, now: datetime) -> UUID:
    """The run, which has just ended and took 5 %."""
    job = session.scalar(
        select(Job).where(Job.organization_id == organization_id, Job.service == "meta").order_by(Job.id).limit(1)
    ) or make_job(session, organization_id, kind=KindName.SYNC)
    job.service, job.definition = "meta", {"service": "meta", "connection_id": str(connection_id)}
    run_id = make_run(session, job, now=now)
    ended = {"state": "succeeded", "started_at": now, "finished_at": now, "attempt": 1, "token": 1}
    session.execute(update(Run).where(Run.id == run_id).values(**ended, connection_key=str(connection_id)))
    quota = {"used_percent": used, "cost_percent": 5.0, "at": now.isoformat()}
    session.add(
        Attempt(
            run_id=run_id,
            token=1,
            organization_id=organization_id,
            number=1,
            state="succeeded",
            worker="w",
            result={"quota": quota},
            started_at=now,
            finished_at=now,
        )
    )
    return run_id
