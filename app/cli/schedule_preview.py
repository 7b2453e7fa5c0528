"""`belfry schedules preview`: when a cron text fires, asked of the same function as the scheduler."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import click

from app.cli.code_names import schedule_option
from app.cli.console import Console, as_json, moment, pass_console, show, with_organization
from app.cli.rhythm_options import read_moment, read_said, spread_key_option, when_options
from app.cli.schedule_company import Company, company_facts, company_lines, company_of
from app.schedules.describe import describe, notes
from app.schedules.fire_times import Rhythm, fire_times
from app.schedules.intervals import complete_interval
from app.schedules.proposals import Proposal, propose_change, propose_new
from app.schedules.queries import ScheduleRow
from app.schedules.ways_out import ways_out
from app.schedules.zones import find_zone

MOST_PREVIEWED = 1000


@click.command()
@click.argument("cron")
@click.option("--zone", "--timezone", help="IANA time zone; unless given, that of the schedule, or UTC.")
@click.option("--from", "start", metavar="WHEN", help="A date (midnight in the zone) or an instant; now by default.")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, MOST_PREVIEWED))
@spread_key_option
@click.option("--job", "job_id", type=click.UUID, help="Say also what else starts then, and whether it has a twin.")
@click.option("--name", help="What it would be called: with --job, it decides what H stands for.")
@schedule_option("The schedule that this would become, by name or id.")
@when_options
@with_organization
@as_json
@pass_console
def preview(
    console: Console,
    cron: str,
    zone: str | None,
    start: str | None,
    count: int,
    spread_key: str,
    job_id: UUID | None,
    name: str | None,
    schedule_id: UUID | None,
    said: dict[str, Any],
    is_json: bool,
) -> None:
    """Show when a cron text fires, exactly as the scheduler will."""
    with company_of(console, schedule_id, job_id) as company:
        before = company.before
        where = zone or ("UTC" if before is None else before.timezone)
        begin = _read_start(start, where)
        wanted = read_said(said, timezone=where) | {"cron": _completed(cron, where), "timezone": where}
        wanted |= {"spread_key": spread_key} if spread_key else {}
        found = _propose(wanted, before, company, job_id, name, begin)
        company.look_around(found.when)
    when = found.when
    # The start itself counts, and "strictly after" is how fire times are asked for.
    runs = fire_times(when, after=begin - timedelta(microseconds=1), limit=count)
    remarks = [*filter(None, [found.note]), *notes(when, now=begin, shown_until=runs[-1] if runs else None)]
    ways = ways_out(when, now=begin)
    value = {
        "cron": when.cron.text,
        "zone": when.zone.name,
        "description": describe(when),
        "instants": [moment(at) for at in runs],
        "notes": remarks,
        "ways_out": [{"cron": text, "zone": name} for text, name in ways],
        "spread_key": found.spread_key,
        **company_facts(company),
    }
    avoid = f"Avoid it: {', or '.join(f'“{text}” in {name}' for text, name in ways)}." if ways else None
    lines = [
        describe(when),
        *(_line(at, when) for at in runs),
        *remarks,
        *filter(None, [avoid]),
        *company_lines(company),
    ]
    show(value, "\n".join(lines), is_json=is_json)


def _propose(
    said: dict[str, Any], before: ScheduleRow | None, company: Company, job_id: UUID | None, name: str | None,
    now: datetime,
) -> Proposal:  # fmt: skip
    if before is not None:
        return propose_change(said, before=before, now=now)
    return propose_new(said, organization_id=company.organization_id, job_id=job_id, name=name, now=now)


def _completed(cron: str, zone: str) -> str:
    # An interval begins today, from whatever day on its runs are asked for.
    return complete_interval(cron, datetime.now(UTC).astimezone(find_zone(zone).tzinfo).date())


def _read_start(text: str | None, zone: str) -> datetime:
    where = find_zone(zone)
    return datetime.now(where.tzinfo) if text is None else read_moment(text, where, option="--from")


def _line(at: datetime, when: Rhythm) -> str:
    clock = "%H:%M:%S" if at.second else "%H:%M"
    return f"{at.astimezone(when.zone.tzinfo):%a %d %b %Y {clock} %z}  {moment(at)}"
