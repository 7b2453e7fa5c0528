"""`/me`: as whom a program is signed in."""

from uuid import UUID

from app.api.models import Answer, Moment
from app.api.resource import resource
from app.edge.identity import current_actor, current_person, current_token
from app.tenants.access import Permission, may
from app.tenants.roles import Role
from app.tenants.token_queries import PLATFORM_SCOPE, SignedInToken


class UserOut(Answer):
    id: UUID
    name: str
    email: str
    timezone: str


class OrganizationOut(Answer):
    id: UUID
    name: str


class TokenInUse(Answer):
    id: UUID
    name: str
    expires_at: Moment | None


class MeOut(Answer):
    user: UserOut
    organization: OrganizationOut
    role: Role
    scopes: list[str]
    token: TokenInUse | None


@resource("GET", "/me", signed_in=True, answer=MeOut, tag="Me")
def show_me() -> MeOut:
    """Who is signed in, where, and what they may do.

    `scopes` is what both the role and the token allow. `token` is null for a browser's session.
    """
    actor, person, token = current_actor(), current_person(), current_token()
    allowed = [permission.value for permission in Permission if may(actor, permission)]
    return MeOut(
        user=UserOut(id=person.user_id, name=person.name, email=person.email, timezone=person.timezone),
        organization=OrganizationOut(id=actor.organization_id, name=person.organization_name),
        role=actor.role,
        scopes=allowed + ([PLATFORM_SCOPE] if actor.is_platform_admin else []),
        token=None if token is None else _token(token),
    )


def _token(token: SignedInToken) -> TokenInUse:
    return TokenInUse(id=token.token_id, name=token.token_name, expires_at=token.expires_at)
