"""`belfry jobs`: list, create, edit, run, delete."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import click

from app.cli.code import check_code, read_parameters, set_parameters, sync_code
from app.cli.console import Console, as_json, choice_of, pass_console, show, table, with_organization
from app.core.errors import Invalid
from app.jobs.kinds.base import KindName
from app.jobs.policies import Backoff, RetryPolicy, WhenLost
from app.jobs.queries import JobRow, get_job, list_jobs, lock_job
from app.jobs.service import DEFAULT_RETRY, DEFAULT_TIME_LIMIT_SECONDS, JobDraft, create_job, revise_job
from app.ops.kinds import job_kinds
from app.runs import service


class DefinitionUnreadable(Invalid):
    """A definition is no JSON object."""


@click.group()
def jobs() -> None:
    """See jobs and start them."""


jobs.add_command(check_code)
jobs.add_command(sync_code)


@jobs.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the jobs of an organization."""
    with console.reading() as desk:
        rows = list_jobs(desk.session, organization_id=desk.actor.organization_id)
    facts = [
        {"id": str(row.id), "name": row.name, "kind": row.kind.value, "when_lost": row.retry.when_lost.value}
        for row in rows
    ]
    text = table(["ID", "NAME", "KIND", "WHEN LOST"], [list(fact.values()) for fact in facts], empty="No jobs yet.")
    show(facts, text, is_json=is_json)


@jobs.command()
@click.argument("job_id", type=click.UUID)
@set_parameters
@with_organization
@as_json
@pass_console
def run(console: Console, job_id: UUID, parameters: tuple[str, ...], is_json: bool) -> None:
    """Start a job now."""
    given, kinds = read_parameters(parameters), job_kinds(console.settings)
    with console.desk() as desk:
        job = get_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        run_id = service.run_job_now(
            desk.session,
            actor=desk.actor,
            job_id=job_id,
            request_key=str(uuid4()),
            arguments=kinds[job.kind].check_arguments(job.definition, given) if given else None,
            now=desk.now,
        )
    show({"run": str(run_id)}, f"Started run {run_id}. Watch it with: belfry runs tail {run_id}", is_json=is_json)


_WHEN_LOST = (
    "If its worker dies or loses touch in the middle: retry, fail (it ends as lost, and a person decides), or what its "
    "kind says: functions are tried again only if declared safe to repeat, all others always."
)


@jobs.command()
@click.argument("name")
@click.option("--kind", type=choice_of(KindName), required=True)
@click.option("--definition", required=True, metavar="JSON", help="What to do; docs/jobs.md shows one for each kind.")
@click.option("--tries", default=DEFAULT_RETRY.tries, show_default=True)
@click.option("--retry-delay", default=DEFAULT_RETRY.delay_seconds, show_default=True, help="Seconds.")
@click.option("--backoff", default=DEFAULT_RETRY.backoff.value, show_default=True, type=choice_of(Backoff))
@click.option(
    "--when-lost",
    default=DEFAULT_RETRY.when_lost.value,
    show_default=True,
    type=choice_of(WhenLost),
    help=_WHEN_LOST,
)
@click.option("--time-limit", default=DEFAULT_TIME_LIMIT_SECONDS, show_default=True, help="Seconds.")
@with_organization
@as_json
@pass_console
def create(
    console: Console,
    name: str,
    kind: str,
    definition: str,
    tries: int,
    retry_delay: int,
    backoff: str,
    when_lost: str,
    time_limit: int,
    is_json: bool,
) -> None:
    """Make a job."""
    draft = JobDraft(
        name=name,
        kind=KindName(kind),
        definition=_read_definition(definition),
        retry=RetryPolicy(tries, retry_delay, Backoff(backoff), WhenLost(when_lost)),
        time_limit_seconds=time_limit,
    )
    with console.desk() as desk:
        kinds = job_kinds(console.settings)
        job_id = create_job(desk.session, actor=desk.actor, kinds=kinds, draft=draft, now=desk.now)
    show({"job": str(job_id)}, f"Made job {job_id}.", is_json=is_json)


@jobs.command()
@click.argument("job_id", type=click.UUID)
@click.option("--name")
@click.option("--definition", metavar="JSON", help="What to do. A header named without a value keeps its value.")
@click.option("--description")
@click.option("--tries", type=int)
@click.option("--retry-delay", type=int, help="Seconds.")
@click.option("--backoff", type=choice_of(Backoff))
@click.option("--when-lost", type=choice_of(WhenLost), help=_WHEN_LOST)
@click.option("--time-limit", type=int, help="Seconds.")
@with_organization
@pass_console
def edit(console: Console, /, job_id: UUID, **named: Any) -> None:
    """Change what is named; the rest stays as it is."""
    with console.desk() as desk:
        lock_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        old = get_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        kinds = job_kinds(console.settings)
        revise_job(
            desk.session,
            actor=desk.actor,
            kinds=kinds,
            job_id=job_id,
            draft=_changed(old, {name: value for name, value in named.items() if value is not None}),
            revision=old.revision,
            now=desk.now,
        )
    click.echo("Changed.")


def _changed(old: JobRow, named: Mapping[str, Any]) -> JobDraft:
    definition = _read_definition(named["definition"]) if "definition" in named else old.definition
    retry = RetryPolicy(
        named.get("tries", old.retry.tries),
        named.get("retry_delay", old.retry.delay_seconds),
        Backoff(named.get("backoff", old.retry.backoff)),
        WhenLost(named.get("when_lost", old.retry.when_lost)),
    )
    return JobDraft(
        name=named.get("name", old.name),
        kind=old.kind,
        definition=definition,
        description=named.get("description", old.description),
        retry=retry,
        time_limit_seconds=named.get("time_limit", old.time_limit_seconds),
    )


@jobs.command()
@click.argument("job_id", type=click.UUID)
@with_organization
@pass_console
def delete(console: Console, job_id: UUID) -> None:
    """Delete a job with its schedules. Its runs stay."""
    with console.desk() as desk:
        service.delete_job(desk.session, actor=desk.actor, job_id=job_id, now=desk.now)
    click.echo("Deleted.")


def _read_definition(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DefinitionUnreadable(f"--definition is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DefinitionUnreadable("--definition has to be a JSON object, in braces.")
    return value
