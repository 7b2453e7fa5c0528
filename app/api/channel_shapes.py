"""What requests and answers about channels look like."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.notifications.channel_changes import LONGEST_NAME
from app.notifications.channel_rows import ChannelRow
from app.notifications.types import ChannelKind, ChannelState

_HOOK = "https://discord.com/api/webhooks/123456789012345678/…"
Called = Annotated[str, Field(max_length=LONGEST_NAME)]
Given = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=2_000)]],
    Field(max_length=10, description="The fields of its kind, as `/channel-kinds` lists them."),
]


class ChannelIn(Body):
    """A new channel."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "discord", "name": "#data", "settings": {"webhook_url": _HOOK}}]}
    )

    kind: ChannelKind
    name: Annotated[Called | None, Field(description="null: as its kind is called.")] = None
    settings: Given
    is_fallback: Annotated[bool, Field(description="It stands in where another channel does not work.")] = False


class ChannelChanges(Body):
    """What is to be otherwise; null leaves it as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "#ops"}, {"enabled": False}]})

    name: Called | None = None
    settings: Given | None = None
    is_fallback: bool | None = None
    enabled: bool | None = None

    @property
    def is_redrawn(self) -> bool:
        """Whether more is to change than that it is on or off."""
        return any(value is not None for value in (self.name, self.settings, self.is_fallback))


class ChannelOut(Answer):
    """Where people are told. What is secret of it is in no answer."""

    id: UUID
    kind: ChannelKind
    name: str
    enabled: bool
    state: Annotated[ChannelState, Field(description="`broken`: it failed for good, and is not used.")]
    settings: Annotated[dict[str, str], Field(description="What of it is no secret.")]
    secret_hint: Annotated[str | None, Field(description="The last letters of what is secret.")]
    secret_set_at: Moment | None
    is_fallback: bool
    broken_at: Moment | None
    last_ok_at: Moment | None
    last_error: str | None
    last_error_at: Moment | None
    quiet_until: Annotated[Moment | None, Field(description="The service asked to be left alone until then.")]
    created_at: Moment
    updated_at: Moment


class ChannelSavedOut(ChannelOut):
    """A channel as it was made or changed."""

    signing_key: Annotated[
        str | None,
        Field(description="Of a webhook for which a key was made: it is in this answer and in no other one."),
    ] = None


class SigningKeyOut(Answer):
    """A key to check signatures with. It is in this answer and in no other one."""

    channel_id: UUID
    signing_key: str | None


class ChannelTestOut(Answer):
    """What a test found."""

    is_good: bool
    words: Annotated[str, Field(description="“Delivered to “#data” in 0.6 s.”, or what was answered.")]
    delivery_id: UUID | None


class ChannelFieldOut(Answer):
    """One of the `settings` of a kind."""

    name: str
    label: str
    hint: str
    is_secret: bool
    is_required: bool


class ChannelKindOut(Answer):
    """A kind of channel, and what it asks for."""

    kind: ChannelKind
    label: str
    can_edit: Annotated[bool, Field(description="Messages are brought up to date in place.")]
    fields: list[ChannelFieldOut]


def channel_out(row: ChannelRow) -> ChannelOut:
    """One channel as it is answered."""
    return ChannelOut(**_values(row))


def channel_saved_out(row: ChannelRow, *, signing_key: str | None) -> ChannelSavedOut:
    """One channel, with the key that was made for it."""
    return ChannelSavedOut(**_values(row), signing_key=signing_key)


def _values(row: ChannelRow) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(row, name) for name in ChannelOut.model_fields if hasattr(row, name)}
    found["settings"] = {name: str(value) for name, value in row.settings.items()}
    return {**found, "enabled": row.state is ChannelState.ON}
