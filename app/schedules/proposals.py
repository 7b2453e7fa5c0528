"""What somebody thinks of saving, read as saving it will: a new schedule, or another rhythm for one that exists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Invalid
from app.schedules.fire_times import Rhythm
from app.schedules.preview import read_typed
from app.schedules.queries import ScheduleRow
from app.schedules.spread_keys import NOT_KNOWN_YET, is_spread_by_key, spread_key_of
from app.schedules.stored_rhythms import StoredRhythm, rhythm_of


class SpreadKeyFixed(Invalid):
    """A schedule that exists keeps its spread key."""


@dataclass(frozen=True)
class Proposal:
    """When it would run. `spread_key` is what its H will be spread by; None where that is not known before saving."""

    when: Rhythm
    spread_key: str | None

    @property
    def note(self) -> str | None:
        """What to say where its times are not the ones that saving will choose."""
        is_open = self.spread_key is None and is_spread_by_key(self.when.cron)
        return NOT_KNOWN_YET if is_open else None


def propose_new(
    said: Mapping[str, Any], *, organization_id: UUID | None, job_id: UUID | None, name: str | None, now: datetime
) -> Proposal:
    """A new schedule, of which `said` has at least text and zone. Raises CronInvalid, UnknownZone or TimesInvalid."""
    key = said.get("spread_key") or None
    if key is None and organization_id is not None and job_id is not None and name is not None:
        key = spread_key_of(organization_id, job_id, name)
    return Proposal(_read({**said, "spread_key": key or ""}, now), key)


def propose_change(said: Mapping[str, Any], *, before: ScheduleRow, now: datetime) -> Proposal:
    """A schedule with another rhythm: what is not said stays. Raises SpreadKeyFixed besides what a new one raises."""
    key = said.get("spread_key") or before.spread_key
    if key != before.spread_key:
        raise SpreadKeyFixed("A schedule keeps what its H is spread by. Leave the spread key out.", field="spread_key")
    stored = {name: getattr(before, name) for name in StoredRhythm._fields}
    wanted = {**stored, **said, "spread_key": before.spread_key}
    # As in saving, whoever changes something else need not mend what was accepted before.
    when = rhythm_of(before) if wanted == stored else _read(wanted, now)
    return Proposal(when, before.spread_key)


def _read(said: Mapping[str, Any], now: datetime) -> Rhythm:
    rest = dict(said)
    return read_typed(rest.pop("cron"), now=now, **rest)
