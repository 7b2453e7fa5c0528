"""`belfry jobs show` and `changes`: what a job's policies mean, and who changed what of it."""

from uuid import UUID

import click

from app.cli.code_names import job_argument
from app.cli.console import Console, as_json, moment, pass_console, show, table, with_organization
from app.jobs.chains import list_chains
from app.jobs.job_changes import change_lines
from app.jobs.policy_words import policy_sentences
from app.jobs.queries import get_job
from app.ops.kinds import job_kinds
from app.tenants.audit import list_entries

MOST = 1_000


@click.command("show")
@job_argument
@with_organization
@as_json
@pass_console
def show_job(console: Console, job_id: UUID, is_json: bool) -> None:
    """Show what a job does and what its policies mean."""
    kinds = job_kinds(console.settings)
    with console.reading() as desk:
        here = desk.actor.organization_id
        job = get_job(desk.session, organization_id=here, job_id=job_id)
        starts = [chain.words for chain in list_chains(desk.session, organization_id=here, job_id=job_id)]
    kind = kinds.get(job.kind)
    does, policies = "" if kind is None else kind.describe(job.definition), policy_sentences(job, kind)
    facts = {
        "id": str(job.id),
        "name": job.name,
        "kind": job.kind.value,
        "does": does,
        "policies": policies,
        "starts": starts,
        "defined_in": job.code_source,
        "revision": job.revision,
    }
    lines = [f"{job.name} ({job.kind.value}): {does}", *(f"  {words}" for words in policies)]
    lines += [f"  When it has ended: {words}" for words in starts]
    lines += [f"  Defined in code, in {job.code_source}"] if job.code_source else []
    show(facts, "\n".join(lines), is_json=is_json)


@click.command("changes")
@job_argument
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, MOST))
@with_organization
@as_json
@pass_console
def list_changes(console: Console, job_id: UUID, limit: int, is_json: bool) -> None:
    """Show who changed what of a job, newest first."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        get_job(desk.session, organization_id=here, job_id=job_id)
        rows = list_entries(desk.session, organization_id=here, subject_kind="job", subject_id=job_id, limit=limit)
    facts = [
        {"at": moment(row.at), "by": row.by, "action": row.action, "summary": row.summary, "changes": row.changes}
        for row in rows
    ]
    cells = [[str(moment(row.at)), row.by, row.summary, "; ".join(change_lines(row.changes)) or "-"] for row in rows]
    text = table(["AT", "BY", "CHANGE", "FROM WHAT TO WHAT"], cells, empty="Nobody has changed it.")
    show(facts, text, is_json=is_json)
