"""Who was told of a failed run or of what goes wrong with a schedule, for their pages. Reads, never writes."""

from dataclasses import dataclass
from uuid import UUID

from flask import url_for

from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.jobs.policies import ErrorClass
from app.notifications.incident_rows import IncidentRow
from app.notifications.incident_words import BADGES, state_words
from app.notifications.signals import RunFacts
from app.notifications.told_of import ToldOf, incident_of_run, read_told
from app.runs.queries import RunRow
from app.runs.states import Reason, RunState


@dataclass(frozen=True)
class IncidentNote:
    """An incident as the page of something else names it."""

    title: str
    href: str
    badge: str
    state: str
    told: ToldOf


def told_of_run(run: RunRow, *, connection_id: UUID | None, error_class: ErrorClass | None) -> IncidentNote | None:
    """The incident of a run that failed after its last try; None of any other, and before it is written down."""
    if run.state is not RunState.FAILED or run.reason is Reason.GIVEN_UP or run.finished_at is None:
        return None
    here = current_actor().organization_id
    facts = RunFacts(run.id, run.job_id, run.job_name, run.schedule_id, connection_id=connection_id, cause=run.cause)
    row = incident_of_run(
        request_session(), organization_id=here, run=facts, error_class=error_class and error_class.value,
        failed_at=run.finished_at,
    )  # fmt: skip
    return None if row is None else incident_note(row)


def incident_note(row: IncidentRow) -> IncidentNote:
    """One that is known, with who was told of it. One statement."""
    told = read_told(request_session(), organization_id=current_actor().organization_id, incident=row)
    words = state_words(row)
    return IncidentNote(row.title, url_for("web.incident", incident_id=row.id), BADGES[words], words, told)
