"""Tables of organizations, people, their sessions and what they did. Relationships point down only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, partial_index
from app.core.ids import new_id

# The organization of what belongs to the installation itself. Made by a migration, the same everywhere.
SYSTEM_ORGANIZATION_ID = UUID("00000000-0000-7000-8000-000000000001")


class Organization(Base):
    """The tenant. Every user has a personal one; teams share one."""

    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    is_personal: Mapped[bool] = mapped_column(default=False)
    is_system: Mapped[bool] = mapped_column(default=False, server_default=false())
    timezone: Mapped[str] = mapped_column(String(64))
    # How many of its runs may go on at once; any number unless one is named.
    concurrency: Mapped[int | None]
    # Of what ended up to then, runs were deleted because they were old.
    runs_deleted_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class User(Base):
    """A person who can sign in. The address is stored in lower case, so that it is unique as people mean it."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("email = lower(email)", name="email_in_lower_case"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_platform_admin: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64))
    # What these may be is in preferences.py.
    clock: Mapped[str] = mapped_column(String(2), default="24", server_default="24")
    theme: Mapped[str | None] = mapped_column(String(8))
    density: Mapped[str] = mapped_column(String(16), default="comfortable", server_default="comfortable")
    shortcuts_enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Membership(Base):
    """A user in an organization, with a role."""

    __tablename__ = "memberships"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    # When they put the checklist of first steps away.
    first_steps_hidden_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


def _of_member(table: str) -> ForeignKeyConstraint:
    """What a member holds in an organization goes when the membership does."""
    return ForeignKeyConstraint(
        ["organization_id", "user_id"],
        ["memberships.organization_id", "memberships.user_id"],
        name=f"fk_{table}_organization_id_user_id_memberships",
        ondelete="CASCADE",
    )


class LoginSession(Base):
    """A browser that is signed in, seeing one organization. Deleting the row signs it out."""

    __tablename__ = "login_sessions"
    __table_args__ = (UniqueConstraint("token_digest"), _of_member("login_sessions"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_digest: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    organization_id: Mapped[UUID]
    user_agent: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SetupLink(Base):
    """The one-time right to make the first account."""

    __tablename__ = "setup_links"
    __table_args__ = (UniqueConstraint("token_digest"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInFailure(Base):
    """A refused sign-in, kept to slow down guessing by account and by address."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index("ix_sign_in_failures_email_digest_at", "email_digest", "at"),
        Index("ix_sign_in_failures_address_at", "address", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_digest: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Base):
    """Who did what to which thing. Never changed, never deleted by people."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        # The newest, and those of a filter: with all that one asks about, so that only rows that match are fetched.
        Index("ix_audit_entries_newest", "organization_id", "at", "id", "action", "subject_kind", "actor_label"),
        # The history of one thing, and who changed it last.
        Index("ix_audit_entries_subject", "organization_id", "subject_id", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    actor_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    actor_label: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[UUID | None]
    summary: Mapped[str] = mapped_column(Text)
    changes: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Invitation(Base):
    """The one-time right to join an organization, for one address."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("token_digest"),
        partial_index(
            "uq_invitations_organization_id_email_open",
            "organization_id",
            "email",
            unique=True,
            where="accepted_at IS NULL AND revoked_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(16))
    token_digest: Mapped[str] = mapped_column(String(64))
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]


class ApiToken(Base):
    """What a program signs in with, in a member's name. Only the digest of the token is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("token_digest"),
        _of_member("api_tokens"),
        Index("ix_api_tokens_organization_id_user_id", "organization_id", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(120))
    # The beginning of the token, by which its owner recognises it.
    prefix: Mapped[str] = mapped_column(String(16))
    token_digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SavedView(Base):
    """A list that somebody narrowed and named. Without a user it is the whole organization's."""

    __tablename__ = "saved_views"
    __table_args__ = (
        _of_member("saved_views"),
        partial_index(
            "uq_saved_views_of_all", "organization_id", "list_name", "name", unique=True, where="user_id IS NULL"
        ),
        partial_index(
            "uq_saved_views_of_one",
            "organization_id",
            "user_id",
            "list_name",
            "name",
            unique=True,
            where="user_id IS NOT NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID | None]
    list_name: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    # The parts of the list's query string.
    query: Mapped[dict[str, str]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]


class IdempotencyKey(Base):
    """A request of a program that was answered, so that sending it again changes nothing more."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (_of_member("idempotency_keys"),)

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
