"""Commands on API tokens: what programs sign in with, in a member's name. Reads are in token_queries.py.

A token is shown once, to whoever makes it; only its digest is kept.
"""

import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.ids import digest, new_id, new_token
from app.core.names import clean_name
from app.tenants.access import Actor, Permission, may, require
from app.tenants.audit import record
from app.tenants.models import ApiToken, Membership, User
from app.tenants.roles import Role
from app.tenants.token_queries import ACCOUNT_SCOPE, PLATFORM_SCOPE, SCOPE_WORDS, living

DEFAULT_DAYS = 90
MOST_DAYS = 365
# Enough for every machine of a person, and a bound to what a script gone wild leaves behind.
MOST_TOKENS = 50
LONGEST_NAME = 120
USED_EVERY = timedelta(minutes=1)
_PREFIX_LETTERS = string.ascii_lowercase + string.digits


class TokenNotFound(NotFound):
    """No such token here that the actor may see, or it is revoked already."""


class TokenInvalid(Invalid):
    """A field of the token cannot be accepted."""


class TokenWiderThanOwn(Forbidden):
    """A program asked for a token that may do more, or live longer, than its own."""


class TooManyTokens(Conflict):
    """The member has as many tokens as anybody may have."""


class HolderMissing(Forbidden):
    """Nobody makes a token in somebody else's name."""


@dataclass(frozen=True)
class TokenDraft:
    """What a person says about a token. Without `days` it never expires."""

    name: str
    scopes: Collection[str]
    days: int | None = DEFAULT_DAYS


@dataclass(frozen=True)
class NewToken:
    """A token that was just made, with the secret that nobody can read again."""

    id: UUID
    token: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None


def create_token(
    session: Session,
    *,
    actor: Actor,
    user_id: UUID | None,
    draft: TokenDraft,
    now: datetime,
    until: datetime | None = None,
) -> NewToken:
    """Make a token for a member. People make their own; the command line, which is nobody, makes them for anybody.

    A program needs the scope manage_team for it, and its new token may do no more than its own; `until` is when its
    own expires. Raises HolderMissing, TokenInvalid, TokenWiderThanOwn or TooManyTokens.
    """
    if user_id is None or actor.user_id not in {None, user_id}:
        raise HolderMissing("Tokens are personal: everybody makes their own.")
    scopes = _check_scopes(session, actor, user_id, draft)
    expires_at = _check_days(draft.days, now)
    if actor.scopes is not None:
        _refuse_wider(actor, scopes, expires_at, until)
    _refuse_too_many(session, actor, user_id, now)
    prefix = "belfry_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
    name = clean_name(draft.name, noun="token", longest=LONGEST_NAME)
    made = NewToken(new_id(), f"{prefix}_{new_token()}", name, prefix, scopes, now, expires_at)
    _store(session, actor, user_id, made)
    _note(session, actor, "token.created", made.id, f"Made the API token {made.name}: {', '.join(scopes)}", now)
    return made


def revoke_token(
    session: Session, *, actor: Actor, token_id: UUID, now: datetime, own_token_id: UUID | None = None
) -> None:
    """End a token: one's own, or as somebody who manages the team anybody's. Raises TokenNotFound.

    A program may always end the token it came with; for others it needs the scope manage_team.
    """
    if actor.scopes is not None and token_id != own_token_id:
        require(actor, Permission.MANAGE_TEAM)
    seen = [ApiToken.id == token_id, ApiToken.organization_id == actor.organization_id, ApiToken.revoked_at.is_(None)]
    if not may(actor, Permission.MANAGE_TEAM):
        seen.append(ApiToken.user_id == actor.user_id)
    name = session.scalar(select(ApiToken.name).where(*seen))
    if name is None or count_changed(session, update(ApiToken).where(*seen).values(revoked_at=now)) != 1:
        raise TokenNotFound("There is no such token here. It may have been revoked.")
    _note(session, actor, "token.revoked", token_id, f"Revoked the API token {name}", now)


def note_used(session: Session, *, token_id: UUID, now: datetime) -> None:
    """Remember that a token is in use. At most once a minute, whoever asks and how often."""
    is_due = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USED_EVERY)
    session.execute(update(ApiToken).where(ApiToken.id == token_id, is_due).values(last_used_at=now))


def scopes_open_to(role: Role, *, is_platform_admin: bool) -> tuple[str, ...]:
    """The scopes that a token of such a member may have: what the person may do themselves."""
    allowed = {permission.value for permission in Permission if may(Actor(_NOBODY, role, label=""), permission)}
    allowed |= {ACCOUNT_SCOPE, PLATFORM_SCOPE} if is_platform_admin else {ACCOUNT_SCOPE}
    return tuple(word for word in SCOPE_WORDS if word in allowed)


_NOBODY = UUID(int=0)


def _check_scopes(session: Session, actor: Actor, user_id: UUID, draft: TokenDraft) -> tuple[str, ...]:
    member = (
        select(Membership.role, User.is_platform_admin)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == actor.organization_id, Membership.user_id == user_id)
    )
    found = session.execute(member).one_or_none()
    if found is None:
        raise HolderMissing("Only members of the organization can have a token.")
    wanted = set(draft.scopes)
    if not wanted:
        raise TokenInvalid("Choose at least one scope.", field="scopes")
    is_open = scopes_open_to(Role(found.role), is_platform_admin=found.is_platform_admin)
    if not wanted <= set(is_open):
        raise TokenInvalid(f"The role {found.role} allows these scopes: {', '.join(is_open)}.", field="scopes")
    return tuple(word for word in SCOPE_WORDS if word in wanted)


def _check_days(days: int | None, now: datetime) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= MOST_DAYS:
        raise TokenInvalid(f"A token lives 1 to {MOST_DAYS} days, or never expires.", field="expires_in_days")
    return now + timedelta(days=days)


def _refuse_wider(actor: Actor, scopes: tuple[str, ...], expires_at: datetime | None, until: datetime | None) -> None:
    require(actor, Permission.MANAGE_TEAM)
    own = {permission.value for permission in actor.scopes or ()} | (
        {PLATFORM_SCOPE} if actor.is_platform_admin else set()
    )
    if not set(scopes) <= own:
        raise TokenWiderThanOwn("A token cannot make another one with more scopes than its own.")
    if until is not None and (expires_at is None or expires_at > until):
        raise TokenWiderThanOwn("A token cannot make another one that lives longer than itself.")


def _refuse_too_many(session: Session, actor: Actor, user_id: UUID, now: datetime) -> None:
    mine = ApiToken.organization_id == actor.organization_id, ApiToken.user_id == user_id
    if (session.scalar(select(func.count()).where(*mine, *living(now))) or 0) >= MOST_TOKENS:
        raise TooManyTokens(f"Nobody may have more than {MOST_TOKENS} tokens. Revoke one that is not needed.")


def _store(session: Session, actor: Actor, user_id: UUID, made: NewToken) -> None:
    session.add(
        ApiToken(
            id=made.id,
            organization_id=actor.organization_id,
            user_id=user_id,
            name=made.name,
            prefix=made.prefix,
            token_digest=digest(made.token),
            scopes={"permissions": list(made.scopes)},
            created_at=made.created_at,
            expires_at=made.expires_at,
        )
    )
    session.flush()


def _note(session: Session, actor: Actor, action: str, token_id: UUID, summary: str, now: datetime) -> None:
    record(session, actor=actor, action=action, subject_kind="api_token", subject_id=token_id, summary=summary, now=now)
