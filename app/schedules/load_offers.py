"""Which quieter minute a crowded rhythm could move to: another text, for somebody to take or to leave. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.schedules.cron import LONGEST_TEXT, CronExpression

REACH = 15
# Among equally quiet minutes: far enough from where everybody is, and still in the same quarter of an hour.
_LIKED_SHIFT = 7
_MOST_WRITTEN_OUT = 6
_PLAIN = re.compile(r"[0-9,/*-]+")


@dataclass(frozen=True)
class Offer:
    """The same rhythm at other minutes of the hour. `busy` is how many others start in the fullest of them."""

    cron: str
    minutes: tuple[int, ...]
    busy: int


def quieter_minutes(cron: CronExpression, *, load: Sequence[int]) -> Offer | None:
    """The emptiest minutes within a quarter of an hour that keep the hour and the spacing.

    `load` says how many others start in each minute of that hour. None where no other minute is quieter, or where the
    text cannot move without becoming another one.
    """
    if not _can_move(cron):
        return None
    here = _busy(load, cron.minutes)
    found = min(_shifts(cron.minutes), key=lambda shift: _dislike(load, cron.minutes, shift), default=None)
    if found is None:
        return None
    minutes = tuple(minute + found for minute in cron.minutes)
    busy, text = _busy(load, minutes), _rewritten(cron, minutes)
    return Offer(text, minutes, busy) if busy < here and len(text) <= LONGEST_TEXT else None


def _can_move(cron: CronExpression) -> bool:
    """H chooses its minute itself, and every minute cannot move at all."""
    if cron.is_manual or len(cron.minutes) == 60:
        return False
    fields = cron.text.split()
    return cron.text.startswith("@") or (len(fields) == 5 and _PLAIN.fullmatch(fields[0]) is not None)


def _shifts(minutes: tuple[int, ...]) -> Iterable[int]:
    reach = range(-REACH, REACH + 1)
    within = (shift for shift in reach if shift and minutes[0] + shift >= 0 and minutes[-1] + shift <= 59)
    # A shift as long as the spacing would land on the crowded minutes again.
    return [shift for shift in within if not {minute + shift for minute in minutes} & set(minutes)]


def _dislike(load: Sequence[int], minutes: tuple[int, ...], shift: int) -> tuple[int, int, int]:
    moved = [minute + shift for minute in minutes]
    return _busy(load, moved), sum(load[minute] for minute in moved), abs(shift - _LIKED_SHIFT)


def _busy(load: Sequence[int], minutes: Iterable[int]) -> int:
    return max(load[minute] for minute in minutes)


def _rewritten(cron: CronExpression, minutes: tuple[int, ...]) -> str:
    """The text with another minute field, and with everything else as it was typed."""
    text = cron.canonical if cron.text.startswith("@") else cron.text
    return re.sub(r"^\s*\S+", _field(minutes), text)


def _field(minutes: tuple[int, ...]) -> str:
    if len(minutes) <= _MOST_WRITTEN_OUT:
        return ",".join(map(str, minutes))
    steps = {later - earlier for earlier, later in pairwise(minutes)}
    if len(steps) == 1:
        step = steps.pop()
        return f"{minutes[0]}-{minutes[-1]}{f'/{step}' if step > 1 else ''}"
    return ",".join(map(str, minutes))
