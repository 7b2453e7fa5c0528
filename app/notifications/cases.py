"""An incident while signals are applied to it: its things, its timeline, and how it opens, goes on and ends. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.core.ids import new_id
from app.notifications.signals import LONGEST_TEXT, SubjectKind, Trouble
from app.notifications.types import IncidentEntryKind, IncidentState, NotificationType

# Of how many runs and things of an incident the details are kept. All are counted.
MOST_ENTRIES = 100
MOST_THINGS = 50
# When to remind of what is still open, counted from its opening; then every day.
REMINDERS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
THEN_EVERY = timedelta(days=1)


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


def opened(trouble: Trouble) -> Case:
    """The incident that this begins."""
    case = Case(
        new_id(), trouble.organization_id, trouble.cause_key, trouble.type, trouble.title[:300], trouble.at, trouble.at,
        trouble.subject.kind.value, trouble.subject.id, happened=1,
    )  # fmt: skip
    _say(case, trouble)
    case.next_reminder_at = next_reminder(trouble.at, reminders=0, now=trouble.at)
    case.note(_entry(trouble, IncidentEntryKind.OPENED))
    return case


def reopen(case: Case, trouble: Trouble) -> None:
    """Go on with one that recovered a short while ago."""
    case.state, case.closed_at, case.has_recovered = IncidentState.OPEN, None, False
    case.reopened += 1
    # What failed before works since: rules that wait for the n-th failure in a row begin to count anew.
    case.most_in_a_row = 0
    case.acknowledged_by = None
    case.reminders, case.next_reminder_at = 0, next_reminder(trouble.at, reminders=0, now=trouble.at)
    _more(case, trouble, IncidentEntryKind.REOPENED)


def happen(case: Case, trouble: Trouble) -> None:
    """Count what happened once more in one that is open."""
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


def count_in_a_row(case: Case, trouble: Trouble, in_a_row: int) -> None:
    """Note how often it failed in a row, for rules that wait for the n-th time, and of what types it has come to be."""
    is_run, had_runs = (NotificationType.RUN_FAILED in types for types in ({trouble.type}, case.types))
    if is_run and not had_runs:
        # Before, it was a connection that was refused so often.
        case.most_in_a_row = in_a_row
    elif is_run or not had_runs:
        case.most_in_a_row = max(case.most_in_a_row, in_a_row)
    if trouble.type not in case.types:
        case.more_types |= {trouble.type}


def thing_of(trouble: Trouble, in_a_row: int, happened: int) -> Thing:
    """The schedule, job or connection that it concerns, with its share."""
    subject = trouble.subject
    # The tags of a connection are those of what reads through it: a mute of one of them mutes no login of all.
    tags = () if subject.kind is SubjectKind.CONNECTION else trouble.tags
    return Thing(
        subject.kind.value, subject.name[:160], in_a_row, trouble.at, happened=happened, job_id=trouble.job_id,
        run_id=trouble.run_id, service=trouble.service, tags=tags, title=trouble.title[:300],
        words=trouble.text[:LONGEST_TEXT],
    )  # fmt: skip


def _texts(*ids: UUID | None) -> list[str]:
    return [str(one) for one in dict.fromkeys(ids) if one is not None]
