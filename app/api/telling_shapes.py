"""What requests and answers about quiet hours, the daily summary and maintenance look like."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.notifications.clock_minutes import minute_of, time_words
from app.notifications.rule_rows import SettingsRow, WindowRow
from app.notifications.telling_settings import LONGEST_REASON, SettingsDraft, WindowDraft
from app.notifications.types import NotificationType, ScopeKind

TimeOfDay = Annotated[str | None, Field(max_length=8, examples=["22:00"])]


class NotifySettingsIn(Body):
    """Quiet hours and the daily summary, all of them: what is left out there is none of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"zone": "Europe/Riga", "quiet_from": "22:00", "quiet_until": "07:00", "quiet_lets_through": ["stuck"]}
            ]
        }
    )

    zone: Annotated[str, Field(min_length=1, max_length=64, description="An IANA name: the clock of all times.")]
    quiet_from: TimeOfDay = None
    quiet_until: TimeOfDay = None
    quiet_lets_through: Annotated[
        list[NotificationType], Field(max_length=40, description="Types that are told in quiet hours as well.")
    ] = []
    summary_at: TimeOfDay = None
    summary_channel_ids: Annotated[list[UUID], Field(max_length=20)] = []

    def draft(self) -> SettingsDraft:
        """What the command takes. Raises TimeOfDayInvalid."""
        return SettingsDraft(
            zone=self.zone,
            quiet_from=minute_of(self.quiet_from or "", field="quiet_from"),
            quiet_until=minute_of(self.quiet_until or "", field="quiet_until"),
            quiet_lets_through=[one.value for one in self.quiet_lets_through],
            summary_minute=minute_of(self.summary_at or "", field="summary_at"),
            summary_channel_ids=self.summary_channel_ids,
        )


class NotifySettingsOut(Answer):
    """Quiet hours and the daily summary."""

    zone: str
    quiet_from: TimeOfDay
    quiet_until: TimeOfDay
    quiet_lets_through: list[str]
    summary_at: TimeOfDay
    summary_channel_ids: list[UUID]


class WindowIn(Body):
    """A time of maintenance."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"starts_at": "2026-01-31T20:00:00Z", "ends_at": "2026-01-31T22:00:00Z", "reason": "Moving the shop"}
            ]
        }
    )

    starts_at: Moment
    ends_at: Annotated[Moment, Field(description="Within 31 days of its beginning.")]
    scope_kind: ScopeKind = ScopeKind.ORGANIZATION
    scope_value: Annotated[
        str | None, Field(max_length=64, description="The id of a schedule or job, a tag, or a service.")
    ] = None
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""

    def draft(self) -> WindowDraft:
        """What the command takes."""
        return WindowDraft(self.starts_at, self.ends_at, self.scope_kind.value, self.scope_value, self.reason)


class WindowOut(Answer):
    """A time of maintenance that is not over."""

    id: UUID
    starts_at: Moment
    ends_at: Moment
    scope_kind: ScopeKind
    scope_value: str | None
    scope_name: Annotated[str | None, Field(description="What a schedule or job is called.")]
    reason: str
    made_by: str
    until_success: Annotated[bool, Field(description="A mute that ends earlier, with the next run that goes well.")]


def settings_out(row: SettingsRow) -> NotifySettingsOut:
    """What is settled, as it is answered."""
    return NotifySettingsOut(
        zone=row.zone,
        quiet_from=time_words(row.quiet_from) or None,
        quiet_until=time_words(row.quiet_until) or None,
        quiet_lets_through=list(row.quiet_lets_through),
        summary_at=time_words(row.summary_minute) or None,
        summary_channel_ids=list(row.summary_channel_ids),
    )


def window_out(row: WindowRow) -> WindowOut:
    """One of them as it is answered."""
    return WindowOut(**{name: getattr(row, name) for name in WindowOut.model_fields})
