"""`/discord`: the one Discord channel of an organization, for programs that know of no other."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Bound, Moment
from app.api.resource import Message, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session, runtime
from app.notifications.channel_changes import LONGEST_NAME, change_channel, delete_channel, make_channel, switch_channel
from app.notifications.channel_desk import ChannelTried, TheDraft
from app.notifications.channel_rows import ChannelNotFound, ChannelRow, first_of_kind, get_delivery
from app.notifications.notices import Notice, facts_of
from app.notifications.outbox import put_notice
from app.notifications.types import ChannelKind, ChannelState, DeliveryState, NotificationType
from app.tenants.access import Permission
from app.tenants.organizations import get_organization

_HOOK = "https://discord.com/api/webhooks/123456789012345678/…"
Words = Annotated[str, Field(max_length=1_000)]
Line = Annotated[str, Field(max_length=300)]


class DiscordConfigIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"webhook_url": _HOOK, "name": "#data"}]})

    webhook_url: Annotated[
        Annotated[str, Field(max_length=500)] | None,
        Field(description="Sealed, in no answer. null: it stays as it is.", examples=[_HOOK]),
    ] = None
    name: Annotated[
        Annotated[str, Field(max_length=LONGEST_NAME)] | None, Field(description="null: as it is, or `Discord`.")
    ] = None
    enabled: Annotated[bool | None, Field(description="null: as it is, or on.")] = None


class DiscordConfigOut(Answer):
    """Where Discord is told; without an `id`, nowhere yet."""

    configured: bool
    id: UUID | None = None
    name: str | None = None
    enabled: bool = False
    state: ChannelState | None = None
    webhook_hint: Annotated[str | None, Field(description="The last letters of the webhook's address.")] = None
    webhook_set_at: Moment | None = None
    last_ok_at: Moment | None = None
    last_error: str | None = None
    last_error_at: Moment | None = None


class DiscordTestOut(Answer):
    """What a test found."""

    is_good: bool
    words: Annotated[str, Field(description="“Delivered to “#data” in 0.6 s.”, or what Discord answered.")]
    delivery_id: UUID | None


class NoticeData(Body):
    """What is said. All of it is text, and may be left out."""

    title: Annotated[str, Field(max_length=200)] = ""
    what: Words = ""
    job: Line = ""
    schedule: Line = ""
    connection: Line = ""
    error: Words | None = None
    cause: Words | None = None
    to_do: Words | None = None
    since: Bound | None = None
    until: Bound | None = None
    next_try_at: Bound | None = None
    last_success_at: Bound | None = None
    nth: Annotated[Annotated[int, Field(ge=1, le=1_000_000)] | None, Field(description="Failures in a row.")] = None
    count: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    lines: Annotated[list[Line], Field(max_length=40)] = Field(default_factory=list)


class NoticeIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "run_failed", "data": {"job": "Meta ads", "error": "Timed out"}}]}
    )

    type: NotificationType
    data: NoticeData = Field(default_factory=NoticeData)


class NoticeOut(Answer):
    """A message on its way: it is sent within seconds, and tried again for a day."""

    delivery_id: UUID
    state: DeliveryState


@resource("GET", "/discord/config", permission=Permission.VIEW, answer=DiscordConfigOut)
def show_discord() -> DiscordConfigOut:
    """The channel for Discord, the oldest one if there are several."""
    return _shown(_row())


def _draft(body: DiscordConfigIn) -> TheDraft:
    given = {"webhook_url": body.webhook_url or ""}
    return runtime().channels.draft_the(current_actor(), ChannelKind.DISCORD, body.name, given)


@resource(
    "PUT",
    "/discord/config",
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=DiscordConfigIn,
    answer=DiscordConfigOut,
    may_conflict=True,
    outside=_draft,
)
def put_discord(body: DiscordConfigIn, found: TheDraft) -> DiscordConfigOut:
    """Set up the channel for Discord, or change it. One that was broken is used again."""
    session, actor, now = request_session(), current_actor(), request_now()
    sealer = runtime().channels.sealer
    channel_id = found.channel_id
    if channel_id is None:
        channel_id = make_channel(session, actor=actor, sealer=sealer, draft=found.draft, now=now)
    else:
        change_channel(session, actor=actor, sealer=sealer, channel_id=channel_id, draft=found.draft, now=now)
    if body.enabled is not None:
        switch_channel(session, actor=actor, channel_id=channel_id, is_on=body.enabled, now=now)
    return _shown(_row())


@resource("DELETE", "/discord/config", permission=Permission.MANAGE_NOTIFICATIONS)
def delete_discord() -> Message:
    """Delete the channel. What waits for it is not sent any more."""
    name = delete_channel(request_session(), actor=current_actor(), channel_id=_needed().id, now=request_now())
    return Message(None, f"Deleted the channel “{name}”.")


def _test() -> ChannelTried:
    return runtime().channels.test_the(current_actor(), ChannelKind.DISCORD)


@resource("POST", "/discord/test", permission=Permission.MANAGE_NOTIFICATIONS, answer=DiscordTestOut, outside=_test)
def test_discord(found: ChannelTried) -> Message:
    """Send a test message now, which takes ten seconds at most. A good one ends that the channel is broken."""
    return Message(DiscordTestOut(is_good=found.is_good, words=found.words, delivery_id=found.delivery_id), found.words)


@resource(
    "POST",
    "/discord/notify",
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=NoticeIn,
    answer=NoticeOut,
    status=202,
    may_conflict=True,
)
def notify_discord(body: NoticeIn) -> NoticeOut:
    """Tell something by the channel for Discord, in the form that messages of this type have."""
    session, actor = request_session(), current_actor()
    organization = get_organization(session, organization_id=actor.organization_id)
    said = body.data
    notice = Notice(
        title=said.title,
        what=said.what,
        error=said.error,
        cause=said.cause,
        to_do=said.to_do,
        since=said.since,
        until=said.until,
        next_try_at=said.next_try_at,
        last_success_at=said.last_success_at,
        nth=said.nth,
        count=said.count,
        names={"job": said.job, "schedule": said.schedule, "connection": said.connection},
        lines=tuple(said.lines),
    )
    facts = facts_of(body.type, notice, organization=organization.name, zone=organization.timezone)
    delivery_id = put_notice(session, actor=actor, channel_id=_needed().id, facts=facts, now=request_now())
    session.flush()
    row = get_delivery(session, organization_id=actor.organization_id, delivery_id=delivery_id)
    return NoticeOut(delivery_id=row.id, state=row.state)


def _row() -> ChannelRow | None:
    here = current_actor().organization_id
    return first_of_kind(fresh_session(), organization_id=here, kind=ChannelKind.DISCORD)


def _needed() -> ChannelRow:
    found = _row()
    if found is None:
        raise ChannelNotFound("There is no channel for Discord yet. Set one up first.")
    return found


def _shown(row: ChannelRow | None) -> DiscordConfigOut:
    if row is None:
        return DiscordConfigOut(configured=False)
    return DiscordConfigOut(
        configured=True,
        id=row.id,
        name=row.name,
        enabled=row.state is ChannelState.ON,
        state=row.state,
        webhook_hint=row.secret_hint,
        webhook_set_at=row.secret_set_at,
        last_ok_at=row.last_ok_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
    )
