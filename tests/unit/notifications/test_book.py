"""Incidents of any sequence of failures and successes, against a plain count."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.notifications.book import MOST_CAUSES, REOPENED_WITHIN, Book
from app.notifications.cases import Case, next_reminder
from app.notifications.signals import Relief, Subject, SubjectKind, Trouble
from app.notifications.types import IncidentEntryKind, NotificationType
from tests.fakes.clock import utc

START = utc("2027-01-05 12:00")
HERE = UUID(int=1)
SCHEDULES = [UUID(int=100 + number) for number in range(3)]


@dataclass(frozen=True)
class Step:
    """A run of a schedule: it fails of a cause, or succeeds, so many minutes after the one before."""

    schedule: int
    cause: str | None
    minutes: int


STEPS = st.lists(
    st.builds(
        Step,
        schedule=st.integers(0, 2),
        cause=st.sampled_from(["a", "b", "shared", None, None]),
        minutes=st.integers(0, 90),
    ),
    max_size=60,
)


def signal_of(step: Step, at: datetime) -> Trouble | Relief:
    schedule_id = SCHEDULES[step.schedule]
    if step.cause is None:
        return Relief(HERE, at, (schedule_id,), run_id=UUID(int=7))
    key = "connection:1:refused" if step.cause == "shared" else f"schedule:{schedule_id}:{step.cause}"
    subject = Subject(SubjectKind.SCHEDULE, schedule_id, f"S{step.schedule}")
    return Trouble(HERE, at, NotificationType.RUN_FAILED, key, subject, "failed", schedule_id=schedule_id)


def told_plainly(steps: list[Step]) -> dict[str, list[list[int]]]:
    """For each cause its incidents: how often it happened, how often it came back, and whether it is open."""
    found: dict[str, list[list[int]]] = defaultdict(list)
    failing: dict[str, set[int]] = defaultdict(set)
    closed_at: dict[str, datetime] = {}
    now = START
    for step in steps:
        now += timedelta(minutes=step.minutes)
        if step.cause is None:
            for key, of in failing.items():
                if step.schedule in of:
                    of.discard(step.schedule)
                    if not of:
                        found[key][-1][2] = 0
                        closed_at[key] = now
            continue
        key = step.cause if step.cause == "shared" else f"{step.cause}{step.schedule}"
        if failing[key]:
            found[key][-1][0] += 1
        elif key in closed_at and now - closed_at[key] <= REOPENED_WITHIN:
            found[key][-1] = [found[key][-1][0] + 1, found[key][-1][1] + 1, 1]
        else:
            found[key].append([1, 0, 1])
        failing[key].add(step.schedule)
    return found


def played(steps: list[Step]) -> list[Case]:
    book, now = Book(), START
    for step in steps:
        now += timedelta(minutes=step.minutes)
        book.apply(signal_of(step, now))
    return list(book.changed())


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_each_cause_has_one_incident_with_the_right_count_and_one_recovery(steps: list[Step]) -> None:
    found: dict[str, list[list[int]]] = defaultdict(list)
    cases = sorted(played(steps), key=lambda case: case.opened_at)
    for case in cases:
        schedule = SCHEDULES.index(case.subject_id)
        key = "shared" if case.cause_key.startswith("connection") else f"{case.cause_key[-1]}{schedule}"
        found[key].append([case.happened, case.reopened, int(case.is_open)])

    assert found == {key: value for key, value in told_plainly(steps).items() if value}


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_each_time_it_is_open_ends_with_one_recovery(steps: list[Step]) -> None:
    for case in played(steps):
        kinds = [entry.kind for entry in case.entries if entry.kind is not IncidentEntryKind.HAPPENED]
        begins = [IncidentEntryKind.OPENED, *[IncidentEntryKind.REOPENED] * case.reopened]

        assert [kind for kind in kinds if kind is not IncidentEntryKind.RECOVERED] == begins
        assert kinds.count(IncidentEntryKind.RECOVERED) == len(begins) - int(case.is_open)
        assert all(one is not other for one, other in pairwise(kinds))


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_failures_in_a_row_are_those_since_the_last_success(steps: list[Step]) -> None:
    in_a_row = [0, 0, 0]
    for step in steps:
        in_a_row[step.schedule] = 0 if step.cause is None else in_a_row[step.schedule] + 1

    failing: dict[UUID, int] = defaultdict(int)
    for case in played(steps):
        for schedule_id, thing in case.things.items():
            if case.is_open and thing.is_in_trouble:
                failing[schedule_id] = max(failing[schedule_id], thing.failures)

    assert [failing[schedule_id] for schedule_id in SCHEDULES] == in_a_row


def test_ever_new_causes_of_one_schedule_are_a_bounded_number_of_incidents() -> None:
    cases = played([Step(0, f"cause {number}", 1) for number in range(1_000)])

    assert len(cases) == MOST_CAUSES + 1
    assert sum(case.happened for case in cases) == 1_000


def test_failures_in_a_row_begin_anew_when_an_incident_comes_back() -> None:
    (case,) = played([*[Step(0, "a", 1)] * 3, Step(0, None, 1), Step(0, "a", 1)])

    assert (case.reopened, case.most_in_a_row) == (1, 1)


def test_a_timeline_is_bounded_and_all_is_counted() -> None:
    (case,) = played([Step(0, "a", 1)] * 5_000)

    assert (case.happened, len(case.entries)) == (5_000, 100)


def test_reminders_come_later_and_later() -> None:
    moments = [next_reminder(START, reminders=number, now=START + timedelta(days=2)) for number in (0, 3, 4)]

    assert moments == [START + timedelta(days=2), START + timedelta(days=3), START + timedelta(days=3)]
