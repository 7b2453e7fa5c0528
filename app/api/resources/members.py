"""`/members`: who is in the organization, and what they may do there."""

from uuid import UUID

from pydantic import ConfigDict

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now, tenant_scope
from app.edge.runtime import request_session, working_as
from app.ops.leaving import left_words
from app.ops.leaving import remove_member as remove_from_organization
from app.tenants import members
from app.tenants.access import Permission
from app.tenants.roles import Role, rank
from app.tenants.roster import MemberRow, get_member, get_organization, list_members

TAG = "Team"


class RoleIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "operator"}]})

    role: Role


class MemberOut(Answer):
    id: UUID
    email: str
    name: str
    role: Role
    since: Moment
    last_seen_at: Moment | None
    disabled: bool


@resource("GET", "/members", permission=Permission.VIEW, query=Paging, answer=MemberOut, is_list=True, tag=TAG)
def list_team_members(query: Paging) -> Page[MemberOut]:
    """The members of the organization, those who may do most first.

    `last_seen_at` is null for whoever is signed in nowhere at the moment.
    """
    rows = list_members(request_session(), organization_id=current_actor().organization_id)
    return cut([_shown(row) for row in rows], query, key=lambda one: (-rank(one.role), one.name.lower(), str(one.id)))


@resource("GET", "/members/<uuid:user_id>", permission=Permission.VIEW, answer=MemberOut, tag=TAG)
def show_member(user_id: UUID) -> MemberOut:
    """One member."""
    found = get_member(request_session(), organization_id=current_actor().organization_id, user_id=user_id)
    return _shown(found)


@resource("PATCH", "/members/<uuid:user_id>", permission=Permission.MANAGE_TEAM, body=RoleIn, answer=MemberOut, tag=TAG)
def change_member_role(user_id: UUID, body: RoleIn) -> MemberOut:
    """Give a member another role, from their next request on. Nobody gives or takes away a role above their own."""
    session, actor = request_session(), current_actor()
    members.change_role(session, actor=actor, user_id=user_id, role=body.role, now=request_now())
    return _shown(get_member(session, organization_id=actor.organization_id, user_id=user_id))


@resource("DELETE", "/members/<uuid:user_id>", signed_in=True, tag=TAG)
def remove_member(user_id: UUID) -> Message:
    """Take somebody out of the organization, with their API tokens here and the invitations they made.

    Schedules that belonged to them go on without an owner.
    Leaving by oneself takes the scope manage_team too; the token that was used ends with it.
    """
    actor = current_actor()
    with working_as(tenant_scope()) as session:
        organization = get_organization(session, organization_id=actor.organization_id)
        left = remove_from_organization(session, actor=actor, user_id=user_id, now=request_now())
    if user_id == actor.user_id:
        return Message(None, f"You left {organization.name}. Your tokens of it have no access any more.")
    said = f"Member removed. Their browsers and API tokens have no access any more. {left_words(left)}"
    return Message(None, said.strip())


def _shown(row: MemberRow) -> MemberOut:
    return MemberOut(
        id=row.user_id,
        email=row.email,
        name=row.name,
        role=row.role,
        since=row.since,
        last_seen_at=row.seen_at,
        disabled=row.is_disabled,
    )
