"""Whether a rule speaks of an incident, and what keeps it from speaking now. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.notifications.cases import About
from app.notifications.quiet import QuietHours
from app.notifications.types import NotificationType, ScopeKind

# Of these a rule waits for the n-th failure in a row; anything else is told at once.
COUNTED = frozenset({NotificationType.RUN_FAILED, NotificationType.RETRYING})


@dataclass(frozen=True)
class RuleTerms:
    """What a rule says."""

    id: UUID
    organization_id: UUID
    types: frozenset[NotificationType]
    scope_kind: ScopeKind
    scope_value: str | None
    after_failures: int
    tells_recovery: bool
    cooldown: timedelta
    channel_ids: tuple[UUID, ...]
    is_enabled: bool = True
    snoozed_until: datetime | None = None


@dataclass(frozen=True)
class Window:
    """A time of maintenance."""

    starts_at: datetime
    ends_at: datetime
    scope_kind: ScopeKind = ScopeKind.ORGANIZATION
    scope_value: str | None = None


@dataclass(frozen=True)
class Silence:
    """What an organization does not want to hear, and when."""

    quiet: QuietHours | None = None
    lets_through: frozenset[NotificationType] = frozenset()
    windows: tuple[Window, ...] = ()

    def of_parts(self, now: datetime) -> list[Window]:
        """The times of maintenance that go on and are not about everything."""
        return [one for one in self._going(now) if one.scope_kind is not ScopeKind.ORGANIZATION]

    def ends_at(self, now: datetime) -> datetime | None:
        """When maintenance of everything ends; None where there is none."""
        ends = [one.ends_at for one in self._going(now) if one.scope_kind is ScopeKind.ORGANIZATION]
        return max(ends, default=None)

    def _going(self, now: datetime) -> list[Window]:
        return [one for one in self.windows if one.starts_at <= now < one.ends_at]


class HeldBy(StrEnum):
    """Why nothing is told yet."""

    SNOOZE = "snooze"  # of the rule or of the incident
    MAINTENANCE = "maintenance"
    QUIET = "quiet"
    COOLDOWN = "cooldown"
    REMINDER = "reminder"  # a reminder is owed that something else held
    FLOOD = "flood"  # the channel was told enough for now
    EDIT = "edit"  # the message is brought up to date a little later


# As timelines say it. What only waits for its turn is not worth a line.
HELD_WORDS = {
    HeldBy.SNOOZE: "It is snoozed",
    HeldBy.MAINTENANCE: "In maintenance, or muted",
    HeldBy.QUIET: "These are quiet hours",
    HeldBy.COOLDOWN: "The same was told shortly before",
}


@dataclass(frozen=True)
class Hold:
    """Nothing is told until then, and why."""

    by: HeldBy
    until: datetime


def is_about(kind: ScopeKind, value: str | None, about: About) -> bool:
    """Whether anything of it lies in the scope of a rule or a window."""
    places: dict[ScopeKind, Sequence[str]] = {
        ScopeKind.SCHEDULE: about.schedule_ids,
        ScopeKind.JOB: about.job_ids,
        ScopeKind.TAG: about.tags,
        ScopeKind.SERVICE: about.services,
    }
    return kind is ScopeKind.ORGANIZATION or value in places[kind]


def speaks_of(rule: RuleTerms, types: Collection[NotificationType], about: About, *, in_a_row: int) -> bool:
    """Whether a rule tells of this, at some time. What is of several types it tells for any of them."""
    is_enough = in_a_row >= rule.after_failures
    if not rule.is_enabled or not any(one in rule.types and (is_enough or one not in COUNTED) for one in types):
        return False
    return is_about(rule.scope_kind, rule.scope_value, about)


def what_holds(
    rule: RuleTerms,
    silence: Silence,
    type_: NotificationType,
    *,
    now: datetime,
    muted_until: datetime | None = None,
    told_at: datetime | None = None,
    snoozed_until: datetime | None = None,
) -> Hold | None:
    """What keeps a rule from telling this now: the longest of all that does. It ends always.

    `muted_until` is when maintenance ends of all that would be told; `told_at` when the rule last told of this cause.
    """
    holds = [
        _until(HeldBy.SNOOZE, rule.snoozed_until, now),
        _until(HeldBy.SNOOZE, snoozed_until, now),
        _until(HeldBy.MAINTENANCE, silence.ends_at(now), now),
        _until(HeldBy.MAINTENANCE, muted_until, now),
        _quiet(silence, type_, now),
        _until(HeldBy.COOLDOWN, told_at and told_at + rule.cooldown, now),
    ]
    return max((hold for hold in holds if hold is not None), key=lambda hold: hold.until, default=None)


def what_holds_recovery(silence: Silence, type_: NotificationType, *, now: datetime) -> Hold | None:
    """Good news are kept from nobody but those who sleep."""
    return _quiet(silence, type_, now)


def _until(by: HeldBy, until: datetime | None, now: datetime) -> Hold | None:
    return Hold(by, until) if until is not None and until > now else None


def _quiet(silence: Silence, type_: NotificationType, now: datetime) -> Hold | None:
    if silence.quiet is None or type_ in silence.lets_through:
        return None
    return _until(HeldBy.QUIET, silence.quiet.ends_at(now), now)
