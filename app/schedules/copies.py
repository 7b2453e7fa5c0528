"""A schedule of one's own like another one."""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.schedules.drafts import draft_of
from app.schedules.models import Schedule
from app.schedules.queries import get_schedule
from app.schedules.service import LONGEST_NAME, create_schedule
from app.tenants.access import Actor, Permission, require

_SUFFIX = " (copy"
_IS_COPY = re.compile(r" \(copy(?: [0-9]+)?\)$")


def duplicate_schedule(session: Session, *, actor: Actor, schedule_id: UUID, now: datetime) -> UUID:
    """Make a copy that is switched off and belongs to people, also where code defines the original.

    Raises ScheduleNotFound, and what creating one raises.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    original = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    name = copy_name(original.name, _copies_here(session, actor.organization_id))
    # A key of its own, so that the two are not started at the same minute where H leaves it open.
    draft = replace(draft_of(original), name=name, enabled=False, spread_key=new_id().hex)
    return create_schedule(session, actor=actor, draft=draft, now=now, origin=f" as a copy of “{original.name}”")


def copy_name(name: str, taken: Collection[str]) -> str:
    """“Nightly (copy)”, “Nightly (copy 2)”, and so on: the first that is free."""
    base = _IS_COPY.sub("", name)
    number = 1
    while True:
        suffix = f"{_SUFFIX})" if number == 1 else f"{_SUFFIX} {number})"
        found = base[: LONGEST_NAME - len(suffix)].rstrip() + suffix
        if found not in taken:
            return found
        number += 1


def _copies_here(session: Session, organization_id: UUID) -> set[str]:
    here = Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    return set(session.scalars(select(Schedule.name).where(*here, Schedule.name.contains(_SUFFIX))))
