"""What the checklist of a new organization needs to know of its people, and whether somebody put it away."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.questions import Question, ask
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import Membership, Organization


@dataclass(frozen=True)
class Company:
    """Who is there. `is_hidden` is whether this person put the checklist away."""

    is_personal: bool
    has_colleagues: bool
    is_hidden: bool


def read_company(session: Session, *, organization_id: UUID, user_id: UUID) -> Company:
    """One statement."""
    return ask(session, company(organization_id=organization_id, user_id=user_id))


def company(*, organization_id: UUID, user_id: UUID) -> Question[Company]:
    """The same as a question."""
    here = Membership.organization_id == organization_id
    members = select(func.count()).select_from(Membership).where(here).scalar_subquery()
    mine = Membership.user_id == user_id
    hidden_at = select(Membership.first_steps_hidden_at).where(here, mine).scalar_subquery()
    query = select(Organization.is_personal, members, hidden_at).where(Organization.id == organization_id)
    return Question(query, lambda rows: _company(*rows[0]))


def _company(is_personal: bool, members: int, hidden_at: datetime | None) -> Company:
    return Company(is_personal, has_colleagues=members > 1, is_hidden=hidden_at is not None)


def hide_first_steps(session: Session, *, actor: Actor, now: datetime, user_id: UUID | None = None) -> None:
    """Put the checklist away for the actor alone, or for a member. Nothing happens where it is away already."""
    _keep(session, actor, user_id or actor.user_id, hidden_at=now, now=now)


def show_first_steps(session: Session, *, actor: Actor, now: datetime, user_id: UUID | None = None) -> None:
    """Bring it back. Nothing happens where it is not away."""
    _keep(session, actor, user_id or actor.user_id, hidden_at=None, now=now)


def _keep(session: Session, actor: Actor, user_id: UUID | None, *, hidden_at: datetime | None, now: datetime) -> None:
    column = Membership.first_steps_hidden_at
    mine = Membership.organization_id == actor.organization_id, Membership.user_id == user_id
    is_other = column.is_(None) if hidden_at else column.is_not(None)
    if count_changed(session, update(Membership).where(*mine, is_other).values(first_steps_hidden_at=hidden_at)) != 1:
        return
    record(
        session,
        actor=actor,
        action="account.first_steps_hidden" if hidden_at else "account.first_steps_shown",
        subject_kind="user",
        subject_id=user_id,
        summary="Put the first steps away" if hidden_at else "Brought the first steps back",
        now=now,
    )
