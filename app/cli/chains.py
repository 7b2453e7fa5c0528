"""`belfry jobs chain`: add, list, remove."""

import json
from uuid import UUID

import click

from app.cli.console import Console, as_json, choice_of, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.core.errors import Invalid
from app.jobs.chains import ChainDraft, add_chain, list_chains, remove_chain
from app.jobs.policies import ChainOutcome
from app.ops.kinds import job_kinds


class ParametersUnreadable(Invalid):
    """Parameters are no JSON object."""


@click.group()
def chain() -> None:
    """Let a job start another one when it has ended."""


@chain.command()
@click.argument("job_id", type=click.UUID)
@click.argument("then_job_id", type=click.UUID)
@click.option(
    "--on",
    "outcome",
    type=choice_of(ChainOutcome),
    default=ChainOutcome.SUCCESS.value,
    show_default=True,
    help="After which end; failure is for good, with every try used up.",
)
@click.option(
    "--parameters", default="{}", metavar="JSON", help="Arguments in the place of the job's own, for functions."
)
@with_organization
@as_json
@pass_console
def add(console: Console, job_id: UUID, then_job_id: UUID, outcome: str, parameters: str, is_json: bool) -> None:
    """Start THEN_JOB_ID whenever a run of JOB_ID has ended."""
    draft = ChainDraft(job_id, ChainOutcome(outcome), then_job_id, _read(parameters))
    with console.desk() as desk:
        kinds = job_kinds(console.settings)
        chain_id = add_chain(desk.session, actor=desk.actor, kinds=kinds, draft=draft, now=desk.now)
    show({"chain": str(chain_id)}, f"Made chain {chain_id}.", is_json=is_json)


@chain.command("list")
@click.argument("job_id", type=click.UUID)
@with_organization
@as_json
@pass_console
def list_command(console: Console, job_id: UUID, is_json: bool) -> None:
    """List what a job starts."""
    with console.reading() as desk:
        rows = list_chains(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
    facts = [
        {
            "id": str(row.id),
            "on": row.outcome.value,
            "starts": row.then_job_name,
            "parameters": row.parameters,
            "problem": row.problem,
        }
        for row in rows
    ]
    cells = [
        [
            str(row.id),
            row.outcome.value,
            row.then_job_name,
            json.dumps(row.parameters, ensure_ascii=False),
            row.problem or "-",
        ]
        for row in rows
    ]
    headings = ["ID", "ON", "STARTS", "PARAMETERS", "PROBLEM"]
    show(facts, table(headings, cells, empty="It starts nothing."), is_json=is_json)


@chain.command()
@click.argument("job_id", type=click.UUID)
@click.argument("chain_id", type=click.UUID)
@with_organization
@pass_console
def remove(console: Console, job_id: UUID, chain_id: UUID) -> None:
    """Let a job no longer start another one."""
    with console.desk() as desk:
        remove_chain(desk.session, actor=desk.actor, job_id=job_id, chain_id=chain_id, now=desk.now)
    say("Removed.")


def _read(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ParametersUnreadable(f"--parameters is not JSON: {error}", field="parameters") from error
    if not isinstance(value, dict):
        raise ParametersUnreadable("--parameters has to be a JSON object, in braces.", field="parameters")
    return value
