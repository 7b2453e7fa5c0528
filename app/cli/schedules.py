"""`belfry schedules`: list, preview, create, edit, switch, run, delete. Its history is in schedule_history.py."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import click

from app.cli.code import read_parameters, revert_to_code, set_parameters, show_code_schedules
from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.schedule_company import company_facts, company_lines, company_of, warn_of_twins
from app.cli.schedule_history import gaps, history
from app.cli.why import why_of_schedule
from app.core.errors import Invalid
from app.core.ids import new_id
from app.jobs.queries import get_job
from app.ops.kinds import job_kinds
from app.runs import service
from app.runs.resuming import missed_meanwhile
from app.schedules.describe import describe, notes
from app.schedules.drafts import draft_of
from app.schedules.fire_times import Rhythm, fire_times, rhythm
from app.schedules.policies import DEFAULT_MISSED_LIMIT, Missed, Overlap
from app.schedules.policy_fields import read_length
from app.schedules.queries import ScheduleRow, get_schedule, list_schedules
from app.schedules.service import ScheduleDraft, create_schedule
from app.schedules.slot_accounts import MissedSlots

NO_SCHEDULES = "No schedules yet. Make one in the browser, under Schedules."
MOST_PREVIEWED = 1000
# A calendar ends in 9999, and a zone's offset has to fit in before that.
FROM_YEARS = range(1970, 9991)


MAX_AGE_HELP = "How old a missed slot may be that still runs, such as 90m, 36h or 7d."


class FromInvalid(Invalid):
    """The start of a preview cannot be read."""


@click.group()
def schedules() -> None:
    """See and steer schedules."""


schedules.add_command(why_of_schedule)
schedules.add_command(history)
schedules.add_command(gaps)
schedules.add_command(revert_to_code)


@schedules.command("list")
@click.option("--code", "is_code", is_flag=True, help="Those that code defines, of the whole installation.")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_code: bool, is_json: bool) -> None:
    """List the schedules of an organization."""
    if is_code:
        show_code_schedules(console, is_json=is_json)
        return
    problem = console.why_empty()
    if problem is not None:
        # Empty and not an error: whoever reads this in a loop goes on once the database is there.
        click.echo(problem, err=True)
        show([], NO_SCHEDULES, is_json=is_json)
        return
    with console.reading() as desk:
        rows = list_schedules(desk.session, organization_id=desk.actor.organization_id)
    headings = ["ID", "NAME", "JOB", "CRON", "ZONE", "STATE", "NEXT RUN", "PROBLEM"]
    cells = [[str(cell or "-") for cell in _facts(row).values()] for row in rows]
    show([_facts(row) for row in rows], table(headings, cells, empty=NO_SCHEDULES), is_json=is_json)


@schedules.command()
@click.argument("cron")
@click.option("--zone", "--timezone", default="UTC", show_default=True, help="IANA time zone.")
@click.option("--from", "start", metavar="WHEN", help="A date (midnight in the zone) or an instant; now by default.")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, MOST_PREVIEWED))
@click.option("--spread-key", default="", help="What H is spread by.")
@click.option("--job", "job_id", type=click.UUID, help="Say also what else starts then, and whether it has a twin.")
@with_organization
@as_json
@pass_console
def preview(
    console: Console,
    cron: str,
    zone: str,
    start: str | None,
    count: int,
    spread_key: str,
    job_id: UUID | None,
    is_json: bool,
) -> None:
    """Show when a cron text fires, exactly as the scheduler will."""
    when = rhythm(cron, timezone=zone, spread_key=spread_key)
    begin = _read_start(start, when)
    # The start itself counts, and "strictly after" is how fire times are asked for.
    found = fire_times(when, after=begin - timedelta(microseconds=1), limit=count)
    remarks, company = notes(when, now=begin), company_of(console, when, job_id)
    value = {
        "cron": when.cron.text,
        "zone": when.zone.name,
        "description": describe(when),
        "instants": [moment(at) for at in found],
        "notes": list(remarks),
        **company_facts(company),
    }
    lines = [describe(when), *(_line(at, when) for at in found), *remarks, *company_lines(company)]
    show(value, "\n".join(lines), is_json=is_json)


@schedules.command()
@click.argument("name")
@click.option("--job", "job_id", type=click.UUID, required=True)
@click.option("--cron", required=True)
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone.")
@click.option("--overlap", default=Overlap.SKIP.value, show_default=True, type=choice_of(Overlap))
@click.option("--missed", default=Missed.LATEST.value, show_default=True, type=choice_of(Missed))
@click.option("--missed-limit", default=DEFAULT_MISSED_LIMIT, show_default=True, help="How many, with --missed all.")
@click.option("--max-age", "max_age", metavar="LENGTH", help=MAX_AGE_HELP)
@click.option("--notes", default="", help="What others should know about it.")
@click.option("--disabled", is_flag=True, help="Make it switched off.")
@with_organization
@as_json
@pass_console
def create(
    console: Console,
    name: str,
    job_id: UUID,
    cron: str,
    zone: str,
    overlap: str,
    missed: str,
    missed_limit: int,
    max_age: str | None,
    notes: str,
    disabled: bool,
    is_json: bool,
) -> None:
    """Put a job on a schedule."""
    draft = ScheduleDraft(
        name=name,
        job_id=job_id,
        cron=cron,
        timezone=zone,
        spread_key=new_id().hex,
        enabled=not disabled,
        overlap=Overlap(overlap),
        missed=Missed(missed),
        missed_max_age_seconds=None if max_age is None else read_length(max_age),
        missed_limit=missed_limit,
        notes=notes,
    )
    with console.desk() as desk:
        schedule_id = create_schedule(desk.session, actor=desk.actor, draft=draft, now=desk.now)
        warn_of_twins(desk, schedule_id)
    show({"schedule": str(schedule_id)}, f"Made schedule {schedule_id}.", is_json=is_json)


@schedules.command()
@click.argument("schedule_id", type=click.UUID)
@click.option("--name")
@click.option("--cron")
@click.option("--zone", help="IANA time zone.")
@click.option("--overlap", type=choice_of(Overlap))
@click.option("--missed", type=choice_of(Missed))
@click.option("--missed-limit", type=int, help="How many, with --missed all.")
@click.option("--max-age", "max_age", metavar="LENGTH", help=MAX_AGE_HELP)
@click.option("--notes", help="What others should know about it.")
@with_organization
@pass_console
def edit(
    console: Console,
    schedule_id: UUID,
    name: str | None,
    cron: str | None,
    zone: str | None,
    overlap: str | None,
    missed: str | None,
    missed_limit: int | None,
    max_age: str | None,
    notes: str | None,
) -> None:
    """Change what is named; the rest stays as it is."""
    named = {
        "name": name,
        "cron": cron,
        "timezone": zone,
        "overlap": overlap and Overlap(overlap),
        "missed": missed and Missed(missed),
        "missed_limit": missed_limit,
        "missed_max_age_seconds": None if max_age is None else read_length(max_age),
        "notes": notes,
    }
    changes: dict[str, Any] = {field: value for field, value in named.items() if value is not None}
    with console.desk() as desk:
        old = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
        draft = replace(draft_of(old), **changes)
        service.edit_schedule(
            desk.session, actor=desk.actor, schedule_id=schedule_id, draft=draft, version=old.version, now=desk.now
        )
        warn_of_twins(desk, schedule_id)
    click.echo("Changed.")


@schedules.command()
@click.argument("schedule_id", type=click.UUID)
@click.option(
    "--missed",
    default=Missed.SKIP.value,
    show_default=True,
    type=choice_of(Missed),
    help="What becomes of the slots that it missed while it was off: run the latest or all, or leave them.",
)
@with_organization
@pass_console
def enable(console: Console, schedule_id: UUID, missed: str) -> None:
    """Switch a schedule on."""
    with console.desk() as desk:
        before = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
        found = missed_meanwhile(before, now=desk.now)
        made_up = service.switch_schedule(
            desk.session, actor=desk.actor, schedule_id=schedule_id, enabled=True, now=desk.now, missed=Missed(missed)
        )
    click.echo(f"Enabled. {_missed_words(found, made_up)}".strip())


@schedules.command()
@click.argument("schedule_id", type=click.UUID)
@with_organization
@pass_console
def disable(console: Console, schedule_id: UUID) -> None:
    """Switch a schedule off."""
    with console.desk() as desk:
        service.switch_schedule(desk.session, actor=desk.actor, schedule_id=schedule_id, enabled=False, now=desk.now)
    click.echo("Disabled.")


@schedules.command()
@click.argument("schedule_id", type=click.UUID)
@set_parameters
@with_organization
@as_json
@pass_console
def run(console: Console, schedule_id: UUID, parameters: tuple[str, ...], is_json: bool) -> None:
    """Start a schedule's job now."""
    given, kinds = read_parameters(parameters), job_kinds(console.settings)
    with console.desk() as desk:
        here = desk.actor.organization_id
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        job = get_job(desk.session, organization_id=here, job_id=schedule.job_id)
        run_id = service.run_schedule_now(
            desk.session,
            actor=desk.actor,
            schedule_id=schedule_id,
            request_key=str(uuid4()),
            arguments=kinds[job.kind].check_arguments(job.definition, given) if given else None,
            now=desk.now,
        )
    show({"run": str(run_id)}, f"Started run {run_id}. Watch it with: belfry runs tail {run_id}", is_json=is_json)


@schedules.command()
@click.argument("schedule_id", type=click.UUID)
@with_organization
@pass_console
def delete(console: Console, schedule_id: UUID) -> None:
    """Delete a schedule. Its runs stay."""
    with console.desk() as desk:
        service.delete_schedule(desk.session, actor=desk.actor, schedule_id=schedule_id, now=desk.now)
    click.echo("Deleted.")


def _missed_words(missed: MissedSlots | None, made_up: int) -> str:
    if missed is None:
        return ""
    slots = "1 slot" if missed.count == 1 else f"{missed.count:,} slots"
    begin = f"{slots} missed while it was off, {moment(missed.first)} to {moment(missed.last)}:"
    if made_up == 0:
        return f"{begin} left in a gap. To run them, say --missed latest or all."
    if made_up == missed.count:
        return f"{begin} {'it runs' if made_up == 1 else 'all run'} now."
    return (
        f"{begin} {'the latest runs' if made_up == 1 else f'the newest {made_up} run'} now, the rest is left in a gap."
    )


def _facts(row: ScheduleRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "job": row.job_name,
        "cron": row.cron,
        "zone": row.timezone,
        "state": "enabled" if row.enabled else "disabled",
        "next_run": moment(row.next_run_at),
        "problem": row.problem,
    }


def _read_start(text: str | None, when: Rhythm) -> datetime:
    if text is None:
        return datetime.now(when.zone.tzinfo)
    begin = _parse_start(text, when)
    if begin.year not in FROM_YEARS:
        raise FromInvalid(f"--from {text!r} is out of reach. Use the years {FROM_YEARS[0]} to {FROM_YEARS[-1]}.")
    return begin


def _parse_start(text: str, when: Rhythm) -> datetime:
    try:
        if len(text) == len("2027-03-13"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=when.zone.tzinfo)
        begin = datetime.fromisoformat(text)
    except ValueError as error:
        raise FromInvalid(
            f"--from {text!r} is neither a date nor an instant. Write 2027-03-13 or 2027-03-13T08:00:00Z."
        ) from error
    return begin if begin.tzinfo else begin.replace(tzinfo=when.zone.tzinfo)


def _line(at: datetime, when: Rhythm) -> str:
    return f"{at.astimezone(when.zone.tzinfo):%a %d %b %Y %H:%M %z}  {moment(at)}"
