"""`belfry schedules owner`: whose a schedule is."""

from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, as_json, pass_console, show, with_organization
from app.schedules.owners import NOBODY, member_id_of, owner_words, set_owner
from app.schedules.queries import get_schedule


@click.command("owner")
@schedule_argument
@click.argument("email", required=False, metavar="[EMAIL|nobody]")
@with_organization
@as_json
@pass_console
def owner(console: Console, schedule_id: UUID, email: str | None, is_json: bool) -> None:
    """Say whose a schedule is, or give it to a member or to nobody."""
    with console.desk() as desk:
        if email is not None:
            member_id = None if email == NOBODY else member_id_of(desk.session, actor=desk.actor, email=email)
            set_owner(desk.session, actor=desk.actor, schedule_id=schedule_id, owner_id=member_id, now=desk.now)
            desk.session.expire_all()
        row = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
    facts = {"schedule": str(row.id), "owner": row.owner if row.owner_id else None}
    show(facts, f"{row.name} belongs to {owner_words(row)}.", is_json=is_json)
