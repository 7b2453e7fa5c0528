"""The table of sealed secrets. Only `service` seals, opens and reseals them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.ids import new_id


class Secret(Base):
    """One sealed value of one field of one thing. The owner is named, not referenced: it may be of any kind."""

    __tablename__ = "secrets"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        Index("ix_secrets_organization_id_owner_id", "organization_id", "owner_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    owner_kind: Mapped[str] = mapped_column(String(16))
    owner_id: Mapped[UUID]
    field: Mapped[str] = mapped_column(String(120))
    sealed: Mapped[str] = mapped_column(Text)
    # Which key opens it: what a rotation looks for.
    key_id: Mapped[str] = mapped_column(String(16), index=True)
    created_at: Mapped[datetime]
    # No longer used by its owner; kept for runs that still point at it.
    retired_at: Mapped[datetime | None]
