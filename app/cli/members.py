"""`belfry members`: who is in an organization, and who is invited."""

from datetime import datetime
from typing import Any

import click

from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.ops.leaving import left_words, remove_member
from app.tenants.first_steps import hide_first_steps, read_company, show_first_steps
from app.tenants.invitations import NewInvitation, invite, renew_invitation, revoke_invitation
from app.tenants.members import change_role
from app.tenants.roles import Role
from app.tenants.roster import (
    InvitationRow,
    MemberRow,
    find_invitation,
    find_member,
    list_invitations,
    list_members,
)


@click.group()
def members() -> None:
    """See and change who may do what in an organization."""


@members.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List members and open invitations."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        facts = [_member(row) for row in list_members(desk.session, organization_id=here)]
        facts += [_invited(row, desk.now) for row in list_invitations(desk.session, organization_id=here)]
    headings = ["EMAIL", "NAME", "ROLE", "STATE", "SINCE"]
    cells = [[str(fact[key] or "-") for key in ("email", "name", "role", "state", "since")] for fact in facts]
    show(facts, table(headings, cells, empty="Nobody."), is_json=is_json)


@members.command("invite")
@click.argument("email")
@click.option("--role", type=choice_of(Role), default=Role.OPERATOR.value, show_default=True)
@with_organization
@as_json
@pass_console
def invite_command(console: Console, email: str, role: str, is_json: bool) -> None:
    """Print a link with which the owner of an address can join. It works once, for a week."""
    with console.desk() as desk:
        made = invite(desk.session, actor=desk.actor, email=email, role=Role(role), now=desk.now)
    _show_link(console, made, is_json=is_json)


@members.command("link")
@click.argument("email")
@with_organization
@as_json
@pass_console
def link_command(console: Console, email: str, is_json: bool) -> None:
    """Print a new link for an open invitation. The old one stops working."""
    with console.desk() as desk:
        found = find_invitation(desk.session, organization_id=desk.actor.organization_id, email=email)
        made = renew_invitation(desk.session, actor=desk.actor, invitation_id=found.id, now=desk.now)
    _show_link(console, made, is_json=is_json)


@members.command("revoke")
@click.argument("email")
@with_organization
@pass_console
def revoke_command(console: Console, email: str) -> None:
    """End an open invitation."""
    with console.desk() as desk:
        found = find_invitation(desk.session, organization_id=desk.actor.organization_id, email=email)
        revoke_invitation(desk.session, actor=desk.actor, invitation_id=found.id, now=desk.now)
    say(f"The invitation of {found.email} is revoked.")


@members.command()
@click.argument("email")
@click.argument("role", type=choice_of(Role))
@with_organization
@pass_console
def role(console: Console, email: str, role: str) -> None:
    """Give a member another role."""
    with console.desk() as desk:
        found = find_member(desk.session, organization_id=desk.actor.organization_id, email=email)
        change_role(desk.session, actor=desk.actor, user_id=found.user_id, role=Role(role), now=desk.now)
    say(f"{found.email} is {role} now.")


@members.command()
@click.argument("email")
@with_organization
@pass_console
def remove(console: Console, email: str) -> None:
    """Take a member out of the organization."""
    with console.desk() as desk:
        found = find_member(desk.session, organization_id=desk.actor.organization_id, email=email)
        left = remove_member(desk.session, actor=desk.actor, user_id=found.user_id, now=desk.now)
    say(f"{found.email} is no member any more. {left_words(left)}".strip())


@members.command("first-steps")
@click.argument("email")
@click.argument("what", type=click.Choice(["hide", "show"]), required=False)
@with_organization
@as_json
@pass_console
def first_steps_command(console: Console, email: str, what: str | None, is_json: bool) -> None:
    """Say whether a member put the checklist of the overview away, put it away for them, or bring it back."""
    with console.desk() as desk:
        here = desk.actor.organization_id
        found = find_member(desk.session, organization_id=here, email=email)
        if what is not None:
            change = hide_first_steps if what == "hide" else show_first_steps
            change(desk.session, actor=desk.actor, user_id=found.user_id, now=desk.now)
        is_hidden = read_company(desk.session, organization_id=here, user_id=found.user_id).is_hidden
    words = "put away" if is_hidden else "shown as long as anything is left to do"
    show({"email": found.email, "hidden": is_hidden}, f"The first steps of {found.email} are {words}.", is_json=is_json)


def _show_link(console: Console, made: NewInvitation, *, is_json: bool) -> None:
    link = f"{console.settings.public_url}/invitation?token={made.token}"
    value = {"id": str(made.id), "email": made.email, "role": made.role.value, "link": link}
    show(value, f"Send this link to {made.email}, it is shown only now:\n{link}", is_json=is_json)


def _member(row: MemberRow) -> dict[str, Any]:
    return {
        "id": str(row.user_id),
        "email": row.email,
        "name": row.name,
        "role": row.role.value,
        "state": "disabled" if row.is_disabled else "member",
        "since": moment(row.since),
        "seen": moment(row.seen_at),
    }


def _invited(row: InvitationRow, now: datetime) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "email": row.email,
        "name": None,
        "role": row.role.value,
        "state": "expired" if row.is_expired(now) else "invited",
        "since": moment(row.created_at),
        "expires": moment(row.expires_at),
    }
