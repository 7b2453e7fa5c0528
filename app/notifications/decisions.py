"""What a rule tells a channel of an incident, and when: once, brought up to date, reminded of, and that it is over.

Pure: who calls writes down what comes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.notifications.cases import About, Case
from app.notifications.rules import (
    HeldBy,
    Hold,
    RuleTerms,
    Silence,
    is_about,
    speaks_of,
    what_holds,
    what_holds_recovery,
)
from app.notifications.shares import Share, muted_until, share_of
from app.notifications.signals import News
from app.notifications.types import DeliveryKind, IncidentState

# A message that can be edited is brought up to date at most so often.
EDIT_EVERY = timedelta(minutes=1)
# So many messages go to one channel in a minute. What is more than that waits, and is told together.
MOST_PER_MINUTE = 5
# So many may wait unsent before no more are written for a channel.
MOST_UNSENT = 5
# What waits because of that is looked at together, at full two minutes: each for itself it would be a flood again.
FLOOD_PAUSE = timedelta(minutes=1)
_FLOOD_STEP_SECONDS = 120


@dataclass
class Told:
    """What a rule has told a channel of a cause. One for each rule, channel and cause."""

    rule_id: UUID
    channel_id: UUID
    cause_key: str
    organization_id: UUID
    incident_id: UUID
    episode: int = 0
    told_at: datetime | None = None
    is_told: bool = False
    due_at: datetime | None = None
    held_by: HeldBy | None = None
    updated_at: datetime | None = None
    mark: str = ""
    # It was told in the place of a channel that is broken.
    stands_in: bool = False
    is_new: bool = True


@dataclass(frozen=True)
class Want:
    """A message that a rule wants to send now."""

    kind: DeliveryKind
    told: Told
    rule: RuleTerms
    case: Case | None = None
    news: News | None = None
    # It waited because its channel was told enough.
    was_flooded: bool = False
    # The channel that tells it, where that is not the one whose telling this is, and the names of broken ones.
    by: UUID | None = None
    instead_of: tuple[str, ...] = ()

    @property
    def channel_id(self) -> UUID:
        """The channel that tells it."""
        return self.by or self.told.channel_id

    @property
    def key(self) -> str:
        """What the message is, so that it is sent to a channel once however many rules want it."""
        if self.news is not None:
            return f"event:{self.news.event_id}"
        assert self.case is not None
        place = f"{self.case.id}:{self.case.reopened}"
        if self.kind is DeliveryKind.REMINDER:
            return f"{place}:reminder:{self.case.reminders}"
        if self.kind is DeliveryKind.UPDATED:
            return f"{place}:updated:{mark_of(self.case)}"
        return f"{place}:{self.kind.value}"


@dataclass(frozen=True)
class Allotted:
    """Which messages go out each by itself, which together in one, and which wait."""

    alone: list[Want] = field(default_factory=list)
    together: list[Want] = field(default_factory=list)
    later: list[Want] = field(default_factory=list)


def consider(
    told: Told, case: Case, rule: RuleTerms, silence: Silence, *, now: datetime, can_edit: bool = True
) -> Want | None:
    """What a rule wants to tell a channel of an incident as it stands; None where there is nothing, or not yet.

    What is held back is noted in `told`, with the time to look again. Of what is muted nothing is told. Where another
    channel tells it, the message that is there already cannot be written over: without `can_edit`.
    """
    was_flooded, is_owed = told.held_by is HeldBy.FLOOD, told.held_by is HeldBy.REMINDER
    _follow(told, case)
    share = share_of(case, silence, now=now)
    told.due_at, told.held_by = _look_again_at(share, case, rule), None
    if told.due_at is not None:
        told.held_by = HeldBy.MAINTENANCE
    kind = _of_open(told, share, rule, silence, now) if case.is_open else _of_closed(told, rule, silence, case, now)
    if kind is DeliveryKind.UPDATED and not can_edit:
        kind, told.is_told = None, told.is_told and case.is_open
    if is_owed:
        reminder = consider_reminder(told, case, rule, silence, now=now)
        if isinstance(reminder, Want) and kind is None:
            return replace(reminder, was_flooded=True)
        if reminder is not None:
            owe_reminder(told, now if isinstance(reminder, Want) else reminder.until)
    return None if kind is None else Want(kind, told, rule, share.case, was_flooded=was_flooded)


def consider_reminder(
    told: Told, case: Case, rule: RuleTerms, silence: Silence, *, now: datetime
) -> Want | Hold | None:
    """The reminder of an incident that was told and is still open, or what holds it."""
    if not told.is_told or told.incident_id != case.id or case.state is not IncidentState.OPEN:
        return None
    share = share_of(case, silence, now=now)
    muted = share.until if share.is_all or not is_about(rule.scope_kind, rule.scope_value, share.case.about) else None
    snoozed = case.snoozed_until
    hold = what_holds(rule, silence, case.type, now=now, muted_until=muted, snoozed_until=snoozed)
    return hold or Want(DeliveryKind.REMINDER, told, rule, share.case)


def owe_reminder(told: Told, until: datetime) -> None:
    """A reminder is held until then, or until something else of it is looked at."""
    told.due_at = until if told.due_at is None else min(told.due_at, until)
    told.held_by = HeldBy.REMINDER


def consider_news(told: Told, news: News, rule: RuleTerms, silence: Silence, *, now: datetime) -> Want | None:
    """What a rule wants to tell of news. What is held back is told to nobody later: it is news no more."""
    about = about_news(news)
    if not speaks_of(rule, {news.type}, about, in_a_row=news.nth):
        return None
    muted = muted_until(about, silence, now=now)
    if what_holds(rule, silence, news.type, now=now, muted_until=muted, told_at=told.told_at) is not None:
        return None
    return Want(DeliveryKind.EVENT, told, rule, news=news)


def about_news(news: News) -> About:
    """What rules go by, of news."""
    schedules = [] if news.schedule_id is None else [str(news.schedule_id)]
    jobs = [] if news.job_id is None else [str(news.job_id)]
    return About(schedules, jobs, list(news.tags), [] if news.service is None else [news.service])


def news_key(news: News) -> str:
    """By what the cooldown of news goes."""
    return f"{news.type.value}:{news.subject.id}"


def allot(wants: Sequence[Want], *, room: int, edits: int) -> Allotted:
    """Divide the messages that one channel is to get: so many messages, and so many edits of earlier ones."""
    result = Allotted()
    fresh = [want for want in wants if want.kind is not DeliveryKind.UPDATED]
    changes = [want for want in wants if want.kind is DeliveryKind.UPDATED]
    result.alone.extend(changes[:edits])
    result.later.extend(changes[edits:])
    if room <= 0:
        result.later.extend(fresh)
        return result
    waited = [want for want in fresh if want.was_flooded]
    new = [want for want in fresh if not want.was_flooded]
    if len(fresh) <= 1 or (not waited and len(fresh) <= room):
        result.alone.extend(fresh)
        return result
    # What had to wait goes together in one message, so that catching up is no flood.
    singles = room - 1
    result.alone.extend(new[:singles])
    result.together.extend([*waited, *new[singles:]])
    return result


def note_sent(want: Want, *, now: datetime, is_alone: bool) -> None:
    """A message was written for it, by itself or together with others."""
    told = want.told
    if want.kind in (DeliveryKind.OPENED, DeliveryKind.EVENT):
        told.told_at, told.is_told = now, want.kind is DeliveryKind.OPENED
    if want.kind is DeliveryKind.RECOVERED:
        told.is_told = False
    if want.kind is DeliveryKind.REMINDER and told.held_by is HeldBy.REMINDER:
        # Whatever else it was to be looked at for, it is.
        told.held_by = HeldBy.EDIT
    if want.case is not None and want.kind is not DeliveryKind.REMINDER:
        told.updated_at = now if is_alone else None
        told.mark = mark_of(want.case)
        if want.kind is DeliveryKind.UPDATED and not want.case.is_open:
            told.is_told = False


def note_flooded(want: Want, *, now: datetime) -> None:
    """No message was written for it: its channel was told enough."""
    is_edit = want.kind is DeliveryKind.UPDATED
    if want.kind is DeliveryKind.REMINDER or (is_edit and want.told.held_by is HeldBy.REMINDER):
        owe_reminder(want.told, _after_flood(now))
    elif want.case is not None:
        want.told.due_at, want.told.held_by = _after_flood(now), HeldBy.EDIT if is_edit else HeldBy.FLOOD


def _after_flood(now: datetime) -> datetime:
    seconds = int((now + FLOOD_PAUSE).timestamp())
    return datetime.fromtimestamp(seconds + -seconds % _FLOOD_STEP_SECONDS, UTC)


def mark_of(case: Case) -> str:
    """What a message says that may change."""
    return f"{case.happened}:{case.state.value}"


def _follow(told: Told, case: Case) -> None:
    if told.incident_id != case.id:
        # Another incident of the same cause: what was owed of the one before is overtaken.
        told.incident_id, told.is_told, told.updated_at = case.id, False, None
    # Of what came back before its end was told, nothing has to be told again: people know that it is broken.
    told.episode = case.reopened


def _look_again_at(share: Share, case: Case, rule: RuleTerms) -> datetime | None:
    """When more of it can be told than now; None where a rule tells all of it."""
    if share.until is None or not case.is_open:
        return None
    is_spoken_of = speaks_of(rule, case.types, case.about, in_a_row=case.most_in_a_row)
    return share.until if is_spoken_of else None


def _of_open(told: Told, share: Share, rule: RuleTerms, silence: Silence, now: datetime) -> DeliveryKind | None:
    hold: Hold | None
    case = share.case
    if not told.is_told:
        # Who acknowledged it knows.
        is_known = case.state is IncidentState.ACKNOWLEDGED
        if is_known or not speaks_of(rule, case.types, case.about, in_a_row=case.most_in_a_row):
            return None
        hold = what_holds(
            rule, silence, case.type, now=now, muted_until=share.until if share.is_all else None, told_at=told.told_at,
            snoozed_until=case.snoozed_until,
        )  # fmt: skip
        return _unless(hold, told, DeliveryKind.OPENED)
    if told.updated_at is None or share.is_all or told.mark == mark_of(case):
        return None
    until = told.updated_at + EDIT_EVERY
    hold = Hold(HeldBy.EDIT, until) if now < until else None
    return _unless(hold, told, DeliveryKind.UPDATED)


def _of_closed(told: Told, rule: RuleTerms, silence: Silence, case: Case, now: datetime) -> DeliveryKind | None:
    if not told.is_told:
        return None
    if not rule.tells_recovery:
        is_shown = told.updated_at is not None
        told.is_told = is_shown
        return DeliveryKind.UPDATED if is_shown else None
    return _unless(what_holds_recovery(silence, case.type, now=now), told, DeliveryKind.RECOVERED)


def _unless(hold: Hold | None, told: Told, kind: DeliveryKind) -> DeliveryKind | None:
    if hold is None:
        return kind
    told.due_at, told.held_by = hold.until, hold.by
    return None
