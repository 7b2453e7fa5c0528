"""Tables of heartbeats, and of bulk actions with the things that each of them was to change."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, partial_index
from app.core.ids import new_id


class Heartbeat(Base):
    """A worker, a scheduler or a process that serves pages, which reports or signed off.

    Rows of those that went silent are cleared after a day.

    What later versions added has a default, so that an older version can still report.
    """

    __tablename__ = "heartbeats"

    process_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(32))
    # A worker without a scheduler thread has no tick; a scheduler apart has no slots.
    slots: Mapped[int]
    schedules: Mapped[bool]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    ticked_at: Mapped[datetime | None]
    tick_ms: Mapped[int | None]
    host: Mapped[str] = mapped_column(String(255), default="", server_default="")
    pid: Mapped[int] = mapped_column(default=0, server_default="0")
    # The runs in hand, why it starts no more of them if so, and whether it is stopping.
    running: Mapped[int] = mapped_column(default=0, server_default="0")
    problem: Mapped[str | None] = mapped_column(Text)
    is_stopping: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What it holds of the machine's memory, where that is known.
    memory_mib: Mapped[int | None]
    # The queues it serves, with commas between them; all unless some are named.
    queues: Mapped[str | None] = mapped_column(Text)


class BulkAction(Base):
    """One thing that somebody does to many. A draft is a selection, taken when somebody pressed the button.

    `kind` is what is chosen from ("schedules") while it is a draft, and what is done ("schedules.disable") afterwards.
    """

    __tablename__ = "bulk_actions"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        # What was undone is not undone once more.
        UniqueConstraint("organization_id", "undo_of_id"),
        Index("ix_bulk_actions_organization_id_created_at", "organization_id", "created_at", "id"),
        partial_index("ix_bulk_actions_going", "next_at", where="state = 'going'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16))
    parameters: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    # Who acts, and what their token was good for: asked again for each thing, with the role they have then.
    actor_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    actor_label: Mapped[str] = mapped_column(String(254))
    actor_scopes: Mapped[dict[str, Any]]
    # How many in a minute; as fast as it goes where nothing is said.
    per_minute: Mapped[int | None]
    undo_of_id: Mapped[UUID | None]
    # Counted in the transaction that changes the things themselves.
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    # Not to be gone on with before this instant.
    next_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stopped_by: Mapped[str | None] = mapped_column(String(254))


class BulkItem(Base):
    """One thing of a bulk action, and what became of it. `was` is what undoing it needs."""

    __tablename__ = "bulk_items"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "bulk_action_id"],
            ["bulk_actions.organization_id", "bulk_actions.id"],
            name="fk_bulk_items_organization_id_bulk_action_id_bulk_actions",
            ondelete="CASCADE",
        ),
        UniqueConstraint("organization_id", "bulk_action_id", "object_id"),
        Index("ix_bulk_items_bulk_action_id_state_position", "bulk_action_id", "state", "position"),
    )

    bulk_action_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID]
    object_id: Mapped[UUID]
    # What it was called when it was selected; nothing where there was none.
    name: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(16))
    # Why it was left as it is.
    words: Mapped[str] = mapped_column(Text, default="")
    was: Mapped[dict[str, Any] | None]
    # What came of it, such as the run that was started.
    result_id: Mapped[UUID | None]
    at: Mapped[datetime | None]


class WatchMark(Base):
    """Something that a watch has told of, and that is not over yet."""

    __tablename__ = "watch_marks"

    watch: Mapped[str] = mapped_column(String(16), primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    # What it is about, among all that this watch looks at.
    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]


class CanaryState(Base):
    """What is known of the canary. One row, or none before anybody looked."""

    __tablename__ = "canary_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    looked_at: Mapped[datetime]
    last_passed_at: Mapped[datetime | None]
    # Who pings says so first, so that nobody else does; then what came of it.
    ping_begun_at: Mapped[datetime | None]
    pinged_at: Mapped[datetime | None]
    ping_error: Mapped[str | None] = mapped_column(Text)
    ping_error_at: Mapped[datetime | None]


class CanaryGap(Base):
    """A time in which the canary did not come through."""

    __tablename__ = "canary_gaps"
    __table_args__ = (Index("ix_canary_gaps_began_at", "began_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    cause: Mapped[str] = mapped_column(String(16))
