"""`belfry bulk` and `belfry schedules bulk`: one thing done to many schedules, how far it is, stopping and undoing."""

import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.errors import Invalid
from app.core.scopes import Scope
from app.jobs.services import Service
from app.ops.bulk import service
from app.ops.bulk.carrying import carry_piece
from app.ops.bulk.queries import BulkRow, ItemRow, get_bulk_action, list_bulk_actions, list_items
from app.ops.bulk.schedules import SCHEDULE_KINDS
from app.ops.bulk.selected_schedules import read_selected, told_before
from app.ops.bulk.states import ItemState
from app.ops.schedule_glances import GlanceFilter, matching_in_order
from app.ops.schedule_health import ScheduleStatus
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleNotFound, find_schedules

MOST = 10_000
_FAMILY = "schedules."
_ACTIONS = [kind.name.removeprefix(_FAMILY).replace("_", "-") for kind in SCHEDULE_KINDS]


class SelectionUnclear(Invalid):
    """It is not said which schedules are meant, or twice."""


@click.group()
def bulk() -> None:
    """See, stop and undo what is done to many things at once."""


@click.command("bulk")
@click.argument("action", type=click.Choice(_ACTIONS))
@click.argument("names", metavar="[SCHEDULE]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All schedules, or all that the next five let through.")
@click.option("--search", default="", help="With --all: those with this in their name.")
@click.option("--status", type=choice_of(ScheduleStatus), help="With --all: those that fare so, or that are enabled.")
@click.option("--with-tag", default="", help="With --all: those with this tag.")
@click.option("--with-owner", default="", help="With --all: those of this member, an address, or of nobody.")
@click.option("--with-service", type=choice_of(Service), help="With --all: those whose job syncs from this service.")
@click.option("--tag", help="The tag of add-tag and remove-tag.")
@click.option("--zone", help="The IANA time zone of move-zone.")
@click.option("--missed", default=Missed.SKIP.value, show_default=True, type=choice_of(Missed),
              help="Of enable: what becomes of slots that they missed while off.")  # fmt: skip
@click.option("--reason", default="", help="Why, for the audit.")
@click.option("--per-minute", type=int, help="So many in a minute; a scheduler carries it out.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what it would be done to, and do nothing.")
@with_organization
@as_json
@pass_console
def bulk_schedules(
    console: Console, action: str, names: tuple[str, ...], is_all: bool, search: str, status: str | None,
    with_tag: str, with_owner: str, with_service: str | None, tag: str | None, zone: str | None, missed: str,
    reason: str, per_minute: int | None, is_dry: bool, is_json: bool,
) -> None:  # fmt: skip
    """Do one thing to many schedules, named one by one or all that match.

    Exit status 1 when some of them could not be changed; each is named with the reason.
    """
    kind = _FAMILY + action.replace("-", "_")
    stands = ScheduleStatus(status) if status else None
    wanted = GlanceFilter(query=search, status=stands, tag=with_tag, owner=with_owner, service=with_service or "")
    said = {"tag": tag, "timezone": zone, "missed": missed}
    with console.desk() as desk:
        ids = _selection(desk, names, is_all, wanted)
        bulk_id = service.select_objects(
            desk.session, actor=desk.actor, family="schedules", object_ids=ids, now=desk.now
        )
        if is_dry:
            _foresee(desk, kind, bulk_id, is_json)
            # Nothing of it is to stay, not even the selection.
            desk.session.rollback()
            return
        service.start(
            desk.session, actor=desk.actor, bulk_id=bulk_id, kind=kind, parameters=said, now=desk.now, reason=reason,
            per_minute=per_minute,
        )  # fmt: skip
        organization_id = desk.actor.organization_id
    finish(console, organization_id, bulk_id, is_json=is_json)


@bulk.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@with_organization
@as_json
@pass_console
def list_command(console: Console, limit: int, is_json: bool) -> None:
    """List what was done to many things at once within the last 30 days, newest first."""
    with console.reading() as desk:
        rows = list_bulk_actions(desk.session, organization_id=desk.actor.organization_id, limit=limit)
    cells = [[str(row.id), str(moment(row.created_at)), row.by, row.title, row.state, row.progress] for row in rows]
    text = table(["ID", "AT", "BY", "WHAT", "STATE", "PROGRESS"], cells, empty="Nothing was done to many at once.")
    show([_facts(row) for row in rows], text, is_json=is_json)


@bulk.command("show")
@click.argument("bulk_id", metavar="ID", type=click.UUID)
@click.option("--state", type=choice_of(ItemState), help="Those things alone that stand so.")
@with_organization
@as_json
@pass_console
def show_command(console: Console, bulk_id: UUID, state: str | None, is_json: bool) -> None:
    """Show how far it is, and what became of each thing."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        row = get_bulk_action(desk.session, organization_id=here, bulk_id=bulk_id)
        states = tuple(ItemState) if state is None else (ItemState(state),)
        items = list_items(desk.session, organization_id=here, bulk_id=bulk_id, limit=MOST, states=states)
    _print(row, items, is_json=is_json)


@bulk.command()
@click.argument("bulk_id", metavar="ID", type=click.UUID)
@with_organization
@as_json
@pass_console
def stop(console: Console, bulk_id: UUID, is_json: bool) -> None:
    """Leave everything as it is that was not come to yet."""
    with console.desk() as desk:
        service.stop(desk.session, actor=desk.actor, bulk_id=bulk_id, now=desk.now)
        row = _row(desk, bulk_id)
    show(_facts(row), f"Stopped. {row.summary}", is_json=is_json)


@bulk.command()
@click.argument("bulk_id", metavar="ID", type=click.UUID)
@with_organization
@as_json
@pass_console
def undo(console: Console, bulk_id: UUID, is_json: bool) -> None:
    """Make everything what it was before. What somebody changed since stays, and is named.

    Exit status 1 when something could not be taken back.
    """
    with console.desk() as desk:
        undo_id = service.undo(desk.session, actor=desk.actor, bulk_id=bulk_id, now=desk.now)
        organization_id = desk.actor.organization_id
    finish(console, organization_id, undo_id, is_json=is_json)


def _selection(desk: Desk, names: Sequence[str], is_all: bool, wanted: GlanceFilter) -> list[UUID]:
    if bool(names) == is_all or (names and not wanted.is_empty):
        raise SelectionUnclear(
            "Name the schedules, or use --all with or without --search, --status, --with-tag, --with-owner and "
            "--with-service."
        )
    here = desk.actor.organization_id
    if is_all:
        return matching_in_order(desk.session, organization_id=here, wanted=wanted, now=desk.now)
    return [_named(desk, name) for name in names]


def _named(desk: Desk, name: str) -> UUID:
    found = find_schedules(desk.session, organization_id=desk.actor.organization_id, name=name)
    if len(found) != 1:
        problem = "There is no schedule" if not found else f"{len(found)} schedules are called"
        raise ScheduleNotFound(f"{problem} “{name}” here. Nothing was done. See: belfry schedules list")
    return found[0].id


def _foresee(desk: Desk, kind: str, bulk_id: UUID, is_json: bool) -> None:
    here = desk.actor.organization_id
    found = read_selected(desk.session, organization_id=here, bulk_id=bulk_id, now=desk.now)
    items = list_items(desk.session, organization_id=here, bulk_id=bulk_id, limit=MOST)
    names = [item.name or str(item.object_id) for item in items]
    lines = told_before(kind, found)
    show({"schedules": names, "lines": lines}, "\n".join([*names, *lines]), is_json=is_json)


def finish(console: Console, organization_id: UUID, bulk_id: UUID, *, is_json: bool) -> None:
    """Carry it out here, piece by piece; what is paced, or in the hands of a scheduler already, goes on by itself."""
    while True:
        with console.database.transaction(Scope.tenant(organization_id)) as session:
            now = DatabaseClock().now(session)
            piece = carry_piece(session, organization_id=organization_id, bulk_id=bulk_id, now=now)
        if not piece.goes_on:
            break
        row = _look(console, bulk_id)
        say(f"{row.progress}", err=True)
        if row.per_minute is not None:
            break
    # Another desk, so that what became ready is handed on.
    with console.desk() as desk:
        row = _row(desk, bulk_id)
        refused = list_items(
            desk.session, organization_id=organization_id, bulk_id=bulk_id, limit=MOST, states=(ItemState.REFUSED,)
        )
    _print(row, refused, is_json=is_json)
    if row.refused:
        sys.exit(1)


def _look(console: Console, bulk_id: UUID) -> BulkRow:
    with console.reading() as desk:
        return _row(desk, bulk_id)


def _row(desk: Desk, bulk_id: UUID) -> BulkRow:
    desk.session.expire_all()
    return get_bulk_action(desk.session, organization_id=desk.actor.organization_id, bulk_id=bulk_id)


def _print(row: BulkRow, items: Sequence[ItemRow], *, is_json: bool) -> None:
    lines = [f"{row.title}: {row.progress}. {row.summary}"]
    lines += [f"{item.name or item.object_id}: {item.words or item.state.value}" for item in items]
    lines.append(f"{'It goes on by itself. ' if row.is_going else ''}See: belfry bulk show {row.id}")
    if row.can_undo:
        lines.append(f"Undo: belfry bulk undo {row.id}")
    facts = _facts(row) | {"items": [_item_facts(item) for item in items]}
    show(facts, "\n".join(lines), is_json=is_json)


def _facts(row: BulkRow) -> dict[str, Any]:
    return {
        "id": str(row.id), "action": row.kind_name, "state": row.state, "title": row.title, "summary": row.summary,
        "reason": row.reason, "by": row.by, "total": row.total, "done": row.done, "unchanged": row.unchanged,
        "refused": row.refused, "pending": row.pending, "created_at": moment(row.created_at),
        "finished_at": moment(row.finished_at), "undone_by": row.undone_by_id, "undo_of": row.undo_of_id,
    }  # fmt: skip


def _item_facts(item: ItemRow) -> dict[str, Any]:
    return {
        "id": str(item.object_id), "name": item.name, "state": item.state, "reason": item.words,
        "result": None if item.result_id is None else str(item.result_id),
    }  # fmt: skip
