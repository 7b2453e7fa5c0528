"""Lines of logs, written as a worker writes them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import Level
from app.runs.logs import NewLine, append_lines
from app.runs.models import Run


def write_lines(
    session: Session, run_id: UUID, texts: Sequence[str], *, at: datetime, level: Level = Level.INFO
) -> None:
    """Add lines to the log of a run that a worker holds."""
    run = session.get_one(Run, run_id)
    lines = [NewLine(text, level, at) for text in texts]
    assert append_lines(session, organization_id=run.organization_id, run_id=run_id, token=run.token, lines=lines)
