"""`belfry schedules versions`, `restore`, `duplicate` and `slots`: what one said before, and what became of a day."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.dry_runs import dry_run_option, onlooker, show_foresight
from app.cli.schedule_history import change_facts
from app.jobs.queries import job_names
from app.ops.schedule_foresight import foresee_restore
from app.ops.slots.csv_text import csv_text
from app.ops.slots.days import read_day
from app.ops.slots.ledger import SlotLedger, read_ledger
from app.ops.slots.outcomes import SlotOutcome, SlotRow
from app.ops.slots.ranges import SlotRange, collapse
from app.runs.restoring import restore_schedule
from app.schedules.copies import duplicate_schedule
from app.schedules.queries import get_schedule, lock_schedule
from app.schedules.version_words import jobs_named, version_lines
from app.schedules.versions import VersionRow, get_version, list_versions

MOST = 1000


@click.command()
@schedule_argument
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, MOST))
@with_organization
@as_json
@pass_console
def versions(console: Console, schedule_id: UUID, limit: int, is_json: bool) -> None:
    """Show what a schedule said from change to change, newest first.

    SCHEDULE is its name, its id, or the one that it has in code.
    """
    with console.reading() as desk:
        here = desk.actor.organization_id
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        found = list_versions(desk.session, organization_id=here, schedule_id=schedule.id, limit=limit)
        changes = [change for row in found for change in row.differences]
        jobs = job_names(desk.session, organization_id=here, job_ids=jobs_named(changes))
    cells = [[str(row.number), str(moment(row.at)), row.by or "-", "; ".join(version_lines(row, jobs=jobs))]
             for row in found]  # fmt: skip
    text = table(["VERSION", "AT", "BY", "WHAT CHANGED"], cells, empty="It was not changed since versions are kept.")
    show([_version(row, jobs) for row in found], text, is_json=is_json)


@click.command()
@schedule_argument
@click.argument("number", type=int)
@dry_run_option
@with_organization
@as_json
@pass_console
def restore(console: Console, schedule_id: UUID, number: int, is_dry: bool, is_json: bool) -> None:
    """Let a schedule say again what it said in a version; whether it is on stays as it is.

    SCHEDULE is its name, its id, or the one that it has in code, NUMBER what `belfry schedules versions` shows.
    """
    if is_dry:
        with console.reading() as desk:
            here = desk.actor.organization_id
            schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
            version = get_version(desk.session, organization_id=here, schedule_id=schedule_id, number=number)
            found = foresee_restore(desk.session, schedule, version=version, by=onlooker(desk, schedule))
        show_foresight(found, is_json=is_json)
        return
    with console.desk() as desk:
        here = desk.actor.organization_id
        # The newest version is changed, so it has to stay the newest one meanwhile.
        lock_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        restore_schedule(
            desk.session, actor=desk.actor, schedule_id=schedule.id, number=number, version=schedule.version,
            now=desk.now,
        )  # fmt: skip
    show({"schedule": str(schedule_id)}, f"Restored version {number}.", is_json=is_json)


@click.command()
@schedule_argument
@with_organization
@as_json
@pass_console
def duplicate(console: Console, schedule_id: UUID, is_json: bool) -> None:
    """Make a copy of a schedule, switched off.

    SCHEDULE is its name, its id, or the one that it has in code.
    """
    with console.desk() as desk:
        here = desk.actor.organization_id
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        copy_id = duplicate_schedule(desk.session, actor=desk.actor, schedule_id=schedule.id, now=desk.now)
        copy = get_schedule(desk.session, organization_id=here, schedule_id=copy_id)
    show({"schedule": str(copy.id), "name": copy.name}, f"Made “{copy.name}”, switched off.", is_json=is_json)


@click.command()
@schedule_argument
@click.option("--day", metavar="DATE", help="By the schedule's own clock, as 2026-11-20; today by default.")
@click.option("--outcome", type=choice_of(SlotOutcome), help="Only slots with this outcome.")
@click.option("--csv", "is_csv", is_flag=True, help="As CSV, one slot a line.")
@with_organization
@as_json
@pass_console
def slots(
    console: Console, schedule_id: UUID, day: str | None, outcome: str | None, is_csv: bool, is_json: bool
) -> None:
    """Show what became of every slot of a day; exit status 1 when one is not accounted for.

    SCHEDULE is its name, its id, or the one that it has in code.
    """
    kept_days = console.settings.retention_days
    with console.reading() as desk:
        schedule = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
        named = read_day(day, zone=schedule.timezone, now=desk.now)
        found = read_ledger(desk.session, schedule=schedule, day=named, kept_days=kept_days, now=desk.now)
    wanted = None if outcome is None else SlotOutcome(outcome)
    if is_csv:
        click.echo(csv_text(found, wanted), nl=False)
    else:
        rows = found.chosen(wanted)
        show(_ledger(found, rows), _ledger_text(found, rows), is_json=is_json)
    if SlotOutcome.UNACCOUNTED in found.counts:
        raise click.exceptions.Exit(1)


def _version(row: VersionRow, jobs: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "version": row.number,
        "at": moment(row.at),
        "by": row.by or None,
        "restored_from": row.restored_from,
        "changes": [change_facts(change, jobs) for change in row.differences],
        "words": list(version_lines(row, jobs=jobs)),
        "says": dict(row.says),
    }


def _ledger(found: SlotLedger, rows: Sequence[SlotRow]) -> dict[str, Any]:
    return {
        "day": str(found.day.on),
        "zone": found.day.zone,
        "expected": len(found.rows),
        "counts": {outcome.value: count for outcome, count in found.counts.items()},
        "is_sure": not found.unknown,
        "slots": [_slot(row) for row in rows],
        "extra": [_slot(row) for row in found.extras],
    }


def _slot(row: SlotRow) -> dict[str, Any]:
    return {
        "slot": moment(row.slot_at),
        "outcome": row.outcome.value,
        "reason": row.reason,
        "run": None if row.run is None else str(row.run.id),
    }


def _ledger_text(found: SlotLedger, rows: Sequence[SlotRow]) -> str:
    counts = [f"{count:,} {outcome.value.replace('_', ' ')}" for outcome, count in found.counts.items()]
    lines = [", ".join([f"{found.day.on} in {found.day.zone}: {len(found.rows):,} expected", *counts])]
    if found.unknown:
        lines.append("What it said at that time is not kept for the whole day: only recorded slots are listed then.")
    cells = [_cells(each) for each in collapse(rows)]
    return "\n".join([*lines, table(["SLOT", "OUTCOME", "RUN OR SLOTS", "WHY"], cells, empty="No slots.")])


def _cells(each: SlotRange) -> list[str]:
    row = each.row
    if each.slots > 1:
        what = f"{each.slots:,} to {moment(each.last_slot_at)}"
    else:
        what = "-" if row.run is None else str(row.run.id)
    return [str(moment(row.slot_at)), row.outcome.value.replace("_", " "), what, row.reason or "-"]
