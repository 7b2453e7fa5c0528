"""What other jobs push to a spreadsheet: the tabs they have, and those that push to it no more."""

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.kinds.base import DefinitionInvalid, KindName
from app.jobs.models import Job
from app.syncs.sheets.book import is_same_title


def refuse_taken_tab(session: Session, *, organization_id: UUID, job_id: UUID, connection_id: UUID, tab: str) -> None:
    """Raises DefinitionInvalid, with its name, where another job of the organization pushes to the tab.

    For whoever holds the connection: two jobs that are saved at once would not see each other.
    """
    query = select(Job.name, Job.definition).where(
        Job.organization_id == organization_id,
        Job.kind == KindName.SYNC.value,
        Job.definition["connection_id"].as_string() == str(connection_id),
        Job.deleted_at.is_(None),
        Job.id != job_id,
    )
    # Few: each has a tab of its own.
    for name, definition in session.execute(query.order_by(Job.created_at, Job.id)):
        if is_same_title(str(definition.get("push", {}).get("tab", "")), tab):
            words = f"“{name}” pushes to the tab “{tab}” of this spreadsheet already. Choose another name for the tab."
            raise DefinitionInvalid({"push.tab": words})


def jobs_no_more(
    session: Session, *, organization_id: UUID, connection_id: UUID, job_ids: Collection[str]
) -> frozenset[str]:
    """Of what marks in a spreadsheet say are jobs: those of the organization that push to it no more.

    What is not known here is none of them: another installation may push to the same spreadsheet.
    """
    asked = [*_ids(job_ids)]
    if not asked:
        return frozenset()
    query = select(Job.id, Job.definition, Job.deleted_at).where(
        Job.organization_id == organization_id, Job.id.in_(asked)
    )
    return frozenset(
        str(job_id)
        for job_id, definition, deleted_at in session.execute(query)
        if deleted_at is not None or definition.get("connection_id") != str(connection_id)
    )


def _ids(said: Collection[str]) -> Iterator[UUID]:
    # Anybody who may change the spreadsheet can write such marks.
    for one in said:
        try:
            yield UUID(one)
        except ValueError:
            continue
