"""Deleting the old runs of one organization, a batch at a time. What is old is decided in runs/retention.py."""

import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.db import Database
from app.core.scopes import Scope
from app.ops.batches import delete_in_batches
from app.runs.retention import DeletedRuns, delete_old_runs


def delete_runs_in_batches(
    database: Database,
    *,
    organization_id: UUID,
    before: datetime,
    now: datetime,
    pause: Callable[[float], object] = time.sleep,
    is_over: Callable[[], bool] = lambda: False,
) -> DeletedRuns:
    """Delete what ended before an instant. Returns how many runs and lines there were."""
    scope = Scope.tenant(organization_id)
    total = DeletedRuns()

    def batch(limit: int) -> int:
        nonlocal total
        reached = total.reached

        def work(session: Session) -> DeletedRuns:
            return delete_old_runs(
                session, organization_id=organization_id, before=before, limit=limit, now=now, reached=reached
            )

        done = database.run(scope, work)
        total = DeletedRuns(total.runs + done.runs, total.lines + done.lines, done.reached)
        return done.rows

    delete_in_batches(batch, pause=pause, is_over=is_over)
    return total
