"""How many messages a rule would have sent of what has happened: the same decisions, played through. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.ids import new_id
from app.notifications.book import Book
from app.notifications.cases import Case, next_reminder
from app.notifications.decisions import (
    MOST_PER_MINUTE,
    Told,
    Want,
    allot,
    consider,
    consider_reminder,
    note_flooded,
    note_sent,
    owe_reminder,
)
from app.notifications.rules import Hold, RuleTerms, Silence
from app.notifications.signals import Relief, Trouble
from app.notifications.types import DeliveryKind

_MINUTE = timedelta(minutes=1)
_MOST_MOMENTS = 20_000


@dataclass(frozen=True)
class Rehearsed:
    """What a rule would have sent to each of its channels, and of how many incidents. Edits are no messages."""

    messages: int
    incidents: int


def rehearse(
    signals: Iterable[Trouble | Relief], rule: RuleTerms, silence: Silence, *, until: datetime
) -> Rehearsed:  # fmt: skip
    """Play signals through, in the order of their times, with one channel."""
    stage = _Stage(rule, silence)
    for at, some in _by_moment(sorted(signals, key=lambda signal: signal.at)):
        stage.wait_until(at)
        stage.play(some, at)
    stage.wait_until(until)
    return Rehearsed(len(stage.sent), len(stage.told_of))


class _Stage:
    def __init__(self, rule: RuleTerms, silence: Silence) -> None:
        self._rule = rule
        self._silence = silence
        self._book = Book()
        self._told: dict[str, Told] = {}
        self._cases: dict[str, Case] = {}
        self._moments = 0
        self.sent: list[datetime] = []
        self.told_of: set[object] = set()

    def play(self, signals: list[Trouble | Relief], at: datetime) -> None:
        for signal in signals:
            self._book.apply(signal)
        changed = sorted(self._book.changed(), key=lambda case: case.is_open)
        self._book.ended.clear()
        self._cases |= {case.cause_key: case for case in changed}
        wants = [consider(self._of(case), case, self._rule, self._silence, now=at) for case in changed]
        for case in changed:
            case.is_changed = False
        self._send([want for want in wants if want is not None], at)

    def wait_until(self, at: datetime) -> None:
        """What was held back, and reminders, as they come."""
        while self._moments < _MOST_MOMENTS and (moment := self._next()) is not None and moment <= at:
            self._moments += 1
            self._send(list(self._due(moment)), moment)

    def _next(self) -> datetime | None:
        held = [told.due_at for told in self._told.values() if told.due_at is not None]
        reminders = [case.next_reminder_at for case in self._cases.values() if case.next_reminder_at is not None]
        return min([*held, *reminders], default=None)

    def _due(self, at: datetime) -> Iterator[Want]:
        for key, told in self._told.items():
            if told.due_at is not None and told.due_at <= at:
                want = consider(told, self._cases[key], self._rule, self._silence, now=at)
                if want is not None:
                    yield want
        for key, case in self._cases.items():
            if case.next_reminder_at is not None and case.next_reminder_at <= at:
                case.reminders += 1
                case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=at)
                found = consider_reminder(self._told[key], case, self._rule, self._silence, now=at)
                if isinstance(found, Hold):
                    owe_reminder(self._told[key], found.until)
                elif found is not None:
                    yield found

    def _of(self, case: Case) -> Told:
        given = Told(self._rule.id, self._rule.id, case.cause_key, case.organization_id, case.id)
        return self._told.setdefault(case.cause_key, given)

    def _send(self, wants: list[Want], at: datetime) -> None:
        lately = sum(moment > at - _MINUTE for moment in self.sent[-MOST_PER_MINUTE:])
        allotted = allot(wants, room=MOST_PER_MINUTE - lately, edits=len(wants))
        for want in allotted.alone:
            note_sent(want, now=at, is_alone=True)
            if want.kind is not DeliveryKind.UPDATED:
                self._count(want, at)
        if allotted.together:
            self.sent.append(at)
        for want in allotted.together:
            note_sent(want, now=at, is_alone=False)
            self.told_of.add(want.case.id if want.case is not None else new_id())
        for want in allotted.later:
            note_flooded(want, now=at)

    def _count(self, want: Want, at: datetime) -> None:
        self.sent.append(at)
        if want.case is not None:
            self.told_of.add(want.case.id)


def _by_moment(signals: list[Trouble | Relief]) -> Iterator[tuple[datetime, list[Trouble | Relief]]]:
    some: list[Trouble | Relief] = []
    for signal in signals:
        if some and signal.at != some[0].at:
            yield some[0].at, some
            some = []
        some.append(signal)
    if some:
        yield some[0].at, some
