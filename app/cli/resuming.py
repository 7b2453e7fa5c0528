"""`belfry schedules enable`: asks what becomes of the slots missed meanwhile, and says what became of them."""

import sys
from typing import Any
from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, with_organization
from app.cli.dry_runs import dry_run_option, onlooker, show_foresight
from app.cli.terminal import say
from app.ops.schedule_foresight import foresee_switch
from app.runs import service
from app.runs.resuming import missed_meanwhile, most_made_up, why_none_runs
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.slot_accounts import MadeUp, MissedSlots


@click.command()
@schedule_argument
@click.option(
    "--missed",
    type=choice_of(Missed),
    help="What becomes of the slots that it missed while it was off: run the latest or all, or skip them. "
    "Asked for at a terminal; elsewhere they are skipped.",
)
@dry_run_option
@with_organization
@as_json
@pass_console
def enable(console: Console, schedule_id: UUID, missed: str | None, is_dry: bool, is_json: bool) -> None:
    """Switch a schedule on."""
    if is_dry:
        _show_effect(console, schedule_id, missed, is_json=is_json)
        return
    seen: int | None = None
    if missed is None:
        with console.reading() as desk:
            before = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
            found = missed_meanwhile(before, now=desk.now)
        choice, seen = _asked(before, found), None if found is None else found.count
    else:
        choice = Missed(missed)
    with console.desk() as desk:
        made_up = service.switch_schedule(
            desk.session, actor=desk.actor, schedule_id=schedule_id, enabled=True, now=desk.now, missed=choice,
            seen=seen,
        )  # fmt: skip
    show(_facts(made_up), f"Enabled. {_words(made_up)}".strip(), is_json=is_json)


def _show_effect(console: Console, schedule_id: UUID, missed: str | None, *, is_json: bool) -> None:
    choice = Missed.SKIP if missed is None else Missed(missed)
    with console.reading() as desk:
        row = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
        found = foresee_switch(desk.session, row, is_on=True, by=onlooker(desk, row), missed=choice)
    show_foresight(found, is_json=is_json)


def _asked(schedule: ScheduleRow, missed: MissedSlots | None) -> Missed:
    """What somebody at a terminal wants; a script that says nothing wants nothing made up."""
    if missed is None or why_none_runs(schedule) is not None or not _is_at_terminal():
        return Missed.SKIP
    say(f"{_begin(missed)}.", err=True)
    most = min(missed.count, most_made_up(schedule, Missed.ALL))
    words = f"Leave them (skip), run the latest (latest), or run the newest {most} (all)?"
    choices = click.Choice([choice.value for choice in (Missed.SKIP, Missed.LATEST, Missed.ALL)])
    return Missed(click.prompt(words, type=choices, default=Missed.SKIP.value, err=True))


def _is_at_terminal() -> bool:
    return sys.stdin.isatty()


def _begin(missed: MissedSlots) -> str:
    slots = "1 slot" if missed.count == 1 else f"{missed.count:,} slots"
    return f"{slots} missed while it was off, {moment(missed.first)} to {moment(missed.last)}"


def _words(made_up: MadeUp) -> str:
    if made_up.missed is None:
        return ""
    begin, count = f"{_begin(made_up.missed)}:", made_up.slots
    if count == 0:
        return f"{begin} left in a gap. To run them, say --missed latest or all."
    rest = ", the rest is left in a gap" if made_up.left else ""
    if made_up.why_skipped is not None:
        which = "the latest is" if count == 1 else f"the newest {count} are"
        return f"{begin} {which} skipped{rest}. {made_up.why_skipped}"
    if not rest:
        return f"{begin} {'it runs' if count == 1 else 'all run'} now."
    return f"{begin} {'the latest runs' if count == 1 else f'the newest {count} run'} now{rest}."


def _facts(made_up: MadeUp) -> dict[str, Any]:
    skips = made_up.why_skipped is not None
    return {
        "missed": 0 if made_up.missed is None else made_up.missed.count,
        "started": 0 if skips else made_up.slots,
        "skipped": made_up.slots if skips else 0,
        "left": made_up.left,
        "why_skipped": made_up.why_skipped,
    }
