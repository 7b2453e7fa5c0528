"""Any sequence of failures, good runs, mutes, snoozes and acknowledgements, against what must always hold.

The channel of the rule and the one that stands in for it break and are mended meanwhile.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.notifications.book import Book
from app.notifications.cases import Case, next_reminder
from app.notifications.decisions import (
    Told,
    Want,
    allot,
    consider,
    consider_reminder,
    note_flooded,
    note_sent,
    owe_reminder,
)
from app.notifications.listeners import Channels, Listener
from app.notifications.rules import HeldBy, Hold, RuleTerms, Silence, Window, is_about
from app.notifications.signals import Relief, Subject, SubjectKind, Trouble
from app.notifications.types import (
    DEFAULT_TYPES,
    ChannelState,
    DeliveryKind,
    IncidentState,
    NotificationType,
    ScopeKind,
)
from app.notifications.wording import Whose, facts_of
from tests.fakes.clock import utc

START = utc("2027-01-05 12:00")
HERE = UUID(int=1)
SCHEDULES = [UUID(int=100 + number) for number in range(4)]
MINUTE = timedelta(minutes=1)
DATA, OPS = UUID(int=3), UUID(int=4)
STEPS = 120
LONGEST = timedelta(days=8)


@dataclass
class Message:
    """What a channel got: of which incident, which time that it opened, and which schedules it may have named.

    It was meant for those that `heard` it.
    """

    kind: DeliveryKind
    at: datetime
    place: tuple[UUID, int]
    said: str
    muted: set[int]
    by: UUID = DATA
    heard: frozenset[UUID] = frozenset()


@dataclass
class Stage:
    """One rule with one channel, and one that stands in for it, told as the teller tells, on a clock of its own."""

    chance: random.Random
    # What happens to channels besides.
    breaking: str = ""
    now: datetime = START
    book: Book = field(default_factory=Book)
    cases: dict[UUID, Case] = field(default_factory=dict)
    told: dict[str, dict[UUID, Told]] = field(default_factory=dict)
    broken: set[UUID] = field(default_factory=set)
    windows: list[Window] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)
    rule: RuleTerms = field(
        default_factory=lambda: RuleTerms(
            UUID(int=2), HERE, DEFAULT_TYPES, ScopeKind.ORGANIZATION, None, 1, True, timedelta(hours=1), (DATA,)
        )
    )

    def play(self) -> None:
        """Many things happen; then everything that people have settled ends."""
        for _ in range(STEPS):
            self.step()
            self.pass_time(timedelta(seconds=self.chance.choice([1, 30, 120, 900, 4_000, 20_000])))
        for case in self.cases.values():
            if case.state is IncidentState.ACKNOWLEDGED:
                self.unacknowledge(case)
        self.broken.discard(OPS)
        self.pass_time(LONGEST)

    def step(self) -> None:
        schedule = self.chance.randrange(len(SCHEDULES))
        open_cases = [case for case in self.cases.values() if case.is_open]
        deed = self.chance.choice("fffffffsssssmmuoazrx" + self.breaking)
        if deed == "f":
            self.fail(schedule, self.chance.choice(["a", "b", "shared", "shared"]))
        elif deed == "s":
            self.apply([Relief(HERE, self.now, (SCHEDULES[schedule],), run_id=UUID(int=7))])
        elif deed == "m":
            minutes = self.chance.choice([5, 300, 3_000])
            self.mute(ScopeKind.SCHEDULE, str(SCHEDULES[schedule]), minutes)
        elif deed == "o":
            self.mute(self.chance.choice([ScopeKind.ORGANIZATION, ScopeKind.TAG]), "odd", 60)
        elif deed == "u":
            self.windows = [one for one in self.windows if one.scope_kind is not ScopeKind.SCHEDULE]
            self.think_over()
        elif deed == "r":
            until = self.now + timedelta(hours=self.chance.choice([1, 30]))
            self.rule = replace(self.rule, snoozed_until=until)
        elif deed in "dp":
            self.broken ^= {DATA if deed == "d" else OPS}
        elif deed == "x":
            for each in range(len(SCHEDULES)):
                self.fail(each, f"flood {self.chance.random()}")
                self.fail(each, f"flood {self.chance.random()}")
        elif open_cases:
            case = self.chance.choice(open_cases)
            if deed == "z":
                case.snoozed_until = self.now + timedelta(hours=self.chance.choice([1, 40]))
                self.look_at(case)
            elif case.state is IncidentState.OPEN:
                case.state, case.acknowledged_by, case.next_reminder_at = IncidentState.ACKNOWLEDGED, "Ana", None
                self.look_at(case)
            else:
                self.unacknowledge(case)

    def unacknowledge(self, case: Case) -> None:
        case.state, case.acknowledged_by = IncidentState.OPEN, None
        later = self.now + timedelta(hours=1)
        case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=later)
        self.tell([case])

    def fail(self, schedule: int, cause: str) -> None:
        id_ = SCHEDULES[schedule]
        key = "connection:1:server" if cause == "shared" else f"schedule:{id_}:{cause}"
        subject = Subject(SubjectKind.SCHEDULE, id_, f"S{schedule}.")
        tags = ("odd",) if schedule % 2 else ()
        self.apply(
            [
                Trouble(
                    HERE, self.now, NotificationType.RUN_FAILED, key, subject, f"S{schedule}. failed",
                    f"S{schedule}. broke", schedule_id=id_, tags=tags, run_id=id_,
                )
            ]
        )  # fmt: skip

    def mute(self, kind: ScopeKind, value: str, minutes: int) -> None:
        self.windows.append(Window(self.now, self.now + minutes * MINUTE, kind, value))

    def apply(self, signals: list[Trouble | Relief]) -> None:
        for signal in signals:
            if isinstance(signal, Trouble):
                self.happened[signal.cause_key] = self.happened.get(signal.cause_key, 0) + 1
            self.book.apply(signal)
        changed = sorted(self.book.changed(), key=lambda case: case.is_open)
        self.book.ended.clear()
        self.cases |= {case.id: case for case in changed}
        self.tell(changed)
        for case in changed:
            case.is_changed = False

    def tell(self, cases: list[Case]) -> None:
        self.send([want for case in cases for want in self.consider(case)])

    def look_at(self, case: Case) -> None:
        """As the command does: what was told is brought up to date, and what is held is thought over."""
        for told in self.told.get(case.cause_key, {}).values():
            if told.incident_id == case.id and (told.is_told or told.due_at is not None):
                told.due_at = self.now

    def think_over(self) -> None:
        for told in self.tellings():
            if told.due_at is not None and told.held_by not in (HeldBy.FLOOD, HeldBy.EDIT, None):
                told.due_at = self.now

    def tellings(self) -> list[Told]:
        return [told for here in self.told.values() for told in here.values()]

    def consider(self, case: Case) -> list[Want | None]:
        return [self.consider_for(listener, case) for listener in self.listeners(case)]

    def consider_for(self, listener: Listener, case: Case) -> Want | None:
        can_edit = listener.is_itself
        return listener.want(consider(listener.told, case, self.rule, self.silence, now=self.now, can_edit=can_edit))

    def consider_due(self, told: Told) -> list[Want | None]:
        case = self.cases[told.incident_id]
        listeners = self.listeners(case)
        mine = [one for one in listeners if one.told is told]
        if not mine:
            told.due_at, told.held_by = None, None
        others = [one for one in listeners if not one.told.is_told]
        return [self.consider_for(one, case) for one in mine or others]

    def listeners(self, case: Case) -> list[Listener]:
        known = self.told.setdefault(case.cause_key, {})

        def make(channel_id: UUID) -> Told:
            return known.setdefault(channel_id, Told(self.rule.id, channel_id, case.cause_key, HERE, case.id))

        return self.channels.listeners(self.rule.channel_ids, case, known, make)

    @property
    def channels(self) -> Channels:
        states = {one: ChannelState.BROKEN if one in self.broken else ChannelState.ON for one in (DATA, OPS)}
        used = [one for one in (OPS, DATA) if one not in self.broken]
        return Channels(states, tuple(used[:1]))

    def hears(self, case: Case) -> bool:
        """Whether somebody was told of it, and not yet that it is over."""
        return any(told.is_told and told.incident_id == case.id for told in self.told[case.cause_key].values())

    @property
    def silence(self) -> Silence:
        return Silence(windows=tuple(self.windows))

    def pass_time(self, long: timedelta) -> None:
        """The teller looks at what is due as it becomes due."""
        end = self.now + long
        while (moment := self.next_moment()) is not None and moment <= end:
            self.now = max(self.now, moment)
            self.look_again()
        self.now = end

    def next_moment(self) -> datetime | None:
        due = [told.due_at for told in self.tellings() if told.due_at is not None]
        due += [case.next_reminder_at for case in self.cases.values() if case.next_reminder_at is not None]
        return min(due, default=None)

    def look_again(self) -> None:
        by_id = self.cases
        due = [told for told in self.tellings() if told.due_at is not None and told.due_at <= self.now]
        wants = [want for told in due for want in self.consider_due(told)]
        for case in by_id.values():
            if case.next_reminder_at is None or case.next_reminder_at > self.now:
                continue
            case.reminders += 1
            case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=self.now)
            for one in self.listeners(case):
                found = consider_reminder(one.told, case, self.rule, self.silence, now=self.now)
                if isinstance(found, Hold):
                    owe_reminder(one.told, found.until)
                else:
                    wants.append(one.want(found))
        self.send(wants)

    def send(self, found: list[Want | None]) -> None:
        for channel_id in (DATA, OPS):
            self.send_by(channel_id, [want for want in found if want is not None and want.channel_id == channel_id])

    def send_by(self, channel_id: UUID, found: list[Want]) -> None:
        same: dict[str, list[Want]] = {}
        for want in found:
            same.setdefault(want.key.partition(":reminder")[0], []).append(want)
        wants = {id(some[-1]): some for some in same.values()}
        lately = [one for one in self.messages if one.at > self.now - MINUTE and one.by == channel_id]
        room = 5 - sum(one.kind is not DeliveryKind.UPDATED for one in lately)
        allotted = allot([some[-1] for some in wants.values()], room=room, edits=5)
        for want in (*allotted.alone, *allotted.together):
            assert want.case is not None
            facts = facts_of(want, Whose("Here", "UTC"))
            said = str(facts.as_json())
            place = want.case.id, want.case.reopened
            heard = frozenset(one.told.channel_id for one in wants[id(want)])
            self.messages.append(Message(want.kind, self.now, place, said, self.muted_now(), channel_id, heard))
            for one in wants[id(want)]:
                note_sent(one, now=self.now, is_alone=want in allotted.alone)
        for want in allotted.later:
            for one in wants[id(want)]:
                note_flooded(one, now=self.now)

    def muted_now(self) -> set[int]:
        going = [one for one in self.windows if one.starts_at <= self.now < one.ends_at]
        named = {one.scope_value for one in going if one.scope_kind is ScopeKind.SCHEDULE}
        return {number for number, id_ in enumerate(SCHEDULES) if str(id_) in named}


def played(seed: int) -> Stage:
    """Every third with a rule that is about one schedule, and two of three with channels that break."""
    stage = Stage(random.Random(seed), breaking="ddp" * (seed % 9 // 3))
    if seed % 3 == 0:
        stage.rule = replace(stage.rule, scope_kind=ScopeKind.SCHEDULE, scope_value=str(SCHEDULES[1]))
    stage.play()
    return stage


@pytest.fixture(params=range(45))
def stage(request: pytest.FixtureRequest) -> Stage:
    return played(request.param)


def spoken_of(stage: Stage) -> list[Case]:
    """The incidents that are open, and of which the rule tells."""
    rule = stage.rule
    return [
        case
        for case in stage.cases.values()
        if case.is_open and is_about(rule.scope_kind, rule.scope_value, case.about)
    ]


def test_nothing_is_held_for_ever(stage: Stage) -> None:
    assert [case for case in spoken_of(stage) if not stage.hears(case)] == []


def test_each_time_that_was_told_ends_once(stage: Stage) -> None:
    """For whoever was told, by whichever channel."""
    for case in stage.cases.values():
        of_it = [one for one in stage.messages if one.place[0] == case.id]
        opened, ended = (
            Counter(channel_id for one in of_it if one.kind is kind for channel_id in one.heard)
            for kind in (DeliveryKind.OPENED, DeliveryKind.RECOVERED)
        )
        for channel_id in (DATA, OPS):
            told = stage.told[case.cause_key].get(channel_id)
            hears = told is not None and told.is_told and told.incident_id == case.id and case.is_open
            assert opened[channel_id] - ended[channel_id] == int(hears), case.title


def test_a_channel_tells_each_thing_once(stage: Stage) -> None:
    for kind in (DeliveryKind.OPENED, DeliveryKind.RECOVERED):
        told = Counter((one.by, one.place) for one in stage.messages if one.kind is kind)
        assert [place for place, times in told.items() if times > 1] == []


def test_only_who_has_the_first_message_writes_over_it(stage: Stage) -> None:
    for one in stage.messages:
        if one.kind is DeliveryKind.UPDATED:
            assert one.heard == {one.by}


def test_a_cause_has_one_incident_and_all_that_happened_is_counted(stage: Stage) -> None:
    keys = [case.cause_key for case in stage.cases.values() if case.is_open]

    assert len(keys) == len(set(keys))
    assert sum(case.happened for case in stage.cases.values()) == sum(stage.happened.values())


def test_what_is_muted_is_not_named(stage: Stage) -> None:
    for one in stage.messages:
        if one.kind in (DeliveryKind.OPENED, DeliveryKind.REMINDER):
            assert not [number for number in one.muted if f"S{number}." in one.said], one


def test_what_is_open_is_reminded_of_every_day(stage: Stage) -> None:
    since = stage.now - timedelta(days=2)
    for case in spoken_of(stage):
        of_it = [one for one in stage.messages if one.place[0] == case.id and one.at > since]
        assert [one for one in of_it if one.kind is DeliveryKind.REMINDER], case.title
