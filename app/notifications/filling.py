"""Writes the deliveries that rules want, in the transaction that changed the incidents. Works as ENGINE."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.notifications.book import Case, next_reminder
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
)
from app.notifications.houses import House, Rooms, read_houses, read_rooms
from app.notifications.models import Delivery, Telling
from app.notifications.rules import HeldBy, Hold, RuleTerms
from app.notifications.shelf import read_cases
from app.notifications.signals import News
from app.notifications.types import UNCHOSEN, DeliveryKind, DeliveryState
from app.notifications.wording import NOTHING_AROUND, Around, digest_of, facts_of
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule

Item = TypeVar("Item")
# So much that waits is looked at in one pass.
MOST_DUE = 20_000
_AT_ONCE = 400


class Filling:
    """One pass over changed incidents, news and what was due. Nothing is written before `write`."""

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session = session
        self._now = now
        self._houses: dict[UUID, House] = {}
        self._looked: set[UUID] = set()
        self._told: dict[tuple[UUID, UUID, str], Told] = {}
        self._wants: list[Want] = []

    def add_cases(self, cases: Sequence[Case]) -> None:
        """What rules want to tell of incidents that have changed."""
        self._read_houses({case.organization_id for case in cases})
        # Of a channel that is broken the one that stands in for it was told where it broke.
        told_of = [case for case in cases if case.organization_id in self._houses and case.type not in UNCHOSEN]
        self._read_told({(case.organization_id, case.cause_key) for case in told_of})
        for case in told_of:
            house = self._houses[case.organization_id]
            for rule in house.rules:
                for channel_id in house.channels_of(rule.channel_ids):
                    self._want(consider(self._of(rule, channel_id, case), case, rule, house.silence, now=self._now))

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
        for row in tellings:
            told = self._told.setdefault((row.rule_id, row.channel_id, row.cause_key), _told_of(row))
            house, case = self._houses.get(row.organization_id), cases.get(row.incident_id)
            rule = None if house is None else next((one for one in house.rules if one.id == row.rule_id), None)
            if (
                house is None
                or case is None
                or rule is None
                or row.channel_id not in house.channels_of(rule.channel_ids)
            ):
                # Its rule or its channel is there no more, or off.
                told.due_at, told.held_by = None, None
                continue
            self._want(consider(told, case, rule, house.silence, now=self._now))

    def add_reminders(self, cases: Sequence[Case]) -> None:
        """Reminders that are due. Each case gets the time of its next one."""
        self._read_houses({case.organization_id for case in cases})
        self._read_told({(case.organization_id, case.cause_key) for case in cases})
        for case in cases:
            house = self._houses.get(case.organization_id)
            holds = [] if house is None else self._remind(case, house)
            case.is_changed = True
            if holds:
                case.next_reminder_at = min(hold.until for hold in holds)
                continue
            case.reminders += 1
            case.next_reminder_at = next_reminder(case.opened_at, reminders=case.reminders, now=self._now)

    def write(self) -> int:
        """Write deliveries, and what was told. Returns how many messages."""
        rooms = read_rooms(self._session, {want.told.channel_id for want in self._wants}, now=self._now)
        rows = [row for channel_id, wants in self._by_channel().items() for row in self._rows(channel_id, wants, rooms)]
        for some in _pieces(rows):
            self._session.execute(_insert(self._session, Delivery).on_conflict_do_nothing(), some)
        self._write_told()
        return len(rows)

    def _remind(self, case: Case, house: House) -> list[Hold]:
        holds: list[Hold] = []
        for rule in house.rules:
            for channel_id in house.channels_of(rule.channel_ids):
                told = self._told.get((rule.id, channel_id, case.cause_key))
                if told is None:
                    continue
                found = consider_reminder(told, case, rule, house.silence, now=self._now)
                if isinstance(found, Hold):
                    holds.append(found)
                else:
                    self._want(found)
        return holds

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
                self._told.setdefault((row.rule_id, row.channel_id, row.cause_key), _told_of(row))

    def _of(self, rule: RuleTerms, channel_id: UUID, case: Case) -> Told:
        return self._place(rule, channel_id, case.cause_key, case.organization_id, case.id)

    def _place(self, rule: RuleTerms, channel_id: UUID, key: str, organization_id: UUID, about_id: UUID) -> Told:
        place = rule.id, channel_id, key
        if place not in self._told:
            self._told[place] = Told(rule.id, channel_id, key, organization_id, about_id)
        return self._told[place]

    def _by_channel(self) -> dict[UUID, list[Want]]:
        found: dict[UUID, dict[str, Want]] = defaultdict(dict)
        for want in self._wants:
            first = found[want.told.channel_id].setdefault(want.key, want)
            if first is not want:
                # Another rule tells this channel the same: one message is enough.
                note_sent(want, now=self._now, is_alone=True)
        return {channel_id: list(wants.values()) for channel_id, wants in found.items()}

    def _rows(self, channel_id: UUID, wants: list[Want], rooms: Rooms) -> list[dict[str, Any]]:
        room = rooms[channel_id]
        allotted = allot(wants, room=room.messages, edits=room.edits)
        rows = [self._row(want) for want in allotted.alone]
        for want in allotted.alone:
            note_sent(want, now=self._now, is_alone=True)
        if allotted.together:
            rows.append(self._digest(channel_id, allotted.together))
            for want in allotted.together:
                note_sent(want, now=self._now, is_alone=False)
        for want in allotted.later:
            note_flooded(want, now=self._now)
        return rows

    def _row(self, want: Want) -> dict[str, Any]:
        house = self._houses[want.told.organization_id]
        around = NOTHING_AROUND if want.case is None else self._around(want.case)
        facts = facts_of(want, house.whose, around)
        return self._columns(want.told, want.kind, want.key, facts.type.value, facts.as_json()) | {
            "incident_id": None if want.case is None else want.case.id,
            "rule_id": want.rule.id,
        }

    def _digest(self, channel_id: UUID, wants: list[Want]) -> dict[str, Any]:
        told = wants[0].told
        facts = digest_of(wants, self._houses[told.organization_id].whose)
        columns = self._columns(told, DeliveryKind.DIGEST, f"digest:{new_id()}", facts.type.value, facts.as_json())
        return columns | {"incident_id": None, "rule_id": None}

    def _columns(self, told: Told, kind: DeliveryKind, key: str, type_: str, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": new_id(), "organization_id": told.organization_id, "channel_id": told.channel_id, "kind": kind.value,
            "type": type_, "key": key, "facts": facts, "state": DeliveryState.PENDING.value, "next_try_at": self._now,
            "created_at": self._now,
        }  # fmt: skip

    def _around(self, case: Case) -> Around:
        if case.schedule_id is None:
            return NOTHING_AROUND
        mine = Schedule.id == case.schedule_id, Schedule.organization_id == case.organization_id
        next_at = self._session.scalar(select(Schedule.next_run_at).where(*mine, Schedule.enabled))
        ended = Run.schedule_id == case.schedule_id, Run.finished_at.is_not(None)
        went_well = select(Run.finished_at).where(*ended, Run.state == RunState.SUCCEEDED.value)
        last = self._session.scalar(went_well.order_by(Run.finished_at.desc()).limit(1))
        return Around(next_at, last)

    def _write_told(self) -> None:
        changed = list(self._told.values())
        new = [self._told_columns(told) for told in changed if told.is_new and _is_worth_keeping(told)]
        for some in _pieces(new):
            self._session.execute(insert(Telling), some)
        known = [self._told_columns(told) for told in changed if not told.is_new]
        if known:
            rows = [{f"b_{name}": value for name, value in row.items()} for row in known]
            self._session.connection().execute(_UPDATE_TOLD, rows)

    def _told_columns(self, told: Told) -> dict[str, Any]:
        return {
            "rule_id": told.rule_id, "channel_id": told.channel_id, "cause_key": told.cause_key,
            "organization_id": told.organization_id, "incident_id": told.incident_id, "episode": told.episode,
            "told_at": told.told_at, "is_told": told.is_told, "due_at": told.due_at,
            "held_by": told.held_by and told.held_by.value, "updated_at": told.updated_at, "mark": told.mark,
            "touched_at": self._now,
        }  # fmt: skip


def find_due(session: Session, *, now: datetime) -> list[Telling]:
    """What was held back until now, locked."""
    due = select(Telling).where(Telling.due_at.is_not(None), Telling.due_at <= now)
    query = due.order_by(Telling.due_at).limit(MOST_DUE).with_for_update(skip_locked=True)
    return list(session.scalars(query, execution_options={"populate_existing": True}))


_CHANGING = ("incident_id", "episode", "told_at", "is_told", "due_at", "held_by", "updated_at", "mark", "touched_at")
_UPDATE_TOLD = (
    update(Telling)
    .where(
        Telling.rule_id == bindparam("b_rule_id"),
        Telling.channel_id == bindparam("b_channel_id"),
        Telling.cause_key == bindparam("b_cause_key"),
    )
    .values({name: bindparam(f"b_{name}") for name in _CHANGING})
    .execution_options(synchronize_session=False)
)


def _told_of(row: Telling) -> Told:
    return Told(
        row.rule_id, row.channel_id, row.cause_key, row.organization_id, row.incident_id, row.episode, row.told_at,
        row.is_told, row.due_at, HeldBy(row.held_by) if row.held_by else None, row.updated_at, row.mark, is_new=False,
    )  # fmt: skip


def _is_worth_keeping(told: Told) -> bool:
    return told.told_at is not None or told.due_at is not None


def _insert(session: Session, table: Any) -> Any:
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)


def _pieces(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[begin : begin + _AT_ONCE] for begin in range(0, len(items), _AT_ONCE)]
