"""What requests and answers about incidents look like."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Flag, Moment, Paging
from app.notifications.handling import LONGEST_NOTE
from app.notifications.incident_rows import LONGEST_SEARCH, EntryRow, IncidentRow, MessageRow, ThingRow
from app.notifications.told_of import How, ToldOf
from app.notifications.types import DeliveryKind, DeliveryState, IncidentEntryKind, IncidentState, NotificationType


class IncidentQuery(Paging):
    """Which incidents to list."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"open": "true", "type": "run_failed"}]})

    open: Annotated[Flag | None, Field(description="Those that are open, or those that are over.")] = None
    type: Annotated[NotificationType | None, Field(description="Those of this type.")] = None
    assigned_to: Annotated[UUID | None, Field(description="Those that were given to this member.")] = None
    unassigned: Annotated[Flag, Field(description="Those that are nobody's.")] = False
    q: Annotated[str, Field(max_length=LONGEST_SEARCH, description="Part of a title.")] = ""


class IncidentSnoozeIn(Body):
    """Until when nothing more is told."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": "2026-01-31T08:00:00Z"}, {"until": None}]})

    until: Annotated[Moment | None, Field(description="Within 30 days; null ends a snooze.")]


class IncidentAssigneeIn(Body):
    """Whose it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": None}]})

    user_id: Annotated[UUID | None, Field(description="A member's id; null: nobody's.")]


class IncidentNoteIn(Body):
    """A line for the timeline."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "The shop is being moved."}]})

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE)]


class IncidentOut(Answer):
    """Open trouble with one cause, or what is over of it."""

    id: UUID
    type: NotificationType
    title: str
    text: Annotated[str, Field(description="What was said of it: the last error, for one.")]
    state: IncidentState
    opened_at: Moment
    last_at: Annotated[Moment, Field(description="When it last happened.")]
    closed_at: Moment | None
    has_recovered: Annotated[bool, Field(description="Whether what is over works again.")]
    lasted_seconds: Annotated[int | None, Field(description="null while it is open.")]
    happened: Annotated[int, Field(description="How often.")]
    things: Annotated[int, Field(description="How many schedules and jobs it concerns.")]
    most_in_a_row: Annotated[int, Field(description="The most failures in a row of one of them.")]
    reopened: Annotated[int, Field(description="How often it came back soon after it had recovered.")]
    subject_kind: str
    subject_id: UUID | None
    connection_id: UUID | None
    run_id: Annotated[UUID | None, Field(description="The last run of it. It may have been cleaned up.")]
    acknowledged_by: str | None
    acknowledged_at: Moment | None
    assigned_to: UUID | None
    snoozed_until: Moment | None
    next_reminder_at: Moment | None
    missed_slots: Annotated[int | None, Field(description="Counted when it is over.")]
    made_up: Annotated[int | None, Field(description="How many of these were made up for.")]


class IncidentEntryOut(Answer):
    """A line of a timeline."""

    id: UUID
    at: Moment
    kind: Annotated[str, Field(description=f"One of: {', '.join(kind.value for kind in IncidentEntryKind)}.")]
    words: str
    by: str | None
    run_id: UUID | None
    schedule_id: UUID | None


class IncidentThingOut(Answer):
    """What an incident concerns."""

    id: UUID
    kind: Annotated[str, Field(examples=["schedule"])]
    name: str
    failures: Annotated[int, Field(description="In a row, since it last worked.")]
    last_at: Moment
    is_in_trouble: bool


class ToldChannelOut(Answer):
    """What became of telling one channel."""

    channel: Annotated[str, Field(description="Its name.")]
    how: Annotated[
        How,
        Field(
            description="`told`; `waiting` to be sent; `failing`, and tried again at `at`; `lost`, and not tried "
            "again; `held` until `at`."
        ),
    ]
    at: Moment | None
    why: Annotated[str, Field(description="Why it was not told, or not by a message of its own.")]


class IncidentToldOut(Answer):
    """Who was told of an incident."""

    channels: list[ToldChannelOut]
    why_nobody: Annotated[str, Field(description="Why no channel was told; empty where one was or will be.")]


class IncidentMessageOut(Answer):
    """A message of an incident, and what became of it."""

    id: UUID
    channel_id: UUID
    channel: Annotated[str, Field(description="Its name.")]
    kind: DeliveryKind
    state: DeliveryState
    tries: int
    sent_at: Moment | None
    maybe_twice: Annotated[bool, Field(description="A process died while it was sent; it may have come twice.")]
    words: Annotated[str, Field(description="What the channel answered, or why it did not take it.")]
    created_at: Moment


def incident_out(row: IncidentRow) -> IncidentOut:
    """One of them as it is answered."""
    found: dict[str, Any] = {name: getattr(row, name) for name in IncidentOut.model_fields if hasattr(row, name)}
    lasted = None if row.closed_at is None else int((row.closed_at - row.opened_at).total_seconds())
    return IncidentOut(**found, lasted_seconds=lasted)


def entry_out(row: EntryRow) -> IncidentEntryOut:
    """A line of a timeline as it is answered."""
    found: dict[str, Any] = {name: getattr(row, name) for name in IncidentEntryOut.model_fields}
    return IncidentEntryOut(**found | {"kind": row.kind.value})


def thing_out(row: ThingRow) -> IncidentThingOut:
    """What it concerns, as it is answered."""
    return IncidentThingOut(**{name: getattr(row, name) for name in IncidentThingOut.model_fields})


def told_out(told: ToldOf) -> IncidentToldOut:
    """Who was told, as it is answered."""
    channels = [ToldChannelOut(channel=one.channel, how=one.how, at=one.at, why=one.why) for one in told.lines]
    return IncidentToldOut(channels=channels, why_nobody=told.why_nobody)


def message_out(row: MessageRow) -> IncidentMessageOut:
    """A message as it is answered."""
    return IncidentMessageOut(**{name: getattr(row, name) for name in IncidentMessageOut.model_fields})
