"""`belfry schedules history` and `gaps`: what became of the slots of one schedule."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app.cli.code_names import schedule_name_argument
from app.cli.console import Console, as_json, moment, pass_console, show, table, with_organization
from app.ops.schedule_history import HistoryEntry, list_history
from app.runs.queries import RunRow
from app.schedules.queries import GapRow, find_schedule, list_gaps

MOST = 1000

T = TypeVar("T")

how_many = click.option("--limit", default=20, show_default=True, type=click.IntRange(1, MOST))


@click.command()
@schedule_name_argument
@how_many
@with_organization
@as_json
@pass_console
def history(console: Console, name: str, limit: int, is_json: bool) -> None:
    """Show the runs of a schedule, the gaps between them and what was mended by itself, newest first.

    NAME is its name, its id, or the one that it has in code.
    """
    found = _read(console, name, limit, list_history)
    cells = [[str(moment(entry.at)), *_cells(entry)] for entry in found]
    text = table(["AT", "WHAT", "RUN OR SLOTS", "WHY"], cells, empty="Nothing has happened yet.")
    show([_entry(entry) for entry in found], text, is_json=is_json)


@click.command()
@schedule_name_argument
@how_many
@with_organization
@as_json
@pass_console
def gaps(console: Console, name: str, limit: int, is_json: bool) -> None:
    """Show the slots of a schedule that nobody executed, newest first.

    NAME is its name, its id, or the one that it has in code.
    """
    found = _read(console, name, limit, list_gaps)
    facts = [_gap(gap) for gap in found]
    cells = [[str(fact["first_slot"]), str(fact["last_slot"]), str(fact["slots"]), _why(gap)]
             for fact, gap in zip(facts, found, strict=True)]  # fmt: skip
    text = table(["FIRST SLOT", "LAST SLOT", "SLOTS", "WHY"], cells, empty="Every slot was executed.")
    show(facts, text, is_json=is_json)


def _read(console: Console, name: str, limit: int, read: Callable[..., list[T]]) -> list[T]:
    with console.reading() as desk:
        here = desk.actor.organization_id
        schedule = find_schedule(desk.session, organization_id=here, name=name)
        return read(desk.session, organization_id=here, schedule_id=schedule.id, limit=limit)


def _cells(entry: HistoryEntry) -> list[str]:
    if entry.run is not None:
        return [entry.run.state.value, str(entry.run.id), entry.run.error or entry.run.trigger.value]
    if entry.gap is not None:
        return ["gap", f"{entry.gap.slots} from {moment(entry.gap.first_slot_at)}", _why(entry.gap)]
    return ["repaired", "-", entry.repair or "-"]


def _why(gap: GapRow) -> str:
    return gap.explanation or gap.reason.value.replace("_", " ")


def _entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "at": moment(entry.at),
        "run": None if entry.run is None else _run(entry.run),
        "gap": None if entry.gap is None else _gap(entry.gap),
        "repair": entry.repair,
    }


def _run(row: RunRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "state": row.state.value,
        "trigger": row.trigger.value,
        "reason": None if row.reason is None else row.reason.value,
        "error": row.error,
        "due": moment(row.due_at),
        "started": moment(row.started_at),
        "finished": moment(row.finished_at),
    }


def _gap(row: GapRow) -> dict[str, Any]:
    return {
        "first_slot": moment(row.first_slot_at),
        "last_slot": moment(row.last_slot_at),
        "slots": row.slots,
        "reason": row.reason.value,
        "explanation": row.explanation,
    }
