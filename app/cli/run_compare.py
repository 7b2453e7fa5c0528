"""`belfry runs compare`: a run beside the last good one, or another."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, as_json, pass_console, show, table, with_organization
from app.cli.run_facts import run_facts
from app.ops.log_comparison import LogEnd
from app.ops.run_comparison import RunComparison, compare_runs


@click.command("compare")
@click.argument("run_id", type=click.UUID)
@click.argument("other_id", type=click.UUID, required=False)
@click.option("--all", "is_all", is_flag=True, help="What is the same in both, too.")
@with_organization
@as_json
@pass_console
def compare_command(console: Console, run_id: UUID, other_id: UUID | None, is_all: bool, is_json: bool) -> None:
    """Put a run beside the last one that went well before it, or beside another one."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        found = compare_runs(desk.session, organization_id=here, run_id=run_id, other_id=other_id)
    show(_facts(found), "\n".join(_lines(found, is_all=is_all)), is_json=is_json)


def _lines(found: RunComparison, *, is_all: bool) -> Iterator[str]:
    shown = found.lines if is_all else found.differing
    cells = [[one.name, one.this or "-", one.other or "-"] for one in shown]
    yield table(["WHAT", str(found.this.id), str(found.other.id)], cells, empty="Nothing differs.")
    yield from (f"changed on the schedule: {words}" for words in found.changes)
    if found.log.parts_at is not None:
        yield f"The logs part at line {found.log.parts_at}:"
        yield from _around("this", found.log.this)
        yield from _around("other", found.log.other)


def _around(whose: str, end: LogEnd) -> Iterator[str]:
    yield from (f"{whose:5} {line.number:6} {line.level.value:7} {line.text}" for line in end.around)


def _facts(found: RunComparison) -> dict[str, Any]:
    return {
        "this": run_facts(found.this),
        "other": run_facts(found.other),
        "values": [asdict(one) | {"differs": one.differs} for one in found.lines],
        "schedule_changes": list(found.changes),
        "log": asdict(found.log),
    }
