"""The incident of a failed run as the page of the run names it. Reads, never writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for

from app.edge.runtime import request_session
from app.notifications.incident_words import BADGES, state_words
from app.notifications.told_of import ToldOf, read_told
from app.ops.run_incident import find_incident
from app.runs.attempt_queries import AttemptRow
from app.runs.queries import RunRow


@dataclass(frozen=True)
class IncidentNote:
    """An incident, with who was told of it."""

    title: str
    href: str
    badge: str
    state: str
    told: ToldOf


def told_of_run(run: RunRow, attempts: Sequence[AttemptRow]) -> IncidentNote | None:
    """None of a run that did not fail for good, and before its incident is written down."""
    row = find_incident(request_session(), run=run, attempts=attempts)
    if row is None:
        return None
    told = read_told(request_session(), organization_id=run.organization_id, incident=row)
    words = state_words(row)
    return IncidentNote(row.title, url_for("web.incident", incident_id=row.id), BADGES[words], words, told)
