"""When the viewer's clock is nearer or further than usual, because two zones change on different dates. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core.clock_words import wall_clock
from app.core.errors import Invalid
from app.core.lengths import duration
from app.schedules.clock_changes import FIRST_YEAR, LAST_YEAR, changes_of_year, offset_at, to_instant, to_minute
from app.schedules.describe import shortened
from app.schedules.fire_times import MOMENT, Rhythm, fire_times, last_fire
from app.schedules.ways_out import names_times
from app.schedules.zones import Zone, find_zone

_AHEAD = timedelta(days=400)
_SHORT = timedelta(days=45)
_MOST_NOTES = 2
# Where these runs show several times on the clock, their distance is said and not each time.
_LOOKED_AT = 20


@dataclass(frozen=True)
class _Spell:
    """Instants [start, stop) during which the viewer's clock is `apart` from the schedule's."""

    start: datetime
    stop: datetime
    apart: timedelta


def viewer_notes(
    when: Rhythm, *, viewer_zone: str, now: datetime, shown_until: datetime | None = None
) -> tuple[str, ...]:
    """“15–27 Mar 2027: 07:30 your time instead of 08:30”, for the spells of the next 400 days.

    None is left out that has begun by `shown_until`, up to which runs are shown; the last one says how many others are.
    """
    try:
        viewer = find_zone(viewer_zone)
    except Invalid:
        return ()
    if viewer == when.zone or not names_times(when.cron) or not FIRST_YEAR <= now.year < LAST_YEAR - 1:
        return ()
    spells = _spells(when.zone, viewer, now)
    usual = _usual(spells)
    unusual = [spell for spell in spells if spell.apart != usual]
    found = {spell: _note(when, viewer, spell, usual, is_open=spell is spells[-1]) for spell in unusual}
    shown = {found[spell] for spell in unusual if shown_until is not None and spell.start <= shown_until}
    return shortened(tuple(note for note in found.values() if note), shown - {""}, most=_MOST_NOTES)


def _usual(spells: Sequence[_Spell]) -> timedelta:
    """What the next runs show, unless that is about to end: then what most of the year does."""
    if spells[0].stop - spells[0].start > _SHORT:
        return spells[0].apart
    lengths: dict[timedelta, timedelta] = {}
    for spell in spells:
        lengths[spell.apart] = lengths.get(spell.apart, timedelta()) + (spell.stop - spell.start)
    return max(lengths, key=lambda apart: lengths[apart])


def _spells(zone: Zone, viewer: Zone, now: datetime) -> list[_Spell]:
    first, end = to_minute(now), to_minute(now + _AHEAD)
    marks = sorted({first, *_changes(zone, first, end), *_changes(viewer, first, end)})
    spells: list[_Spell] = []
    for start, stop in zip(marks, [*marks[1:], end], strict=True):
        apart = timedelta(minutes=offset_at(viewer.tzinfo, start) - offset_at(zone.tzinfo, start))
        if spells and spells[-1].apart == apart:
            spells[-1] = _Spell(spells[-1].start, to_instant(stop), apart)
        else:
            spells.append(_Spell(to_instant(start), to_instant(stop), apart))
    return spells


def _changes(zone: Zone, first: int, end: int) -> Iterable[int]:
    years = range(to_instant(first).year, to_instant(end).year + 1)
    return {change.at for year in years for change in changes_of_year(zone, year) if first < change.at < end}


def _note(when: Rhythm, viewer: Zone, spell: _Spell, usual: timedelta, *, is_open: bool) -> str:
    fires = fire_times(when, after=spell.start - MOMENT, until=spell.stop - MOMENT, limit=_LOOKED_AT)
    last = last_fire(when, after=spell.start - MOMENT, until=spell.stop - MOMENT) if fires else None
    if last is None:
        return ""
    moved = spell.apart - usual
    seen = [at.astimezone(viewer.tzinfo) for at in fires]
    if len(seen) > 2 and seen[0].time() != seen[1].time() == seen[2].time():
        # The change itself has moved the first one, which has a note of its own.
        del seen[0]
    words = f"{duration(abs(moved))} {'later' if moved > timedelta() else 'earlier'} than usual by your clock"
    if len({at.time() for at in seen}) == 1:
        instead = seen[0].replace(tzinfo=UTC) - moved
        words = f"{wall_clock(seen[0])} your time instead of {wall_clock(instead)}"
    days = _days(seen[0], last.astimezone(viewer.tzinfo), is_open=is_open)
    return f"{days}: {words} ({_reason(when.zone, viewer, spell)})."


def _days(first: datetime, last: datetime, *, is_open: bool) -> str:
    begin, end = (f"{at.day} {at:%b %Y}" for at in (first, last))
    if is_open:
        return f"From {begin} on"
    if begin == end:
        return begin
    if first.year != last.year:
        return f"{begin} – {end}"
    return f"{first.day}–{end}" if first.month == last.month else f"{first.day} {first:%b} – {end}"


def _reason(zone: Zone, viewer: Zone, spell: _Spell) -> str:
    changing = [one for one in (zone, viewer) if _changes_in(one, spell.start.year)]
    if len(changing) == 1:
        steady = viewer if changing[0] == zone else zone
        return f"the clocks of {changing[0].city} change, those of {steady.city} do not"
    return f"{zone.city} and {viewer.city} change on different dates"


def _changes_in(zone: Zone, year: int) -> bool:
    return bool(changes_of_year(zone, year) or changes_of_year(zone, year + 1))
