"""`belfry queue bulk`: many runs of the queue retried or removed, named one by one or all that match."""

from uuid import UUID

import click

from app.cli.bulk import finish
from app.cli.console import Console, as_json, choice_of, pass_console, with_organization
from app.cli.terminal import say
from app.core.errors import Invalid
from app.ops.bulk import service
from app.ops.bulk.kinds import MOST_OBJECTS
from app.ops.bulk.runs import RUN_KINDS, RUNS
from app.runs.queue_filter import QueueTab, read_whole
from app.runs.queue_lists import matching_of_tab

_FAMILY = "runs."
_ACTIONS = [kind.name.removeprefix(_FAMILY) for kind in RUN_KINDS]


class RunSelectionUnclear(Invalid):
    """It is not said which runs are meant, or twice."""


@click.command("bulk")
@click.argument("action", type=click.Choice(_ACTIONS))
@click.argument("run_ids", metavar="[RUN]...", type=click.UUID, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All runs of the tab, or all that the next three let through.")
@click.option("--tab", type=choice_of(QueueTab), default=QueueTab.DEAD.value, show_default=True, help="With --all.")
@click.option("--queue", "queue_name", default="", help="With --all: those of this queue.")
@click.option("--cause", default="", help="With --all: dead letters of this cause, as `belfry queue causes` names it.")
@click.option("--search", default="", help="With --all: those with this in a name or an error.")
@click.option("--reason", default="", help="Why, for the audit.")
@click.option("--per-minute", type=int, help="So many in a minute; a scheduler carries it out.")
@click.option("--at-once", is_flag=True, help="All now; else over 50 are retried ten a minute.")
@click.option("--count", type=int, help="How many they are: to remove over 100, say it.")
@with_organization
@as_json
@pass_console
def bulk_command(
    console: Console, action: str, run_ids: tuple[UUID, ...], is_all: bool, tab: str, queue_name: str, cause: str,
    search: str, reason: str, per_minute: int | None, at_once: bool, count: int | None, is_json: bool,
) -> None:  # fmt: skip
    """Retry or remove many runs, named one by one or all that match.

    Exit status 1 when some of them could not be; each is named with the reason.
    """
    wanted = read_whole({"tab": tab, "queue": queue_name, "cause": cause, "q": search})
    if bool(run_ids) == is_all or (run_ids and wanted.narrowing):
        raise RunSelectionUnclear(
            "Name the runs, or use --all with or without --tab, --queue, --search and, with --tab dead, --cause."
        )
    with console.desk() as desk:
        here = desk.actor.organization_id
        ids, left = list(run_ids), 0
        if is_all:
            ids, left = matching_of_tab(
                desk.session, organization_id=here, wanted=wanted, now=desk.now, most=MOST_OBJECTS
            )
        bulk_id = service.select_objects(
            desk.session, actor=desk.actor, family="runs", object_ids=ids, left=left, now=desk.now
        )
        service.start(
            desk.session, actor=desk.actor, bulk_id=bulk_id, kind=_FAMILY + action, parameters={}, now=desk.now,
            reason=reason, per_minute=per_minute, at_once=at_once, counted=count,
        )  # fmt: skip
    if left:
        # Beside the answer, which programs may read.
        say(RUNS.left_words(left), err=True)
    finish(console, here, bulk_id, is_json=is_json)
