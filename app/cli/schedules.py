"""`belfry schedules`: list, create, edit, switch, run, delete. Preview and history are modules of their own."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import click

from app.cli.bulk import bulk_schedules
from app.cli.code import revert_to_code, show_code_schedules
from app.cli.code_names import schedule_argument
from app.cli.console import Console, Desk, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.deleted_schedules import deleted, undelete
from app.cli.dry_runs import dry_run_option, onlooker, show_foresight
from app.cli.resuming import enable
from app.cli.rhythm_options import CRON_HELP, read_said, spread_key_option, tag_options, when_options
from app.cli.schedule_company import warn_of_twins
from app.cli.schedule_history import gaps, history, missed_slots
from app.cli.schedule_mute import mute
from app.cli.schedule_owner import owner
from app.cli.schedule_preview import preview
from app.cli.schedule_show import show_schedule
from app.cli.schedule_validate import validate
from app.cli.schedule_versions import duplicate, restore, slots, versions
from app.cli.starting import given_on_line, set_parameters, show_started
from app.cli.terminal import say
from app.cli.why import why_of_schedule
from app.jobs.queries import get_job
from app.ops.kinds import job_kinds
from app.ops.schedule_foresight import foresee_deletion, foresee_edit, foresee_switch
from app.ops.schedule_glances import GlanceFilter, matching_schedules
from app.ops.schedule_health import ScheduleStatus
from app.ops.schedule_order import ScheduleOrder, SortKey, ordered_ids
from app.runs import service
from app.schedules.drafts import draft_of
from app.schedules.policies import DEFAULT_MISSED_LIMIT, Missed, Overlap
from app.schedules.policy_fields import read_length
from app.schedules.policy_words import schedule_policy_sentences
from app.schedules.queries import ScheduleFilter, ScheduleRow, get_schedule, list_schedules
from app.schedules.service import ScheduleDraft, create_schedule
from app.schedules.spread_keys import spread_key_of

NO_SCHEDULES = "No schedules yet. Make one in the browser, under Schedules."
ORDERS = ("", *(f"{way}{key.value}" for way in ("", "-") for key in SortKey))
SORT_HELP = "By next run, name, success within 7 days (worst first) or length of the last run; with a - the other way."
MAX_AGE_HELP = "How old a missed slot may be that still runs, such as 90m, 36h or 7d."


@click.group()
def schedules() -> None:
    """See and steer schedules."""


for command in (
    enable, preview, validate, why_of_schedule, show_schedule, history, gaps, missed_slots, revert_to_code, versions,
    restore, duplicate, slots, bulk_schedules, deleted, undelete, owner,
    mute,
):  # fmt: skip
    schedules.add_command(command)


@schedules.command("list")
@click.option("--code", "is_code", is_flag=True, help="Those that code defines, of the whole installation.")
@click.option("--tag", help="Those with this tag alone.")
@click.option("--status", type=choice_of(ScheduleStatus), help="Those alone that fare so, or that are enabled.")
@click.option("--owner", default="", metavar="EMAIL", help="Those alone that are this member's, or nobody's: nobody.")
@click.option("--search", default="", help="Those alone with this in their name.")
@click.option("--sort", type=click.Choice(ORDERS), default="", help=SORT_HELP)
@with_organization
@as_json
@pass_console
def list_command(
    console: Console, is_code: bool, tag: str | None, status: str | None, owner: str, search: str, sort: str,
    is_json: bool,
) -> None:  # fmt: skip
    """List the schedules of an organization."""
    if is_code:
        show_code_schedules(console, is_json=is_json)
        return
    problem = console.why_empty()
    if problem is not None:
        # Empty and not an error: whoever reads this in a loop goes on once the database is there.
        say(problem, err=True)
        show([], NO_SCHEDULES, is_json=is_json)
        return
    with console.reading() as desk:
        here = desk.actor.organization_id
        rows = list_schedules(desk.session, organization_id=here, tag=tag)
        wanted = GlanceFilter(query=search, status=ScheduleStatus(status) if status else None, owner=owner)
        matching = matching_schedules(desk.session, organization_id=here, wanted=wanted, now=desk.now)
        rows = [row for row in rows if row.id in matching]
        if sort:
            rows = _sorted(desk, rows, ScheduleOrder.read(sort) or ScheduleOrder())
    headings = ["ID", "NAME", "JOB", "CRON", "TAGS", "ZONE", "OWNER", "STATE", "NEXT RUN", "PROBLEM"]
    cells = [[_cell(fact) for fact in _facts(row).values()] for row in rows]
    facts = [_facts(row) | {"policies_in_words": schedule_policy_sentences(row)} for row in rows]
    show(facts, table(headings, cells, empty=NO_SCHEDULES), is_json=is_json)


def _sorted(desk: Desk, rows: list[ScheduleRow], order: ScheduleOrder) -> list[ScheduleRow]:
    narrowed = ScheduleFilter(ids=[row.id for row in rows])
    here = desk.actor.organization_id
    ids = ordered_ids(desk.session, organization_id=here, schedule_filter=narrowed, order=order, now=desk.now)
    places = {schedule_id: place for place, schedule_id in enumerate(ids)}
    return sorted(rows, key=lambda row: places[row.id])


@schedules.command()
@click.argument("name")
@click.option("--job", "job_id", type=click.UUID, required=True)
@click.option("--cron", "lines", required=True, multiple=True, help=CRON_HELP)
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone.")
@when_options
@tag_options
@click.option("--overlap", default=Overlap.SKIP.value, show_default=True, type=choice_of(Overlap))
@click.option("--missed", default=Missed.LATEST.value, show_default=True, type=choice_of(Missed))
@click.option("--missed-limit", default=DEFAULT_MISSED_LIMIT, show_default=True, help="How many, with --missed all.")
@click.option("--max-age", "max_age", metavar="LENGTH", help=MAX_AGE_HELP)
@click.option("--notes", default="", help="What others should know about it.")
@spread_key_option
@click.option("--disabled", is_flag=True, help="Make it switched off.")
@with_organization
@as_json
@pass_console
def create(
    console: Console,
    name: str,
    job_id: UUID,
    lines: tuple[str, ...],
    zone: str,
    said: dict[str, Any],
    tags: tuple[str, ...],
    overlap: str,
    missed: str,
    missed_limit: int,
    max_age: str | None,
    notes: str,
    spread_key: str,
    disabled: bool,
    is_json: bool,
) -> None:
    """Put a job on a schedule."""
    draft = ScheduleDraft(
        name=name,
        job_id=job_id,
        cron="\n".join(lines),
        timezone=zone,
        spread_key=spread_key,
        enabled=not disabled,
        overlap=Overlap(overlap),
        missed=Missed(missed),
        missed_max_age_seconds=None if max_age is None else read_length(max_age),
        missed_limit=missed_limit,
        notes=notes,
        tags=tags,
        **read_said(said, timezone=zone),
    )
    with console.desk() as desk:
        key = draft.spread_key or spread_key_of(desk.actor.organization_id, job_id, name)
        draft = replace(draft, spread_key=key)
        schedule_id = create_schedule(desk.session, actor=desk.actor, draft=draft, now=desk.now)
        warn_of_twins(desk, schedule_id)
    show({"schedule": str(schedule_id)}, f"Made schedule {schedule_id}.", is_json=is_json)


@schedules.command()
@schedule_argument
@click.option("--name")
@click.option("--cron", "lines", multiple=True, help=CRON_HELP)
@click.option("--zone", help="IANA time zone.")
@when_options
@click.option("--tag", "tags", multiple=True, help="Instead of those it has; an empty one takes them away.")
@click.option("--overlap", type=choice_of(Overlap))
@click.option("--missed", type=choice_of(Missed))
@click.option("--missed-limit", type=int, help="How many, with --missed all.")
@click.option("--max-age", "max_age", metavar="LENGTH", help=MAX_AGE_HELP)
@click.option("--notes", help="What others should know about it.")
@dry_run_option
@with_organization
@as_json
@pass_console
def edit(
    console: Console,
    schedule_id: UUID,
    name: str | None,
    lines: tuple[str, ...],
    zone: str | None,
    said: dict[str, Any],
    tags: tuple[str, ...],
    overlap: str | None,
    missed: str | None,
    missed_limit: int | None,
    max_age: str | None,
    notes: str | None,
    is_dry: bool,
    is_json: bool,
) -> None:
    """Change what is named; the rest stays as it is."""
    named = {
        "name": name,
        "cron": "\n".join(lines) or None,
        "timezone": zone,
        "tags": tags or None,
        "overlap": overlap and Overlap(overlap),
        "missed": missed and Missed(missed),
        "missed_limit": missed_limit,
        "missed_max_age_seconds": None if max_age is None else read_length(max_age),
        "notes": notes,
    }
    changes: dict[str, Any] = {field: value for field, value in named.items() if value is not None}
    with console.reading() if is_dry else console.desk() as desk:
        old = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
        draft = replace(draft_of(old), **changes, **read_said(said, timezone=zone or old.timezone))
        if is_dry:
            by = onlooker(desk, old)
            show_foresight(foresee_edit(desk.session, old, draft=draft, version=old.version, by=by), is_json=is_json)
            return
        service.edit_schedule(
            desk.session, actor=desk.actor, schedule_id=schedule_id, draft=draft, version=old.version, now=desk.now
        )
        warn_of_twins(desk, schedule_id)
    show({"schedule": str(schedule_id)}, "Changed.", is_json=is_json)


@schedules.command()
@schedule_argument
@dry_run_option
@with_organization
@as_json
@pass_console
def disable(console: Console, schedule_id: UUID, is_dry: bool, is_json: bool) -> None:
    """Switch a schedule off."""
    if is_dry:
        with console.reading() as desk:
            row = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
            found = foresee_switch(desk.session, row, is_on=False, by=onlooker(desk, row))
        show_foresight(found, is_json=is_json)
        return
    with console.desk() as desk:
        service.switch_schedule(desk.session, actor=desk.actor, schedule_id=schedule_id, enabled=False, now=desk.now)
    show({"schedule": str(schedule_id)}, "Disabled.", is_json=is_json)


@schedules.command()
@schedule_argument
@set_parameters
@with_organization
@as_json
@pass_console
def run(console: Console, schedule_id: UUID, parameters: tuple[str, ...], is_json: bool) -> None:
    """Start a schedule's job now."""
    with console.desk() as desk:
        here = desk.actor.organization_id
        schedule = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        job = get_job(desk.session, organization_id=here, job_id=schedule.job_id)
        run_id = service.run_schedule_now(
            desk.session,
            actor=desk.actor,
            schedule_id=schedule_id,
            request_key=str(uuid4()),
            given=given_on_line(job, parameters, kinds=job_kinds(console.settings)),
            now=desk.now,
        )
    show_started(run_id, is_json=is_json)


@schedules.command()
@schedule_argument
@dry_run_option
@with_organization
@as_json
@pass_console
def delete(console: Console, schedule_id: UUID, is_dry: bool, is_json: bool) -> None:
    """Delete a schedule. Its runs stay, and for 30 days `belfry schedules undelete` brings it back."""
    if is_dry:
        with console.reading() as desk:
            row = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
            found = foresee_deletion(desk.session, row, by=onlooker(desk, row))
        show_foresight(found, is_json=is_json)
        return
    with console.desk() as desk:
        service.delete_schedule(desk.session, actor=desk.actor, schedule_id=schedule_id, now=desk.now)
    show({"schedule": str(schedule_id)}, "Deleted.", is_json=is_json)


def _cell(fact: Any) -> str:
    words = ", ".join(fact) if isinstance(fact, list) else str(fact or "")
    return words.replace("\n", "; ") or "-"


def _facts(row: ScheduleRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "job": row.job_name,
        "cron": row.cron,
        "tags": list(row.tags),
        "zone": row.timezone,
        "owner": row.owner if row.owner_id else None,
        "state": "enabled" if row.enabled else "disabled",
        "next_run": moment(row.next_run_at),
        "problem": row.problem,
    }
