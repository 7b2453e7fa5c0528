"""`belfry audit`: who did what in an organization, and from what to what."""

from itertools import chain
from uuid import UUID

import click

from app.cli.console import Console, as_json, moment, pass_console, table, with_organization
from app.cli.terminal import say
from app.ops.audit_files import Parts, csv_parts, json_parts, read_parts
from app.ops.time_bounds import read_bound
from app.tenants.audit_filter import AuditFilter
from app.tenants.roster import get_organization

USUAL = 50


@click.group()
def audit() -> None:
    """See who did what."""


@audit.command("list")
@click.option("--actor", default="", metavar="WHO", help="An e-mail address with all its tokens, or “command line”.")
@click.option("--action", default="", help="“schedule.edited”, or “schedule” for all that is done to schedules.")
@click.option("--kind", default="", help="What it was done to: schedule, job, run, user, queue …")
@click.option("--subject", type=click.UUID, metavar="ID", help="One thing, also one that is gone.")
@click.option("--since", default="", metavar="WHEN", help="A day on the organization's clock, or an instant.")
@click.option("--until", default="", metavar="WHEN", help="The same; a day is included.")
@click.option(
    "--limit", type=click.IntRange(1), help=f"How many at most; {USUAL} in a table, all with --csv or --json."
)
@click.option("--csv", "is_csv", is_flag=True, help="Print comma-separated values.")
@with_organization
@as_json
@pass_console
def list_command(
    console: Console, actor: str, action: str, kind: str, subject: UUID | None, since: str, until: str,
    limit: int | None, is_csv: bool, is_json: bool,
) -> None:  # fmt: skip
    """List what was done, newest first: with --csv or --json everything that matches.

    What was done to the installation itself is in the organization System.
    """
    if is_csv and is_json:
        raise click.UsageError("Say --csv or --json, not both.")
    with console.reading() as desk:
        here = desk.actor.organization_id
        zone = get_organization(desk.session, organization_id=here).timezone
    wanted = AuditFilter(
        actor=actor,
        action=action,
        subject_kind=kind,
        subject_id=subject,
        since=read_bound(since, zone=zone, name="--since"),
        until=read_bound(until, zone=zone, name="--until", is_end=True),
    )
    parts = read_parts(console.database, organization_id=here, audit_filter=wanted)
    if is_csv or is_json:
        # Printed as it is read: it may be more than fits into memory.
        for text in (csv_parts if is_csv else json_parts)(_first(parts, limit)):
            click.echo(text, nl=False)
        return
    say(_table(_first(parts, limit or USUAL)))


def _first(parts: Parts, limit: int | None) -> Parts:
    if limit is None:
        yield from parts
        return
    for lines in parts:
        yield lines[:limit]
        limit -= len(lines)
        if limit <= 0:
            return


def _table(parts: Parts) -> str:
    cells = [
        [str(moment(line.row.at)), line.row.by, line.row.action, line.row.summary, "; ".join(line.words) or "-"]
        for line in chain.from_iterable(parts)
    ]
    headings = ["AT", "BY", "ACTION", "SUMMARY", "FROM WHAT TO WHAT"]
    return table(headings, cells, empty="Nothing was done that matches.")
