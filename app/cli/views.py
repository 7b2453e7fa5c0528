"""`belfry views`: lists that were narrowed and named for a whole organization."""

from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.core.errors import Invalid
from app.ops.time_bounds import pinned_bound
from app.tenants import saved_views
from app.tenants.roster import get_organization
from app.tenants.saved_views import ListName, ViewRow

_TIMES = {"since": False, "until": True}


class PartUnreadable(Invalid):
    """A part of a view has no name or no value."""


@click.group()
def views() -> None:
    """See, save, rename and delete views for everybody. Those of one person are theirs alone."""


@views.command("list")
@click.option("--list", "list_name", type=choice_of(ListName), help="Those of one list.")
@with_organization
@as_json
@pass_console
def list_command(console: Console, list_name: str | None, is_json: bool) -> None:
    """List the views of the organization."""
    wanted = ListName(list_name) if list_name else None
    with console.reading() as desk:
        rows = saved_views.list_views(desk.session, actor=desk.actor, list_name=wanted)
    facts = [_facts(row) for row in rows]
    cells = [[str(row.id), row.list_name.value, row.name, _parts_words(row)] for row in rows]
    show(facts, table(["ID", "LIST", "NAME", "NARROWED TO"], cells, empty="None."), is_json=is_json)


@views.command()
@click.argument("list_name", type=choice_of(ListName))
@click.argument("name")
@click.argument("parts", nargs=-1, required=True, metavar="PART=VALUE...")
@with_organization
@as_json
@pass_console
def save(console: Console, list_name: str, name: str, parts: tuple[str, ...], is_json: bool) -> None:
    """Save a list for everybody: belfry views save runs "Failed today" state=failed last=24h"""
    query = dict(_read(part) for part in parts)
    with console.desk() as desk:
        zone = get_organization(desk.session, organization_id=desk.actor.organization_id).timezone
        for part, is_end in _TIMES.items():
            if part in query:
                # A day, or a time on the organization's clock, as for the commands that list.
                query[part] = pinned_bound(query[part], zone=zone, name=part, is_end=is_end)
        view_id = saved_views.save_view(
            desk.session, actor=desk.actor, list_name=ListName(list_name), name=name, query=query, is_shared=True,
            now=desk.now,
        )  # fmt: skip
    show({"view": str(view_id)}, f"Saved view {view_id}.", is_json=is_json)


@views.command()
@click.argument("view_id", type=click.UUID)
@click.argument("name")
@with_organization
@pass_console
def rename(console: Console, view_id: UUID, name: str) -> None:
    """Call a view otherwise."""
    with console.desk() as desk:
        saved_views.rename_view(desk.session, actor=desk.actor, view_id=view_id, name=name, now=desk.now)
    say("Renamed.")


@views.command()
@click.argument("view_id", type=click.UUID)
@with_organization
@pass_console
def delete(console: Console, view_id: UUID) -> None:
    """Forget a view."""
    with console.desk() as desk:
        saved_views.delete_view(desk.session, actor=desk.actor, view_id=view_id, now=desk.now)
    say("Deleted.")


def _read(part: str) -> tuple[str, str]:
    name, sign, value = part.partition("=")
    if not sign:
        raise PartUnreadable(f"{part!r} has no value. Write it as state=failed.")
    return name.strip(), value


def _parts_words(row: ViewRow) -> str:
    return " ".join(f"{name}={value}" for name, value in row.query.items())


def _facts(row: ViewRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "list": row.list_name.value,
        "name": row.name,
        "query": row.query,
        "created_by": row.created_by,
        "created_at": moment(row.created_at),
    }
