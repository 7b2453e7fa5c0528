"""`belfry jobs`: list, create, edit, run, delete."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import click

from app.cli.chains import chain
from app.cli.code import check_code, sync_code
from app.cli.code_names import job_argument
from app.cli.console import Console, as_json, choice_of, pass_console, show, table, with_organization
from app.cli.job_options import with_job_options, with_options
from app.cli.job_show import list_changes, show_job
from app.cli.schedule_mute import mute_of_job
from app.cli.starting import given_on_line, set_parameters, show_started
from app.cli.terminal import say
from app.core.errors import Invalid
from app.jobs.kinds.base import KindName
from app.jobs.queries import get_job, list_jobs, lock_job
from app.jobs.service import JobDraft, create_job, default_retry, draft_of
from app.ops.kinds import job_kinds
from app.runs import service


class DefinitionUnreadable(Invalid):
    """A definition is no JSON object."""


@click.group()
def jobs() -> None:
    """See jobs and start them."""


jobs.add_command(check_code)
jobs.add_command(sync_code)
jobs.add_command(mute_of_job)


@jobs.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the jobs of an organization."""
    with console.reading() as desk:
        rows = list_jobs(desk.session, organization_id=desk.actor.organization_id)
    facts = [
        {
            "id": str(row.id),
            "name": row.name,
            "kind": row.kind.value,
            "queue": row.queue or row.kind.value,
            "priority": row.priority.word,
            "when_lost": row.retry.when_lost.value,
        }
        for row in rows
    ]
    text = table(
        ["ID", "NAME", "KIND", "QUEUE", "PRIORITY", "WHEN LOST"],
        [list(fact.values()) for fact in facts],
        empty="No jobs yet.",
    )
    show(facts, text, is_json=is_json)


@jobs.command()
@job_argument
@set_parameters
@with_organization
@as_json
@pass_console
def run(console: Console, job_id: UUID, parameters: tuple[str, ...], is_json: bool) -> None:
    """Start a job now."""
    with console.desk() as desk:
        job = get_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        run_id = service.run_job_now(
            desk.session,
            actor=desk.actor,
            job_id=job_id,
            request_key=str(uuid4()),
            given=given_on_line(job, parameters, kinds=job_kinds(console.settings)),
            now=desk.now,
        )
    show_started(run_id, is_json=is_json)


@jobs.command()
@click.argument("name")
@click.option("--kind", type=choice_of(KindName), required=True)
@click.option("--definition", required=True, metavar="JSON", help="What to do; docs/jobs.md shows one for each kind.")
@with_job_options
@with_organization
@as_json
@pass_console
def create(console: Console, /, name: str, kind: str, definition: str, is_json: bool, **options: Any) -> None:
    """Make a job."""
    wanted = KindName(kind)
    draft = JobDraft(name, wanted, _read_definition(definition), retry=default_retry(wanted))
    with console.desk() as desk:
        kinds = job_kinds(console.settings)
        draft = with_options(draft, options)
        job_id = create_job(desk.session, actor=desk.actor, kinds=kinds, draft=draft, now=desk.now)
    show({"job": str(job_id)}, f"Made job {job_id}.", is_json=is_json)


@jobs.command()
@click.argument("job_id", type=click.UUID)
@click.option("--name")
@click.option("--definition", metavar="JSON", help="What to do. A header named without a value keeps its value.")
@with_job_options
@with_organization
@pass_console
def edit(console: Console, /, job_id: UUID, name: str | None, definition: str | None, **options: Any) -> None:
    """Change what is named; the rest stays as it is."""
    with console.desk() as desk:
        lock_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        old = get_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        draft = draft_of(old)
        if name is not None:
            draft = replace(draft, name=name)
        if definition is not None:
            draft = replace(draft, definition=_read_definition(definition))
        service.revise_job(
            desk.session,
            actor=desk.actor,
            kinds=job_kinds(console.settings),
            job_id=job_id,
            draft=with_options(draft, options),
            revision=old.revision,
            now=desk.now,
        )
    say("Changed.")


@jobs.command()
@click.argument("job_id", type=click.UUID)
@with_organization
@pass_console
def delete(console: Console, job_id: UUID) -> None:
    """Delete a job with its schedules. Its runs stay."""
    with console.desk() as desk:
        service.delete_job(desk.session, actor=desk.actor, job_id=job_id, now=desk.now)
    say("Deleted.")


def _read_definition(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DefinitionUnreadable(f"--definition is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DefinitionUnreadable("--definition has to be a JSON object, in braces.")
    return value


jobs.add_command(chain)
jobs.add_command(show_job)
jobs.add_command(list_changes)
