"""Incidents as they follow from signals: one for each cause, with its count, its things, and one recovery. Pure.

What is in the database is read into a book, signals are applied, and what changed is written back; a preview of
the past begins with an empty one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.core.ids import new_id
from app.notifications.signals import LONGEST_TEXT, Relief, SubjectKind, Trouble, others_key
from app.notifications.types import IncidentEntryKind, IncidentState, NotificationType

# What comes back so soon after it recovered is the same incident: it flaps.
REOPENED_WITHIN = timedelta(hours=1)
# Of how many runs and things of an incident the details are kept. All are counted.
MOST_ENTRIES = 100
MOST_THINGS = 50
# A schedule or job has so many incidents at a time. What fails otherwise each time has one for all other causes.
MOST_CAUSES = 20
# When to remind of what is still open, counted from its opening; then every day.
REMINDERS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
THEN_EVERY = timedelta(days=1)
# What a run that went well says nothing about.
_NOT_BY_A_RUN = {NotificationType.SCHEDULE_SET_ASIDE}


@dataclass
class Thing:
    """A schedule, a job or a connection that an incident concerns. `failures` are in a row, whatever their cause.

    The rest is its share of the incident: what it would say were it alone.
    """

    kind: str
    name: str
    failures: int
    last_at: datetime
    is_in_trouble: bool = True
    happened: int = 1
    job_id: UUID | None = None
    run_id: UUID | None = None
    service: str | None = None
    tags: tuple[str, ...] = ()
    title: str = ""
    words: str = ""


@dataclass
class Entry:
    """A line of the timeline."""

    at: datetime
    kind: IncidentEntryKind
    words: str = ""
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    by: str | None = None


@dataclass
class About:
    """What rules go by: schedules, jobs, tags and services. The first fifty of each."""

    schedule_ids: list[str] = field(default_factory=list)
    job_ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)

    def add(self, trouble: Trouble) -> None:
        self.join(
            About(
                _texts(trouble.schedule_id, *trouble.readers.schedule_ids),
                _texts(trouble.job_id, *trouble.readers.job_ids),
                list(trouble.tags),
                [] if trouble.service is None else [trouble.service],
            )
        )

    def join(self, other: "About") -> None:
        """Take in what another one knows."""
        for known, found in (
            (self.schedule_ids, other.schedule_ids),
            (self.job_ids, other.job_ids),
            (self.tags, other.tags),
            (self.services, other.services),
        ):
            known.extend([one for one in found if one not in known][: MOST_THINGS - len(known)])


@dataclass
class Case:
    """One incident while signals are applied to it."""

    id: UUID
    organization_id: UUID
    cause_key: str
    type: NotificationType
    title: str
    opened_at: datetime
    last_at: datetime
    subject_kind: str
    subject_id: UUID
    state: IncidentState = IncidentState.OPEN
    happened: int = 0
    reopened: int = 0
    closed_at: datetime | None = None
    has_recovered: bool = False
    text: str = ""
    # Why it is over.
    ending: str = ""
    error_class: str | None = None
    connection_id: UUID | None = None
    connection_name: str | None = None
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    job_id: UUID | None = None
    acknowledged_by: str | None = None
    snoozed_until: datetime | None = None
    next_reminder_at: datetime | None = None
    reminders: int = 0
    # Of one that is over: how many slots it cost, and how many of them were made up.
    missed_slots: int | None = None
    made_up: int | None = None
    most_in_a_row: int = 1
    about: About = field(default_factory=About)
    # Of what other types it has come to be: runs fail, because a login is refused.
    more_types: frozenset[NotificationType] = frozenset()
    things: dict[UUID, Thing] = field(default_factory=dict)
    # How many other things it has that were not read into the book, and how many of those are in trouble.
    more_things: int = 0
    more_in_trouble: int = 0
    entries: list[Entry] = field(default_factory=list)
    entries_before: int = 0
    is_new: bool = True
    is_changed: bool = True
    changed_things: set[UUID] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        return self.state is not IncidentState.CLOSED

    @property
    def types(self) -> frozenset[NotificationType]:
        return self.more_types | {self.type}

    @property
    def thing_count(self) -> int:
        return len(self.things) + self.more_things

    @property
    def is_in_trouble(self) -> bool:
        return self.more_in_trouble > 0 or any(thing.is_in_trouble for thing in self.things.values())

    def note(self, entry: Entry) -> None:
        if entry.kind is not IncidentEntryKind.HAPPENED or self.entries_before + len(self.entries) < MOST_ENTRIES:
            self.entries.append(entry)


class Book:
    """The incidents that signals may concern, by organization and cause."""

    def __init__(self, cases: Iterable[Case] = ()) -> None:
        self.cases: dict[tuple[UUID, str], Case] = {}
        self.ended: list[Case] = []
        self._in_trouble: dict[tuple[UUID, UUID], set[str]] = defaultdict(set)
        for case in cases:
            self._keep(case)

    def apply(self, signal: Trouble | Relief) -> None:
        """Take one signal in. Signals come in the order in which they were appended."""
        if isinstance(signal, Trouble):
            self._add(signal)
        else:
            self._relieve(signal)

    def changed(self) -> Iterator[Case]:
        """The incidents that are other than they were read."""
        yield from (case for case in [*self.ended, *self.cases.values()] if case.is_changed)

    def _keep(self, case: Case) -> None:
        self.cases[case.organization_id, case.cause_key] = case
        if case.is_open:
            for subject_id, thing in case.things.items():
                if thing.is_in_trouble:
                    self._in_trouble[case.organization_id, subject_id].add(case.cause_key)

    def _add(self, trouble: Trouble) -> None:
        trouble = self._gathered(trouble)
        place = trouble.organization_id, trouble.cause_key
        case = self.cases.get(place)
        if case is not None and not case.is_open and not _comes_back(case, trouble.at):
            self.ended.append(self.cases.pop(place))
            case = None
        if case is None:
            case = self.cases[place] = _opened(trouble)
        elif not case.is_open:
            _reopen(case, trouble)
        else:
            _happen(case, trouble)
        self._count(case, trouble)

    def _gathered(self, trouble: Trouble) -> Trouble:
        mine = f"{trouble.subject.kind.value}:{trouble.subject.id}:"
        case = self.cases.get((trouble.organization_id, trouble.cause_key))
        is_known = case is not None and case.is_open
        if trouble.type is not NotificationType.RUN_FAILED or is_known or not trouble.cause_key.startswith(mine):
            return trouble
        causes = self._in_trouble.get((trouble.organization_id, trouble.subject.id), ())
        return trouble if len(causes) < MOST_CAUSES else replace(trouble, cause_key=others_key(trouble.subject))

    def _count(self, case: Case, trouble: Trouble) -> None:
        place = trouble.organization_id, trouble.subject.id
        in_a_row = 1 + max((self._failures(trouble, key) for key in self._in_trouble[place]), default=0)
        before = case.things.get(trouble.subject.id)
        case.things[trouble.subject.id] = _thing(trouble, in_a_row, 1 if before is None else before.happened + 1)
        case.changed_things.add(trouble.subject.id)
        self._in_trouble[place].add(case.cause_key)
        _count_in_a_row(case, trouble, in_a_row)
        case.about.add(trouble)

    def _failures(self, trouble: Trouble, key: str) -> int:
        case = self.cases.get((trouble.organization_id, key))
        # Only what fails counts as a failure: a run that was late before is none.
        if case is None or trouble.type not in case.types or trouble.subject.id not in case.things:
            return 0
        return case.things[trouble.subject.id].failures

    def _relieve(self, relief: Relief) -> None:
        for key in relief.cause_keys:
            case = self.cases.get((relief.organization_id, key))
            if case is not None and case.is_open:
                for subject_id in list(case.things):
                    self._calm(case, subject_id)
                case.more_in_trouble = 0
                _close(case, relief)
        for subject_id in relief.subject_ids:
            for key in list(self._in_trouble.get((relief.organization_id, subject_id), ())):
                case = self.cases[relief.organization_id, key]
                if relief.run_id is not None and case.type in _NOT_BY_A_RUN:
                    continue
                if relief.only and case.type not in relief.only:
                    continue
                self._calm(case, subject_id)
                if not case.is_in_trouble:
                    _close(case, relief)

    def _calm(self, case: Case, subject_id: UUID) -> None:
        thing = case.things[subject_id]
        thing.is_in_trouble, thing.failures = False, 0
        case.changed_things.add(subject_id)
        case.is_changed = True
        self._in_trouble[case.organization_id, subject_id].discard(case.cause_key)


def next_reminder(opened_at: datetime, *, reminders: int, now: datetime) -> datetime:
    """When to remind of what is open since then, after so many reminders."""
    if reminders < len(REMINDERS):
        return max(opened_at + REMINDERS[reminders], now)
    return now + THEN_EVERY


def close(case: Case, *, at: datetime, has_recovered: bool, words: str, by: str | None = None) -> None:
    """End an incident, recovered or not."""
    case.state, case.closed_at, case.has_recovered = IncidentState.CLOSED, max(at, case.opened_at), has_recovered
    case.next_reminder_at, case.ending = None, words
    case.is_changed = True
    case.note(Entry(at, IncidentEntryKind.RECOVERED if has_recovered else IncidentEntryKind.CLOSED, words, by=by))


def _close(case: Case, relief: Relief) -> None:
    words = relief.words or "It works again."
    close(case, at=relief.at, has_recovered=relief.has_recovered, words=words)
    case.entries[-1].run_id = relief.run_id


def _count_in_a_row(case: Case, trouble: Trouble, in_a_row: int) -> None:
    is_run, had_runs = (NotificationType.RUN_FAILED in types for types in ({trouble.type}, case.types))
    if is_run and not had_runs:
        # Before, it was a connection that was refused so often.
        case.most_in_a_row = in_a_row
    elif is_run or not had_runs:
        case.most_in_a_row = max(case.most_in_a_row, in_a_row)
    if trouble.type not in case.types:
        case.more_types |= {trouble.type}


def _texts(*ids: UUID | None) -> list[str]:
    return [str(one) for one in dict.fromkeys(ids) if one is not None]


def _comes_back(case: Case, at: datetime) -> bool:
    return case.has_recovered and case.closed_at is not None and at - case.closed_at <= REOPENED_WITHIN


def _thing(trouble: Trouble, in_a_row: int, happened: int) -> Thing:
    subject = trouble.subject
    # The tags of a connection are those of what reads through it: a mute of one of them mutes no login of all.
    tags = () if subject.kind is SubjectKind.CONNECTION else trouble.tags
    return Thing(
        subject.kind.value, subject.name[:160], in_a_row, trouble.at, happened=happened, job_id=trouble.job_id,
        run_id=trouble.run_id, service=trouble.service, tags=tags, title=trouble.title[:300],
        words=trouble.text[:LONGEST_TEXT],
    )  # fmt: skip


def _opened(trouble: Trouble) -> Case:
    case = Case(
        new_id(), trouble.organization_id, trouble.cause_key, trouble.type, trouble.title[:300], trouble.at, trouble.at,
        trouble.subject.kind.value, trouble.subject.id, happened=1,
    )  # fmt: skip
    _say(case, trouble)
    case.next_reminder_at = next_reminder(trouble.at, reminders=0, now=trouble.at)
    case.note(_entry(trouble, IncidentEntryKind.OPENED))
    return case


def _reopen(case: Case, trouble: Trouble) -> None:
    case.state, case.closed_at, case.has_recovered = IncidentState.OPEN, None, False
    case.reopened += 1
    # What failed before works since: rules that wait for the n-th failure in a row begin to count anew.
    case.most_in_a_row = 0
    case.acknowledged_by = None
    case.reminders, case.next_reminder_at = 0, next_reminder(trouble.at, reminders=0, now=trouble.at)
    _more(case, trouble, IncidentEntryKind.REOPENED)


def _happen(case: Case, trouble: Trouble) -> None:
    _more(case, trouble, IncidentEntryKind.HAPPENED)
    if trouble.is_worse:
        case.title, case.next_reminder_at = trouble.title[:300], trouble.at


def _more(case: Case, trouble: Trouble, kind: IncidentEntryKind) -> None:
    case.happened += 1
    case.last_at = max(case.last_at, trouble.at)
    case.is_changed = True
    _say(case, trouble)
    case.note(_entry(trouble, kind))


def _say(case: Case, trouble: Trouble) -> None:
    case.text = trouble.text or case.text
    case.error_class = trouble.error_class or case.error_class
    case.connection_id = trouble.connection_id or case.connection_id
    case.connection_name = trouble.connection_name or case.connection_name
    case.run_id = trouble.run_id or case.run_id
    case.schedule_id = trouble.schedule_id or case.schedule_id
    case.job_id = trouble.job_id or case.job_id


def _entry(trouble: Trouble, kind: IncidentEntryKind) -> Entry:
    return Entry(trouble.at, kind, (trouble.text or trouble.title)[:500], trouble.run_id, trouble.schedule_id)
