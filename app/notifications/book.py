"""Incidents as they follow from signals: one for each cause, with its count, its things, and one recovery. Pure.

What is in the database is read into a book, signals are applied, and what changed is written back; a preview of
the past begins with an empty one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from app.notifications.cases import Case, close, count_in_a_row, happen, opened, reopen, thing_of
from app.notifications.signals import Relief, Trouble, others_key
from app.notifications.types import NotificationType

# What comes back so soon after it recovered is the same incident: it flaps.
REOPENED_WITHIN = timedelta(hours=1)
# A schedule or job has so many incidents at a time. What fails otherwise each time has one for all other causes.
MOST_CAUSES = 20
# What a run that went well says nothing about.
_NOT_BY_A_RUN = {NotificationType.SCHEDULE_SET_ASIDE}


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
            case = self.cases[place] = opened(trouble)
        elif not case.is_open:
            reopen(case, trouble)
        else:
            happen(case, trouble)
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
        case.things[trouble.subject.id] = thing_of(trouble, in_a_row, 1 if before is None else before.happened + 1)
        case.changed_things.add(trouble.subject.id)
        self._in_trouble[place].add(case.cause_key)
        count_in_a_row(case, trouble, in_a_row)
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


def _close(case: Case, relief: Relief) -> None:
    words = relief.words or "It works again."
    close(case, at=relief.at, has_recovered=relief.has_recovered, words=words)
    case.entries[-1].run_id = relief.run_id


def _comes_back(case: Case, at: datetime) -> bool:
    return case.has_recovered and case.closed_at is not None and at - case.closed_at <= REOPENED_WITHIN
