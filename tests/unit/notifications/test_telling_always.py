"""Any sequence of failures, good runs, mutes, snoozes and acknowledgements, against what must always hold."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.notifications.book import Book, Case, next_reminder
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
from app.notifications.rules import HeldBy, Hold, RuleTerms, Silence, Window, is_about
from app.notifications.signals import Relief, Subject, SubjectKind, Trouble
from app.notifications.types import DEFAULT_TYPES, DeliveryKind, IncidentState, NotificationType, ScopeKind
from app.notifications.wording import Whose, facts_of
from tests.fakes.clock import utc

START = utc("2027-01-05 12:00")
HERE = UUID(int=1)
SCHEDULES = [UUID(int=100 + number) for number in range(4)]
MINUTE = timedelta(minutes=1)
STEPS = 120
LONGEST = timedelta(days=8)


@dataclass
class Message:
    """What a channel got: of which incident, which time that it opened, and which schedules it may have named."""

    kind: DeliveryKind
    at: datetime
    place: tuple[UUID, int]
    said: str
    muted: set[int]


@dataclass
class Stage:
    """One rule and one channel, told as the teller tells, on a clock of its own."""

    chance: random.Random
    now: datetime = START
    book: Book = field(default_factory=Book)
    cases: dict[UUID, Case] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)
    rule: RuleTerms = field(
        default_factory=lambda: RuleTerms(
            UUID(int=2), HERE, DEFAULT_TYPES, ScopeKind.ORGANIZATION, None, 1, True, timedelta(hours=1), ()
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
        self.pass_time(LONGEST)

    def step(self) -> None:
        schedule = self.chance.randrange(len(SCHEDULES))
        open_cases = [case for case in self.cases.values() if case.is_open]
        deed = self.chance.choice("fffffffsssssmmuoazrx")
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
        self.send([self.consider(case) for case in cases])

    def look_at(self, case: Case) -> None:
        """As the command does: what was told is brought up to date, and what is held is thought over."""
        told = self.told.get(case.cause_key)
        if told is not None and told.incident_id == case.id and (told.is_told or told.due_at is not None):
            told.due_at = self.now

    def think_over(self) -> None:
        for told in self.told.values():
            if told.due_at is not None and told.held_by not in (HeldBy.FLOOD, HeldBy.EDIT, None):
                told.due_at = self.now

    def consider(self, case: Case) -> Want | None:
        given = Told(self.rule.id, self.rule.id, case.cause_key, HERE, case.id)
        told = self.told.setdefault(case.cause_key, given)
        return consider(told, case, self.rule, self.silence, now=self.now)

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
        due = [told.due_at for told in self.told.values() if told.due_at is not None]
        due += [case.next_reminder_at for case in self.cases.values() if case.next_reminder_at is not None]
        return min(due, default=None)

    def look_again(self) -> None:
        by_id = self.cases
        due = [told for told in self.told.values() if told.due_at is not None and told.due_at <= self.now]
        wants = [consider(told, by_id[told.incident_id], self.rule, self.silence, now=self.now) for told in due]
        for case in by_id.values():
            if case.next_reminder_at is None or case.next_reminder_at > self.now:
                continue
            case.reminders += 1
            case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=self.now)
            told = self.told[case.cause_key]
            found = consider_reminder(told, case, self.rule, self.silence, now=self.now)
            if isinstance(found, Hold):
                owe_reminder(told, found.until)
            else:
                wants.append(found)
        self.send(wants)

    def send(self, found: list[Want | None]) -> None:
        wants = {want.key.partition(":reminder")[0]: want for want in found if want is not None}
        lately = [one for one in self.messages if one.at > self.now - MINUTE]
        room = 5 - sum(one.kind is not DeliveryKind.UPDATED for one in lately)
        allotted = allot(list(wants.values()), room=room, edits=5)
        for want in (*allotted.alone, *allotted.together):
            assert want.case is not None
            facts = facts_of(want, Whose("Here", "UTC"))
            said = str(facts.as_json())
            place = want.case.id, want.case.reopened
            self.messages.append(Message(want.kind, self.now, place, said, self.muted_now()))
            note_sent(want, now=self.now, is_alone=want in allotted.alone)
        for want in allotted.later:
            note_flooded(want, now=self.now)

    def muted_now(self) -> set[int]:
        going = [one for one in self.windows if one.starts_at <= self.now < one.ends_at]
        named = {one.scope_value for one in going if one.scope_kind is ScopeKind.SCHEDULE}
        return {number for number, id_ in enumerate(SCHEDULES) if str(id_) in named}


def played(seed: int) -> Stage:
    """Every third with a rule that is about one schedule."""
    stage = Stage(random.Random(seed))
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
    assert [case for case in spoken_of(stage) if not stage.told[case.cause_key].is_told] == []


def test_each_time_that_was_told_ends_once(stage: Stage) -> None:
    for case in stage.cases.values():
        kinds = [one.kind for one in stage.messages if one.place[0] == case.id]
        opened, ended = kinds.count(DeliveryKind.OPENED), kinds.count(DeliveryKind.RECOVERED)
        assert opened - ended == int(case.is_open and stage.told[case.cause_key].is_told), case.title


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
