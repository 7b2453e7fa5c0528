"""Writes the deliveries that rules want, in the transaction that changed the incidents. Works as ENGINE."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.notifications.around import read_around
from app.notifications.cases import Case, next_reminder
from app.notifications.decisions import (
    Told,
    Want,
    allot,
    consider,
    consider_news,
    consider_reminder,
    news_key,
    note_flooded,
    note_sent,
    owe_reminder,
)
from app.notifications.houses import House, Rooms, read_houses, read_rooms
from app.notifications.incident_models import IncidentEntry
from app.notifications.listeners import Listener
from app.notifications.models import Delivery, Telling
from app.notifications.rules import HELD_WORDS, HeldBy, Hold, RuleTerms
from app.notifications.shelf import read_cases, read_things
from app.notifications.signals import News
from app.notifications.tellings import told_of, write_told
from app.notifications.types import UNCHOSEN, ChannelState, DeliveryKind, DeliveryState, IncidentEntryKind
from app.notifications.wording import NOTHING_AROUND, digest_of, facts_of

Item = TypeVar("Item")
_AT_ONCE = 400


class Filling:
    """One pass over changed incidents, news and what was due. Nothing is written before `write`."""

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session = session
        self._now = now
        self._houses: dict[UUID, House] = {}
        self._looked: set[UUID] = set()
        # What each rule told of each cause, by channel.
        self._told: dict[tuple[UUID, str], dict[UUID, Told]] = defaultdict(dict)
        self._wants: list[Want] = []
        # Of each message those that other rules want for the same channel, and what is held anew.
        self._same: dict[int, list[Want]] = defaultdict(list)
        self._held: dict[tuple[UUID, HeldBy, datetime], Case] = {}

    def add_cases(self, cases: Sequence[Case]) -> None:
        """What rules want to tell of incidents that have changed."""
        self._read_houses({case.organization_id for case in cases})
        # Of a channel that is broken the one that stands in for it was told where it broke.
        told_of = [case for case in cases if case.organization_id in self._houses and case.type not in UNCHOSEN]
        self._read_told({(case.organization_id, case.cause_key) for case in told_of})
        self._read_shares(told_of)
        for case in told_of:
            house = self._houses[case.organization_id]
            for rule in house.rules:
                for listener in self._listeners(rule, case, house):
                    self._consider(listener, case, rule, house)

    def add_news(self, news: Sequence[News]) -> None:
        """What rules want to tell of news."""
        self._read_houses({one.organization_id for one in news})
        asked = [one for one in news if one.organization_id in self._houses and self._is_wanted(one)]
        self._read_told({(one.organization_id, news_key(one)) for one in asked})
        for one in asked:
            house = self._houses[one.organization_id]
            for rule in house.rules:
                for channel_id in house.channels_of(rule.channel_ids):
                    told = self._place(rule, channel_id, news_key(one), one.organization_id, one.subject.id)
                    self._want(consider_news(told, one, rule, house.silence, now=self._now))

    def add_due(self, tellings: Sequence[Telling]) -> None:
        """What was held back, and may be told now."""
        known = {told.incident_id: None for told in tellings}
        cases = {case.id: case for case in read_cases(self._session, list(known))}
        self._read_houses({row.organization_id for row in tellings})
        self._read_shares(list(cases.values()))
        # Where a channel is broken or only stood in, what others were told counts as well.
        self._read_told({(row.organization_id, row.cause_key) for row in tellings if not self._is_plain(row)})
        for row in tellings:
            told = self._told[row.rule_id, row.cause_key].setdefault(row.channel_id, told_of(row))
            house, case = self._houses.get(row.organization_id), cases.get(row.incident_id)
            rule = None if house is None else house.rule(row.rule_id)
            if house is None or case is None or rule is None:
                # Its rule is there no more, or off.
                told.due_at, told.held_by = None, None
            elif self._is_plain(row):
                self._consider(Listener(told, told.channel_id), case, rule, house)
            else:
                self._consider_anew(told, case, rule, house)

    def add_reminders(self, cases: Sequence[Case]) -> None:
        """Reminders that are due. Each case gets the time of its next one."""
        self._read_houses({case.organization_id for case in cases})
        self._read_told({(case.organization_id, case.cause_key) for case in cases})
        self._read_shares(cases)
        for case in cases:
            case.reminders += 1
            case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=self._now)
            case.is_changed = True
            house = self._houses.get(case.organization_id)
            if house is not None:
                self._remind(case, house)

    def write(self) -> int:
        """Write deliveries, and what was told. Returns how many messages."""
        rooms = read_rooms(self._session, {want.channel_id for want in self._wants}, now=self._now)
        rows = [row for channel_id, wants in self._by_channel().items() for row in self._rows(channel_id, wants, rooms)]
        for some in _pieces(rows):
            self._session.execute(_insert(self._session, Delivery).on_conflict_do_nothing(), some)
        write_told(self._session, [one for here in self._told.values() for one in here.values()], now=self._now)
        self._write_held()
        return len(rows)

    def _remind(self, case: Case, house: House) -> None:
        for rule in house.rules:
            for listener in self._listeners(rule, case, house):
                found = consider_reminder(listener.told, case, rule, house.silence, now=self._now)
                if isinstance(found, Hold):
                    owe_reminder(listener.told, found.until)
                else:
                    self._want_by(listener, found, rule, house)

    def _listeners(self, rule: RuleTerms, case: Case, house: House) -> list[Listener]:
        known = self._told[rule.id, case.cause_key]

        def make(channel_id: UUID) -> Told:
            return self._place(rule, channel_id, case.cause_key, case.organization_id, case.id)

        return house.channels.listeners(rule.channel_ids, case, known, make)

    def _is_plain(self, row: Telling) -> bool:
        """Whether a channel that works was told for itself."""
        house = self._houses.get(row.organization_id)
        rule = None if house is None else house.rule(row.rule_id)
        if house is None or rule is None:
            return True
        return row.channel_id in rule.channel_ids and house.channels.states.get(row.channel_id) is ChannelState.ON

    def _consider_anew(self, told: Told, case: Case, rule: RuleTerms, house: House) -> None:
        """What was held for a channel that broke since then, or that stands in no more, is owed to others."""
        listeners = self._listeners(rule, case, house)
        mine = [one for one in listeners if one.told is told]
        if not mine:
            # Or its channel is there no more, or off.
            told.due_at, told.held_by = None, None
        for one in mine or [one for one in listeners if not one.told.is_told]:
            self._consider(one, case, rule, house)

    def _read_shares(self, cases: Sequence[Case]) -> None:
        """Where some things are muted, all of each incident have to be known."""
        houses = self._houses
        parts = {id_ for id_, house in houses.items() if house.silence.of_parts(self._now)}
        read_things(self._session, [case for case in cases if case.organization_id in parts and case.is_open])

    def _consider(self, listener: Listener, case: Case, rule: RuleTerms, house: House) -> None:
        told = listener.told
        before = told.held_by, told.due_at
        want = consider(told, case, rule, house.silence, now=self._now, can_edit=listener.is_itself)
        self._want_by(listener, want, rule, house)
        by, until = told.held_by, told.due_at
        is_held = want is None and not told.is_told and (by, until) != before
        if is_held and until is not None and by in HELD_WORDS:
            self._held[case.id, by, until] = case

    def _want_by(self, listener: Listener, want: Want | None, rule: RuleTerms, house: House) -> None:
        spoken = listener.want(want)
        names = house.told_for(listener, rule)
        self._want(replace(spoken, instead_of=names) if spoken is not None and names else spoken)

    def _want(self, want: Want | None) -> None:
        if want is not None:
            self._wants.append(want)

    def _is_wanted(self, news: News) -> bool:
        return any(news.type in rule.types for rule in self._houses[news.organization_id].rules)

    def _read_houses(self, organization_ids: Collection[UUID]) -> None:
        new = set(organization_ids) - self._looked
        if new:
            self._houses |= read_houses(self._session, new, now=self._now)
            self._looked |= new

    def _read_told(self, places: Collection[tuple[UUID, str]]) -> None:
        for some in _pieces(sorted(places)):
            which = tuple_(Telling.organization_id, Telling.cause_key).in_(some)
            query = select(Telling).where(which).with_for_update()
            for row in self._session.scalars(query, execution_options={"populate_existing": True}):
                self._told[row.rule_id, row.cause_key].setdefault(row.channel_id, told_of(row))

    def _place(self, rule: RuleTerms, channel_id: UUID, key: str, organization_id: UUID, about_id: UUID) -> Told:
        here = self._told[rule.id, key]
        if channel_id not in here:
            here[channel_id] = Told(rule.id, channel_id, key, organization_id, about_id)
        return here[channel_id]

    def _by_channel(self) -> dict[UUID, list[Want]]:
        found: dict[UUID, dict[str, Want]] = defaultdict(dict)
        for want in self._wants:
            here, key = found[want.channel_id], _one_of(want)
            first = here.setdefault(key, want)
            if first is not want:
                # Another rule tells this channel the same, or the same rule owed it: one message is enough.
                here[key], other = _later(first, want)
                self._same[id(here[key])] += [other, *self._same.pop(id(other), [])]
        return {channel_id: list(wants.values()) for channel_id, wants in found.items()}

    def _rows(self, channel_id: UUID, wants: list[Want], rooms: Rooms) -> list[dict[str, Any]]:
        room = rooms[channel_id]
        allotted = allot(wants, room=room.messages, edits=room.edits)
        rows = [self._row(want) for want in allotted.alone]
        if allotted.together:
            rows.append(self._digest(allotted.together))
        for want in self._with_same(allotted.alone):
            note_sent(want, now=self._now, is_alone=True)
        for want in self._with_same(allotted.together):
            note_sent(want, now=self._now, is_alone=False)
        for want in self._with_same(allotted.later):
            note_flooded(want, now=self._now)
        return rows

    def _with_same(self, wants: Sequence[Want]) -> list[Want]:
        return [one for want in wants for one in (want, *self._same.get(id(want), ()))]

    def _write_held(self) -> None:
        """Say in the timelines why nobody is told yet."""
        rows = [
            {
                "id": new_id(), "organization_id": case.organization_id, "incident_id": case.id, "at": self._now,
                "kind": IncidentEntryKind.HELD.value, "words": f"{HELD_WORDS[by]}, until {until:%Y-%m-%d %H:%M} UTC",
            }
            for (_, by, until), case in self._held.items()
        ]  # fmt: skip
        for some in _pieces(rows):
            self._session.execute(insert(IncidentEntry), some)

    def _row(self, want: Want) -> dict[str, Any]:
        house = self._houses[want.told.organization_id]
        around = NOTHING_AROUND if want.case is None else read_around(self._session, want.case)
        facts = replace(facts_of(want, house.whose, around), instead_of=self._instead_of([want]))
        return self._columns(want, want.kind, want.key, facts.type.value, facts.as_json()) | {
            "incident_id": None if want.case is None else want.case.id,
            "rule_id": want.rule.id,
        }

    def _digest(self, wants: list[Want]) -> dict[str, Any]:
        whose = self._houses[wants[0].told.organization_id].whose
        facts = replace(digest_of(wants, whose), instead_of=self._instead_of(wants))
        columns = self._columns(wants[0], DeliveryKind.DIGEST, f"digest:{new_id()}", facts.type.value, facts.as_json())
        return columns | {"incident_id": None, "rule_id": None}

    def _instead_of(self, wants: Sequence[Want]) -> tuple[str, ...]:
        return tuple(sorted({name for want in self._with_same(wants) for name in want.instead_of}))

    def _columns(self, want: Want, kind: DeliveryKind, key: str, type_: str, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": new_id(), "organization_id": want.told.organization_id, "channel_id": want.channel_id,
            "kind": kind.value, "type": type_, "key": key, "facts": facts, "state": DeliveryState.PENDING.value,
            "next_try_at": self._now, "created_at": self._now,
        }  # fmt: skip


def _one_of(want: Want) -> str:
    if want.kind is DeliveryKind.REMINDER and want.case is not None:
        return f"{want.case.id}:reminder"
    return want.key


def _later(first: Want, other: Want) -> tuple[Want, Want]:
    """Of two that say the same, first the one that is sent: of reminders that which was not sent before."""
    if first.case is not None and other.case is not None and other.case.reminders > first.case.reminders:
        return other, first
    return first, other


def _insert(session: Session, table: Any) -> Any:
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)


def _pieces(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[begin : begin + _AT_ONCE] for begin in range(0, len(items), _AT_ONCE)]
