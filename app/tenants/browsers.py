"""The browsers in which a person is signed in: which there are, and signing them out from afar."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import NotFound
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import LoginSession, Organization
from app.tenants.queries import IDLE_LIMIT

# Nobody reads more of them, and ending all others needs no list.
MOST_SHOWN = 50


class BrowserNotFound(NotFound):
    """This person has no such session, or no longer."""


@dataclass(frozen=True)
class BrowserRow:
    """One browser that is signed in. `ends_at` is when it has to sign in again, used or not."""

    id: UUID
    user_agent: str
    organization_name: str
    signed_in_at: datetime
    seen_at: datetime
    ends_at: datetime


def list_browsers(session: Session, *, user_id: UUID, now: datetime) -> list[BrowserRow]:
    """The browsers of a person that are signed in, the one used last first."""
    query = (
        select(LoginSession, Organization.name)
        .join(Organization, Organization.id == LoginSession.organization_id)
        .where(LoginSession.user_id == user_id, *_living(now))
        .order_by(LoginSession.seen_at.desc(), LoginSession.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        BrowserRow(
            id=row.id,
            user_agent=row.user_agent,
            organization_name=name,
            signed_in_at=row.created_at,
            seen_at=row.seen_at,
            ends_at=min(row.expires_at, row.seen_at + IDLE_LIMIT),
        )
        for row, name in session.execute(query)
    ]


def end_browser(session: Session, *, actor: Actor, user_id: UUID | None, browser_id: UUID, now: datetime) -> None:
    """Sign one browser of a person out. Raises BrowserNotFound."""
    ended = delete(LoginSession).where(LoginSession.id == browser_id, LoginSession.user_id == user_id, *_living(now))
    if count_changed(session, ended) != 1:
        raise BrowserNotFound("That browser is signed out already.")
    _note(session, actor, user_id, "Signed out a browser from afar", now)


def end_other_browsers(
    session: Session, *, actor: Actor, user_id: UUID | None, but: UUID | None = None, now: datetime
) -> int:
    """Sign all browsers of a person out, or all but one. Returns how many were signed in."""
    condition = [LoginSession.user_id == user_id, *_living(now)]
    if but is not None:
        condition.append(LoginSession.id != but)
    ended = count_changed(session, delete(LoginSession).where(*condition))
    if ended:
        _note(session, actor, user_id, f"Signed out {ended} {'browser' if ended == 1 else 'browsers'} from afar", now)
    return ended


def _living(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return LoginSession.expires_at > now, LoginSession.seen_at > now - IDLE_LIMIT


def _note(session: Session, actor: Actor, user_id: UUID | None, summary: str, now: datetime) -> None:
    record(
        session, actor=actor, action="account.browsers_signed_out", subject_kind="user", subject_id=user_id,
        summary=summary, now=now,
    )  # fmt: skip
