"""What to say about the others that start at the same time, and which minute to move to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.schedules.cron import CronExpression
from app.schedules.fire_times import Rhythm
from app.schedules.load_offers import Offer, quieter_minutes
from app.schedules.phrases import clock_text, listing, roughly

# Others at one moment that are worth a word, however many run at once.
_MANY = 10
# One more than the fewest slots there can be: below it there is nothing to ask about.
FEWEST_OTHERS = 2


@dataclass(frozen=True)
class Capacity:
    """How many runs start at once, 0 where nothing works, and what one usually takes."""

    slots: int
    typical: timedelta | None


@dataclass(frozen=True)
class LoadNote:
    """A crowded moment. `hour` counts the others in each of the sixty minutes from `hour_start` on.

    `offer_text` is what to do, `offer_label`, as a question, and what comes of it, `offer_effect`.
    """

    at: datetime
    others: int
    slots: int
    late: timedelta | None
    text: str
    offer: Offer | None
    offer_label: str | None
    offer_effect: str | None
    hour_start: datetime
    hour: tuple[int, ...]

    @property
    def offer_text(self) -> str | None:
        return f"{self.offer_label}? {self.offer_effect}" if self.offer else None


def hour_of(at: datetime, when: Rhythm) -> datetime:
    """The instant at which the hour began, by the clock of the rhythm, that `at` lies in."""
    wall = at.astimezone(when.zone.tzinfo)
    return at - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def load_note(when: Rhythm, *, at: datetime, hour: Sequence[int], capacity: Capacity) -> LoadNote | None:
    """The note about a run at `at`. None where so few others start then that nobody waits."""
    minute = at.astimezone(when.zone.tzinfo).minute
    others, slots = hour[minute], capacity.slots
    if others <= min(slots or _MANY, _MANY):
        return None
    late = others // slots * capacity.typical if slots and capacity.typical else None
    offer = _offer(when, hour)
    return LoadNote(
        at=at,
        others=others,
        slots=slots,
        late=late,
        text=_words(when, at, others, slots, late),
        offer=offer,
        offer_label=None if offer is None else _offer_label(when, at, offer),
        offer_effect=None if offer is None else _offer_effect(offer),
        hour_start=hour_of(at, when),
        hour=tuple(hour),
    )


def _offer(when: Rhythm, hour: Sequence[int]) -> Offer | None:
    # Only one plain line has minutes of the hour that can be moved together.
    return quieter_minutes(when.cron, load=hour) if isinstance(when.cron, CronExpression) else None


def _words(when: Rhythm, at: datetime, others: int, slots: int, late: timedelta | None) -> str:
    begin = f"{'1 other schedule starts' if others == 1 else f'{others:,} other schedules start'} at {_clock(when, at)}"
    if not slots or others < slots:
        return f"{begin}."
    at_once = "1 run is done at a time" if slots == 1 else f"{slots:,} run at once"
    if late is None or late < timedelta(minutes=1):
        return f"{begin}, and {at_once}: yours may have to wait."
    return f"{begin}, and {at_once}: yours would start about {roughly(late)} late."


def _offer_label(when: Rhythm, at: datetime, offer: Offer) -> str:
    if len(offer.minutes) > 1:
        return f"Move to minutes {listing([str(minute) for minute in offer.minutes])}"
    if isinstance(when.cron, CronExpression) and len(when.cron.hours) > 1:
        return f"Move to minute {offer.minutes[0]}"
    wall = at.astimezone(when.zone.tzinfo)
    return f"Move to {clock_text(wall.hour * 60 + offer.minutes[0])}"


def _offer_effect(offer: Offer) -> str:
    company = "nobody else starts" if offer.busy == 0 else f"{offer.busy:,} others start"
    return f"There {company}." if len(offer.minutes) > 1 else f"Then {company}."


def _clock(when: Rhythm, at: datetime) -> str:
    wall = at.astimezone(when.zone.tzinfo)
    return clock_text(wall.hour * 60 + wall.minute)
