"""`belfry schedules history` and `gaps`: what became of the slots of one schedule."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.jobs.queries import job_names
from app.ops.schedule_history import HistoryEntry, HistoryKind, list_history
from app.ops.time_bounds import read_bound
from app.runs.queries import RunRow
from app.schedules.gaps import GapRow, MissedFilter, list_gaps, list_missed
from app.schedules.queries import get_schedule
from app.schedules.version_words import change_words, jobs_named, version_lines
from app.schedules.versions import Difference, VersionRow
from app.tenants.roster import get_organization

MOST = 1000

T = TypeVar("T")

how_many = click.option("--limit", default=20, show_default=True, type=click.IntRange(1, MOST))


@click.command()
@schedule_argument
@how_many
@click.option("--kind", type=choice_of(HistoryKind), help="Only runs, changes, or gaps with skipped slots and repairs.")
@with_organization
@as_json
@pass_console
def history(console: Console, schedule_id: UUID, limit: int, kind: str | None, is_json: bool) -> None:
    """Show the runs of a schedule, the gaps between them, repairs and who changed what, newest first.

    SCHEDULE is its name, its id, or the one that it has in code.
    """
    with console.reading() as desk:
        organization_id = desk.actor.organization_id
        schedule = get_schedule(desk.session, organization_id=organization_id, schedule_id=schedule_id)
        found = list_history(
            desk.session, organization_id=organization_id, schedule_id=schedule.id, limit=limit,
            kind=None if kind is None else HistoryKind(kind),
        )  # fmt: skip
        changes = [change for entry in found if entry.change is not None for change in entry.change.differences]
        jobs = job_names(desk.session, organization_id=organization_id, job_ids=jobs_named(changes))
    cells = [[str(moment(entry.at)), *_cells(entry, jobs)] for entry in found]
    text = table(["AT", "WHAT", "RUN OR SLOTS", "WHY"], cells, empty="Nothing has happened yet.")
    show([_entry(entry, jobs) for entry in found], text, is_json=is_json)


@click.command()
@schedule_argument
@how_many
@with_organization
@as_json
@pass_console
def gaps(console: Console, schedule_id: UUID, limit: int, is_json: bool) -> None:
    """Show the slots of a schedule that nobody executed, newest first.

    SCHEDULE is its name, its id, or the one that it has in code.
    """
    found = _read(console, schedule_id, limit, list_gaps)
    facts = [_gap(gap) for gap in found]
    cells = [[str(fact["first_slot"]), str(fact["last_slot"]), str(fact["slots"]), _why(gap)]
             for fact, gap in zip(facts, found, strict=True)]  # fmt: skip
    text = table(["FIRST SLOT", "LAST SLOT", "SLOTS", "WHY"], cells, empty="Every slot was executed.")
    show(facts, text, is_json=is_json)


@click.command("missed")
@click.option("--since", default="", metavar="WHEN", help="A day on the organization's clock, or an instant.")
@click.option("--until", default="", metavar="WHEN", help="The same; a day is included.")
@how_many
@with_organization
@as_json
@pass_console
def missed_slots(console: Console, since: str, until: str, limit: int, is_json: bool) -> None:
    """List the slots of all schedules that nobody executed, newest first.

    Those of a pause or a stop were left out on purpose, and are not among them.
    """
    with console.reading() as desk:
        here = desk.actor.organization_id
        zone = get_organization(desk.session, organization_id=here).timezone
        wanted = MissedFilter(
            since=read_bound(since, zone=zone, name="--since"),
            until=read_bound(until, zone=zone, name="--until", is_end=True),
        )
        found = list_missed(desk.session, organization_id=here, wanted=wanted, limit=limit)
    facts = [{"schedule_id": str(row.schedule_id), "schedule": row.schedule_name, **_gap(row.gap)} for row in found]
    cells = [[row.schedule_name, str(fact["first_slot"]), str(fact["last_slot"]), str(fact["slots"]), _why(row.gap)]
             for fact, row in zip(facts, found, strict=True)]  # fmt: skip
    headings = ["SCHEDULE", "FIRST SLOT", "LAST SLOT", "SLOTS", "WHY"]
    show(facts, table(headings, cells, empty="Nothing was missed."), is_json=is_json)


def _read(console: Console, schedule_id: UUID, limit: int, read: Callable[..., list[T]]) -> list[T]:
    with console.reading() as desk:
        here = desk.actor.organization_id
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        return read(desk.session, organization_id=here, schedule_id=schedule.id, limit=limit)


def _cells(entry: HistoryEntry, jobs: Mapping[UUID, str]) -> list[str]:
    if entry.run is not None:
        return [entry.run.state.value, str(entry.run.id), entry.run.error or entry.run.trigger.value]
    if entry.gap is not None:
        return ["gap", f"{entry.gap.slots} from {moment(entry.gap.first_slot_at)}", _why(entry.gap)]
    if entry.change is not None:
        words = "; ".join(version_lines(entry.change, jobs=jobs))
        return ["changed", f"version {entry.change.number} by {entry.change.by or '-'}", words]
    return ["repaired", "-", entry.repair or "-"]


def _why(gap: GapRow) -> str:
    return gap.explanation or gap.reason.value.replace("_", " ")


def _entry(entry: HistoryEntry, jobs: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "at": moment(entry.at),
        "run": None if entry.run is None else _run(entry.run),
        "gap": None if entry.gap is None else _gap(entry.gap),
        "repair": entry.repair,
        "change": None if entry.change is None else _change(entry.change, jobs),
    }


def _change(row: VersionRow, jobs: Mapping[UUID, str]) -> dict[str, Any]:
    changes = [change_facts(each, jobs) for each in row.differences]
    facts = {"version": row.number, "by": row.by or None, "restored_from": row.restored_from}
    return {**facts, "changes": changes, "words": list(version_lines(row, jobs=jobs))}


def change_facts(change: Difference, jobs: Mapping[UUID, str]) -> dict[str, Any]:
    """One field of a change, as it is stored and in words."""
    return change_fact(change, change_words(change, jobs=jobs))


def change_fact(change: Difference, words: str) -> dict[str, Any]:
    """The same with words that are known."""
    return {"field": change.field, "before": change.before, "after": change.after, "words": words}


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
