"""How many schedules of an organization start in each minute of an hour. What to say about it is ops/load_notes.py.

Their rhythms are read once and kept for as long as nothing changes; the answer comes from the shared fire times.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, case, func, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.events.service import Topic, latest_event_id
from app.schedules.day_minutes import minutes_of, read_minutes
from app.schedules.models import Schedule, is_planned
from app.schedules.rhythm_rows import COLUMNS_BESIDE_KEY, stored_rhythm
from app.schedules.zone_load import Group, ZoneLoad, zone_load
from app.schedules.zones import Zone, find_zone

# A change that was committed late carries an older number than one that was seen, so nothing is believed for long.
_BELIEVED = timedelta(minutes=1)
# Of all organizations together; a group takes about half a kilobyte until its text has to be read.
_MOST_GROUPS = 20_000
_MOST_HOURS = 200
_EVERY_DAY = ["*", "*", "*"]


@dataclass(frozen=True)
class LoadMap:
    """The rhythms of one organization, by zone, and the hours that were asked about."""

    number: int
    read_at: datetime
    zones: Sequence[ZoneLoad]
    _hours: dict[datetime, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def size(self) -> int:
        return sum(len(zone.groups) for zone in self.zones)

    def hour(self, start: datetime) -> tuple[int, ...]:
        """How many start in each of the sixty minutes from `start`, a whole minute, on."""
        known = self._hours.get(start)
        if known is None:
            known = tuple(map(sum, zip((0,) * 60, *(zone.count_hour(start) for zone in self.zones), strict=True)))
            if len(self._hours) >= _MOST_HOURS:
                self._hours.clear()
            self._hours[start] = known
        return known


class LoadBook:
    """The maps of the organizations that asked lately, for one process. Any number of threads."""

    def __init__(self) -> None:
        self._maps: OrderedDict[UUID, LoadMap] = OrderedDict()
        self._lock = threading.Lock()

    def look_up(self, session: Session, *, organization_id: UUID, now: datetime) -> LoadMap:
        """The map of an organization as it is now: one small question, unless something changed."""
        number = latest_event_id(session, organization_id=organization_id, topic=Topic.SCHEDULES)
        with self._lock:
            known = self._maps.get(organization_id)
        if known is not None and known.number == number and abs(now - known.read_at) < _BELIEVED:
            return known
        found = LoadMap(number, now, _read(session, organization_id))
        with self._lock:
            self._keep(organization_id, found)
        return found

    def _keep(self, organization_id: UUID, found: LoadMap) -> None:
        self._maps[organization_id] = found
        self._maps.move_to_end(organization_id)
        while len(self._maps) > 1 and sum(each.size for each in self._maps.values()) > _MOST_GROUPS:
            self._maps.popitem(last=False)


def _read(session: Session, organization_id: UUID) -> list[ZoneLoad]:
    # Without H the key changes nothing, and schedules with the same text are one group.
    key = case((func.upper(Schedule.cron).contains("H"), Schedule.spread_key), else_="").label("spread_key")
    columns = [*COLUMNS_BESIDE_KEY, key, Schedule.minutes]
    here = Schedule.organization_id == organization_id, *is_planned()
    query = select(*columns, func.count().label("count")).where(*here).group_by(*columns)
    zones: dict[Zone, list[Group]] = {}
    for row in session.execute(query).mappings():
        try:
            zones.setdefault(find_zone(row["timezone"]), []).append(_group(row))
        except Invalid:
            # It cannot start anything; the scheduler says so as soon as it comes by.
            continue
    return [zone_load(zone, groups) for zone, groups in zones.items()]


def _group(row: RowMapping) -> Group:
    named = read_minutes(row["minutes"] or minutes_of(stored_rhythm(row)))
    has_bounds = row["starts_at"] is not None or row["ends_at"] is not None
    return Group(row, row["count"], named, not has_bounds and row["cron"].split()[2:] == _EVERY_DAY)
