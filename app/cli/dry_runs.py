"""`--dry-run` of the commands on schedules: what one would do, in words and figures, and nothing is done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.cli.console import Desk, moment, show, table
from app.cli.schedule_history import change_fact
from app.ops.schedule_effects import Effect
from app.ops.schedule_foresight import Foresight, Onlooker
from app.runs.foreseen import Foreseen
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import MissedSlots

dry_run_option = click.option("--dry-run", "is_dry", is_flag=True, help="Say what it would do, and do nothing.")


def onlooker(desk: Desk, schedule: ScheduleRow) -> Onlooker:
    """A terminal has no time zone of its own that anybody knows, so times are said on the schedule's clock alone."""
    return Onlooker(schedule.timezone, desk.now)


def show_foresight(found: Foresight, *, is_json: bool) -> None:
    """Print what a command would do. Raises what it would be refused with."""
    if found.refused is not None:
        raise found.refused
    effect = found.effect
    assert effect is not None
    lines = ["Nothing is done. It would do this:", *(words for _, words in found.changes), *found.lines]
    show(_facts(found, effect), "\n".join([*lines, _runs_text(effect)]), is_json=is_json)


def _facts(found: Foresight, effect: Effect) -> dict[str, Any]:
    standing = effect.standing
    return {
        "action": found.action.value,
        "lines": list(found.lines),
        "changes": [change_fact(change, words) for change, words in found.changes],
        "before": _moments(effect.before),
        "after": _moments(effect.after),
        "due": _foreseen(standing.due),
        "missed": _foreseen(effect.missed),
        "unreadable": _slots(effect.unreadable),
        "waiting": standing.waiting,
        "running": standing.running,
        "cancelled": effect.cancelled,
        "asked_to_stop": effect.asked_to_stop,
    }


def _moments(found: Sequence[datetime]) -> list[str | None]:
    return [moment(at) for at in found]


def _foreseen(found: Foreseen | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "slots": found.count,
        "first": moment(found.first),
        "last": moment(found.last),
        "runs": _moments(found.runs),
        "skipped": _moments(found.skipped),
        "why_skipped": found.why_skipped,
        "lost": _slots(found.lost),
    }


def _slots(found: MissedSlots | None) -> dict[str, Any] | None:
    return None if found is None else {"count": found.count, "first": moment(found.first), "last": moment(found.last)}


def _runs_text(effect: Effect) -> str:
    """The next runs now and afterwards, side by side."""
    sides = [_walls(effect.before, effect.zone_before), _walls(effect.after, effect.zone_after)]
    rows = [[side[place] if place < len(side) else "" for side in sides] for place in range(max(map(len, sides)))]
    headings = [f"NEXT RUNS NOW ({effect.zone_before})", f"AFTERWARDS ({effect.zone_after})"]
    return table(headings, [[cell or "-" for cell in row] for row in rows], empty="No next runs, now or afterwards.")


def _walls(found: Sequence[datetime], zone: str) -> list[str]:
    return [f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M:%S %z}" for at in found]
