"""Which of their organizations a person's browser sees."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import NotFound
from app.core.ids import digest, new_token
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import LoginSession, Membership
from app.tenants.roles import Role


class NotYourOrganization(NotFound):
    """The person is no member of it, or there is no such organization: the two look alike."""


def switch_organization(
    session: Session, *, actor: Actor, session_id: UUID, organization_id: UUID, now: datetime
) -> str:
    """Let one browser of the actor's see another organization. The session's new token; the old one is dead.

    Raises NotYourOrganization.
    """
    here = Membership.organization_id == organization_id, Membership.user_id == actor.user_id
    role = session.execute(select(Membership.role).where(*here)).scalar_one_or_none()
    if role is None:
        raise _refusal()
    # Rights change with the organization, so the cookie changes too: whoever copied it before gains nothing.
    token = new_token()
    mine = LoginSession.id == session_id, LoginSession.user_id == actor.user_id, exists().where(*here)
    moved = update(LoginSession).where(*mine).values(organization_id=organization_id, token_digest=digest(token))
    try:
        is_moved = count_changed(session, moved) == 1
    except IntegrityError as error:
        # Removed between the look and the write: the key to the membership holds.
        raise _refusal() from error
    if not is_moved:
        raise _refusal()
    record(
        session,
        actor=replace(actor, organization_id=organization_id, role=Role(role)),
        action="account.organization_switched",
        subject_kind="organization",
        subject_id=organization_id,
        summary="Switched to this organization",
        now=now,
    )
    return token


def _refusal() -> NotYourOrganization:
    return NotYourOrganization("You are not a member of this organization, or no longer.")
