"""Two people at one schedule: what the one who was faster saved, beside what the other one typed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.schedules.queries import ScheduleRow
from app.tenants.audit import last_author
from app.web.context import viewer_zone
from app.web.formatting import absolute_time
from app.web.forms.schedules import ScheduleForm, stored_values

# What a person sees of a schedule; the rest is the form's own.
_COMPARED = (
    "name", "job_id", "cron", "timezone", "has_seconds", "clock_change", "starts_at", "ends_at", "overlap", "missed",
    "missed_limit", "missed_max_age_seconds", "tags", "notes", "enabled",
)  # fmt: skip


_CHOSEN = frozenset({"job_id", "overlap", "missed", "clock_change"})


@dataclass(frozen=True)
class Line:
    """One field in both versions, in words."""

    label: str
    theirs: str
    mine: str


@dataclass(frozen=True)
class Conflict:
    """Who saved meanwhile, and every field that would be another one."""

    title: str
    lines: tuple[Line, ...]


def conflict_of(form: ScheduleForm, newer: ScheduleRow) -> Conflict:
    """What the newer version says and what stands in the form, where they differ."""
    stored = stored_values(newer)
    lines = [_line(form, name, stored[name]) for name in _COMPARED if not _is_same(form, name, stored[name])]
    at = absolute_time(newer.updated_at, zone=viewer_zone(), now=request_now())
    who = _author(request_session(), newer.id) or "Somebody else"
    return Conflict(
        f"{who} changed this schedule meanwhile, {at}. Nothing of yours is lost or saved yet.", tuple(lines)
    )


def _author(session: Session, schedule_id: UUID) -> str | None:
    return last_author(session, organization_id=current_actor().organization_id, subject_id=schedule_id)


def _is_same(form: ScheduleForm, name: str, stored: Any) -> bool:
    # A field that was not sent at all says nothing; only a tick box is sent by not being sent.
    if not isinstance(stored, bool) and not form[name].raw_data:
        return True
    return _words(form, name, form[name].data) == _words(form, name, stored)


def _line(form: ScheduleForm, name: str, stored: Any) -> Line:
    return Line(form[name].label.text, theirs=_words(form, name, stored), mine=_words(form, name, form[name].data))


def _words(form: ScheduleForm, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _CHOSEN:
        labels = {choice.value: choice.label for choice in form[name].iter_choices()}
        return str(labels.get(value, value))
    return str(value or "").replace("\r\n", "\n").strip()
