"""`belfry schedules deleted` and `undelete`: schedules that were deleted lately, and their way back."""

import click

from app.cli.console import Console, as_json, moment, pass_console, show, table, with_organization
from app.core.errors import Conflict
from app.schedules.deleted import (
    KEPT_WORDS,
    DeletedSchedule,
    DeletedScheduleNotFound,
    bring_back,
    find_deleted,
    list_deleted,
)

MOST = 1_000


class DeletedNameUnclear(Conflict):
    """Several deleted schedules are called so."""


@click.command("deleted")
@with_organization
@as_json
@pass_console
def deleted(console: Console, is_json: bool) -> None:
    """List the schedules that were deleted within the last 30 days, the last one first."""
    with console.reading() as desk:
        rows = list_deleted(desk.session, organization_id=desk.actor.organization_id, now=desk.now, limit=MOST)
    cells = [
        [str(one.row.id), one.row.name, str(moment(one.at)), one.by or "-", str(moment(one.until)), one.why_not or "-"]
        for one in rows
    ]
    headings = ["ID", "NAME", "DELETED", "BY", "KEPT UNTIL", "PROBLEM"]
    text = table(headings, cells, empty=f"Nothing was deleted within the last {KEPT_WORDS}.")
    show([_facts(one) for one in rows], text, is_json=is_json)


@click.command("undelete")
@click.argument("name", metavar="SCHEDULE")
@with_organization
@as_json
@pass_console
def undelete(console: Console, name: str, is_json: bool) -> None:
    """Bring a deleted schedule back as it was, with its history and its next run.

    SCHEDULE is its name or its id, as `belfry schedules deleted` shows them.
    """
    with console.desk() as desk:
        found = find_deleted(desk.session, organization_id=desk.actor.organization_id, name=name, now=desk.now)
        if not found:
            raise DeletedScheduleNotFound(
                f"No schedule “{name}” was deleted here within the last {KEPT_WORDS}. See: belfry schedules deleted"
            )
        if len(found) > 1:
            ids = ", ".join(str(one.row.id) for one in found)
            raise DeletedNameUnclear(f"{len(found)} deleted schedules are called “{name}”. Say the id: {ids}")
        bring_back(desk.session, actor=desk.actor, schedule_id=found[0].row.id, now=desk.now)
    show({"schedule": str(found[0].row.id)}, f"{found[0].row.name} is back.", is_json=is_json)


def _facts(one: DeletedSchedule) -> dict[str, object]:
    return {
        "id": str(one.row.id), "name": one.row.name, "job": one.row.job_name, "deleted_at": moment(one.at),
        "deleted_by": one.by, "was_enabled": one.was_enabled, "kept_until": moment(one.until), "why_not": one.why_not,
    }  # fmt: skip
