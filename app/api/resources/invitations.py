"""`/invitations`: who is asked to join the organization. Joining itself is done in a browser, by the link."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.tenants import invitations
from app.tenants.access import Permission
from app.tenants.invitations import NewInvitation
from app.tenants.people import LONGEST_EMAIL
from app.tenants.roles import Role
from app.tenants.roster import InvitationRow, list_invitations

TAG = "Team"


class InvitationIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "grace@example.com", "role": "operator"}]})

    email: Annotated[str, Field(min_length=3, max_length=LONGEST_EMAIL)]
    role: Role = Role.OPERATOR


class InvitationOut(Answer):
    id: UUID
    email: str
    role: Role
    invited_by: Annotated[str | None, Field(description="null: by the command line.")]
    created_at: Moment
    expires_at: Moment
    expired: bool


class NewInvitationOut(Answer):
    id: UUID
    email: str
    role: Role
    expires_at: Moment
    link: Annotated[str | None, Field(description="Shown here and never again; null when an answer is repeated.")]


@resource(
    "GET",
    "/invitations",
    permission=Permission.MANAGE_TEAM,
    query=Paging,
    answer=InvitationOut,
    is_list=True,
    tag=TAG,
)
def list_open_invitations(query: Paging) -> Page[InvitationOut]:
    """Invitations that nobody accepted or revoked yet, oldest first. The links of those that expired do not work."""
    rows = list_invitations(request_session(), organization_id=current_actor().organization_id)
    return cut([_shown(row) for row in rows], query, key=lambda one: (one.created_at.isoformat(), str(one.id)))


@resource(
    "POST",
    "/invitations",
    permission=Permission.MANAGE_TEAM,
    body=InvitationIn,
    answer=NewInvitationOut,
    status=201,
    secret_fields=("link",),
    tag=TAG,
)
def invite_member(body: InvitationIn) -> NewInvitationOut:
    """Make a link with which the owner of an address can join. It works once, for a week.

    Belfry sends no e-mail: send the link yourself. Nobody invites to a role above their own.
    """
    made = invitations.invite(
        request_session(), actor=current_actor(), email=body.email, role=body.role, now=request_now()
    )
    return _made(made)


@resource(
    "POST",
    "/invitations/<uuid:invitation_id>/link",
    permission=Permission.MANAGE_TEAM,
    answer=NewInvitationOut,
    secret_fields=("link",),
    tag=TAG,
)
def renew_invitation(invitation_id: UUID) -> NewInvitationOut:
    """Make a new link for an open invitation, good for another week. The old link stops working."""
    made = invitations.renew_invitation(
        request_session(), actor=current_actor(), invitation_id=invitation_id, now=request_now()
    )
    return _made(made)


@resource("DELETE", "/invitations/<uuid:invitation_id>", permission=Permission.MANAGE_TEAM, tag=TAG)
def revoke_invitation(invitation_id: UUID) -> Message:
    """End an open invitation."""
    invitations.revoke_invitation(
        request_session(), actor=current_actor(), invitation_id=invitation_id, now=request_now()
    )
    return Message(None, "Invitation revoked. Its link does not work any more.")


def _shown(row: InvitationRow) -> InvitationOut:
    return InvitationOut(
        id=row.id,
        email=row.email,
        role=row.role,
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        expired=row.is_expired(request_now()),
    )


def _made(made: NewInvitation) -> NewInvitationOut:
    link = f"{runtime().settings.public_url}/invitation?token={made.token}"
    return NewInvitationOut(id=made.id, email=made.email, role=made.role, expires_at=made.expires_at, link=link)
