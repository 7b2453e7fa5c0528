"""`belfry schedules versions`, `restore`, `duplicate` and `slots`: what one said before, and what became of a day."""

from typing import Any

import click

from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.jobs.queries import job_names
from app.ops.slots.csv_text import csv_text
from app.ops.slots.days import read_day
from app.ops.slots.ledger import SlotLedger, read_ledger
from app.ops.slots.outcomes import SlotOutcome, SlotRow
from app.ops.slots.ranges import SlotRange, collapse
from app.runs.restoring import restore_schedule
from app.schedules.copies import duplicate_schedule
from app.schedules.queries import find_schedule, get_schedule, lock_schedule
from app.schedules.version_words import change_words, jobs_named
from app.schedules.versions import VersionRow, list_versions

MOST = 1000


@click.command()
@click.argument("name")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, MOST))
@with_organization
@as_json
@pass_console
def versions(console: Console, name: str, limit: int, is_json: bool) -> None:
    """Show what a schedule said from change to change, newest first.

    NAME is its name or its id.
    """
    with console.reading() as desk:
        here = desk.actor.organization_id
        schedule = find_schedule(desk.session, organization_id=here, name=name)
        found = list_versions(desk.session, organization_id=here, schedule_id=schedule.id, limit=limit)
        changes = [change for row in found for change in row.differences]
        jobs = job_names(desk.session, organization_id=here, job_ids=jobs_named(changes))
    words = [[change_words(change, jobs=jobs) for change in row.differences] for row in found]
    cells = [[str(row.number), str(moment(row.at)), row.by or "-", "; ".join(_said(row, said))]
             for row, said in zip(found, words, strict=True)]  # fmt: skip
    text = table(["VERSION", "AT", "BY", "WHAT CHANGED"], cells, empty="It was not changed since versions are kept.")
    show([_version(row) for row in found], text, is_json=is_json)


@click.command()
@click.argument("name")
@click.argument("number", type=int)
@with_organization
@pass_console
def restore(console: Console, name: str, number: int) -> None:
    """Let a schedule say again what it said in a version; whether it is on stays as it is.

    NAME is its name or its id, NUMBER what `belfry schedules versions` shows.
    """
    with console.desk() as desk:
        here = desk.actor.organization_id
        schedule_id = find_schedule(desk.session, organization_id=here, name=name).id
        # The newest version is changed, so it has to stay the newest one meanwhile.
        lock_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        restore_schedule(
            desk.session, actor=desk.actor, schedule_id=schedule.id, number=number, version=schedule.version,
            now=desk.now,
        )  # fmt: skip
    click.echo(f"Restored version {number}.")


@click.command()
@click.argument("name")
@with_organization
@as_json
@pass_console
def duplicate(console: Console, name: str, is_json: bool) -> None:
    """Make a copy of a schedule, switched off.

    NAME is its name or its id.
    """
    with console.desk() as desk:
        here = desk.actor.organization_id
        schedule = find_schedule(desk.session, organization_id=here, name=name)
        copy_id = duplicate_schedule(desk.session, actor=desk.actor, schedule_id=schedule.id, now=desk.now)
        copy = get_schedule(desk.session, organization_id=here, schedule_id=copy_id)
    show({"schedule": str(copy.id), "name": copy.name}, f"Made “{copy.name}”, switched off.", is_json=is_json)


@click.command()
@click.argument("name")
@click.option("--day", metavar="DATE", help="By the schedule's own clock, as 2026-11-20; today by default.")
@click.option("--outcome", type=choice_of(SlotOutcome), help="Only slots with this outcome.")
@click.option("--csv", "is_csv", is_flag=True, help="All slots as CSV.")
@with_organization
@as_json
@pass_console
def slots(console: Console, name: str, day: str | None, outcome: str | None, is_csv: bool, is_json: bool) -> None:
    """Show what became of every slot of a day; exit status 1 when one is not accounted for.

    NAME is its name or its id.
    """
    kept_days = console.settings.retention_days
    with console.reading() as desk:
        schedule = find_schedule(desk.session, organization_id=desk.actor.organization_id, name=name)
        named = read_day(day, zone=schedule.timezone, now=desk.now)
        found = read_ledger(desk.session, schedule=schedule, day=named, kept_days=kept_days, now=desk.now)
    if is_csv:
        click.echo(csv_text(found), nl=False)
    else:
        rows = [row for row in found.rows if outcome in (None, row.outcome.value)]
        show(_ledger(found, rows), _ledger_text(found, rows), is_json=is_json)
    if SlotOutcome.UNACCOUNTED in found.counts:
        raise click.exceptions.Exit(1)


def _said(row: VersionRow, words: list[str]) -> list[str]:
    if row.before is None:
        return ["made" if row.number == 1 else "the first that is kept"]
    restored = [] if row.restored_from is None else [f"restored version {row.restored_from}"]
    return [*restored, *words] or ["-"]


def _version(row: VersionRow) -> dict[str, Any]:
    return {
        "version": row.number,
        "at": moment(row.at),
        "by": row.by or None,
        "restored_from": row.restored_from,
        "changes": [
            {"field": change.field, "before": change.before, "after": change.after} for change in row.differences
        ],
        "says": dict(row.says),
    }


def _ledger(found: SlotLedger, rows: list[SlotRow]) -> dict[str, Any]:
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


def _ledger_text(found: SlotLedger, rows: list[SlotRow]) -> str:
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
