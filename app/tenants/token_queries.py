"""Reads of API tokens, as frozen rows: who is signed in with one, and the lists. Commands are in tokens.py."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.tenants.access import Actor, Permission
from app.tenants.models import ApiToken, Membership, Organization, User
from app.tenants.preferences import PREFERENCE_NAMES, Preferences, stored_preferences
from app.tenants.roles import Role

# Looking after the whole installation is no permission of an organization, and still a thing a token may be denied.
PLATFORM_SCOPE = "platform_admin"
# Nor is changing one's own profile, which is the same in every organization.
ACCOUNT_SCOPE = "account"
SCOPE_WORDS = (*(permission.value for permission in Permission), ACCOUNT_SCOPE, PLATFORM_SCOPE)
# Long enough to make another token and to put it where it is needed.
EXPIRES_SOON = timedelta(days=7)
# As wide as the column of the audit.
_LONGEST_LABEL = 254
_TOKEN = re.compile(r"belfry_[a-z0-9]{8}_[\w-]{43}", re.ASCII)


@dataclass(frozen=True)
class SignedInToken:
    """A token that came with a request: whose it is, what that person is in its organization, and what it allows."""

    token_id: UUID
    token_name: str
    scope_words: frozenset[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    user_id: UUID
    email: str
    name: str
    timezone: str
    is_platform_admin: bool
    organization_id: UUID
    organization_name: str
    role: Role
    preferences: Preferences

    @property
    def actor(self) -> Actor:
        """The token's owner, narrowed to its scopes."""
        return Actor(
            organization_id=self.organization_id,
            role=self.role,
            label=f"{self.email} (token {self.token_name})"[:_LONGEST_LABEL],
            user_id=self.user_id,
            is_platform_admin=self.is_platform_admin and PLATFORM_SCOPE in self.scope_words,
            scopes=frozenset(permission for permission in Permission if permission.value in self.scope_words),
        )


class TokenState(StrEnum):
    """What a token is good for at an instant."""

    ACTIVE = "active"
    EXPIRES_SOON = "expires soon"  # still opens what it did
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def is_over(self) -> bool:
        return self in {TokenState.EXPIRED, TokenState.REVOKED}


@dataclass(frozen=True)
class TokenRow:
    """A token as lists show it. Nobody can read the token itself again."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    user_id: UUID
    user_name: str
    user_email: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> TokenState:
        if self.revoked_at is not None:
            return TokenState.REVOKED
        if self.expires_at is None or self.expires_at > now + EXPIRES_SOON:
            return TokenState.ACTIVE
        return TokenState.EXPIRES_SOON if self.expires_at > now else TokenState.EXPIRED


def is_token(text: str) -> bool:
    """Whether a text looks like a token of ours."""
    return _TOKEN.fullmatch(text) is not None


def find_signed_in_token(session: Session, *, token_digest: str, now: datetime) -> SignedInToken | None:
    """The living token with this digest: not revoked, not expired, its owner enabled and still a member."""
    query = (
        select(
            ApiToken.id.label("token_id"),
            ApiToken.name.label("token_name"),
            ApiToken.scopes,
            ApiToken.expires_at,
            ApiToken.last_used_at,
            ApiToken.user_id,
            User.email,
            User.name,
            User.timezone,
            User.is_platform_admin,
            *(getattr(User, name) for name in PREFERENCE_NAMES),
            ApiToken.organization_id,
            Organization.name.label("organization_name"),
            Membership.role,
        )
        .join(User, User.id == ApiToken.user_id)
        .join(Organization, Organization.id == ApiToken.organization_id)
        .join(Membership, (Membership.user_id == User.id) & (Membership.organization_id == ApiToken.organization_id))
        .where(ApiToken.token_digest == token_digest, *living(now), User.disabled_at.is_(None))
    )
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        return None
    facts = dict(row)
    words = frozenset(words_of(facts.pop("scopes")))
    likes = stored_preferences({name: facts.pop(name) for name in PREFERENCE_NAMES})
    return SignedInToken(**{**facts, "role": Role(facts["role"]), "scope_words": words, "preferences": likes})


def list_tokens(
    session: Session, *, organization_id: UUID, user_id: UUID | None = None, ended_since: datetime | None = None
) -> list[TokenRow]:
    """The tokens that nobody revoked, newest first: a member's, or all of the organization.

    With `ended_since`: those that open something, and those that expired or were revoked after it.
    """
    mine = [] if user_id is None else [ApiToken.user_id == user_id]
    shown = (ApiToken.revoked_at.is_(None),) if ended_since is None else _not_over(ended_since)
    query = (
        select(ApiToken, User.name, User.email)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.organization_id == organization_id, *shown, *mine)
        .order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
    )
    return [
        TokenRow(
            id=token.id,
            name=token.name,
            prefix=token.prefix,
            scopes=tuple(words_of(token.scopes)),
            user_id=token.user_id,
            user_name=name,
            user_email=email,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            revoked_at=token.revoked_at,
        )
        for token, name, email in session.execute(query)
    ]


def living(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Tokens that still open something."""
    return ApiToken.revoked_at.is_(None), ApiToken.expires_at.is_(None) | (ApiToken.expires_at > now)


def words_of(stored: Mapping[str, Any]) -> list[str]:
    """The scopes in a column, in their usual order. A word that this version does not know allows nothing."""
    known: Iterable[str] = stored.get("permissions", [])
    return [word for word in SCOPE_WORDS if word in known]


def _not_over(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ApiToken.revoked_at.is_(None) | (ApiToken.revoked_at > moment),
        ApiToken.expires_at.is_(None) | (ApiToken.expires_at > moment),
    )
