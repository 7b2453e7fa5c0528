"""`/organization`, the one of the token, and `/organizations`, all of the person's."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Name, Paging, not_sent
from app.api.paging import cut
from app.api.resource import Page, resource
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session, runtime
from app.schedules.defaults import give_default_schedules
from app.tenants import founding
from app.tenants.access import Permission
from app.tenants.queries import list_own_organizations
from app.tenants.roles import Role
from app.tenants.roster import get_organization

TAG = "Team"

Zone = Annotated[str, Field(min_length=1, max_length=64, examples=["Europe/Berlin"])]


class NewOrganizationIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Northwind", "timezone": "Europe/Berlin"}]})

    name: Name
    timezone: Annotated[Zone | None, Field(description="null: the installation's default zone.")] = None


class OrganizationChange(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"timezone": "Europe/Berlin"}]})

    name: Name = not_sent("")
    timezone: Zone = not_sent("")


class TeamOrganizationOut(Answer):
    id: UUID
    name: str
    timezone: str
    personal: bool
    system: bool


class OwnOrganizationOut(Answer):
    id: UUID
    name: str
    role: Role
    personal: bool
    system: bool
    current: bool


class NewOrganizationOut(Answer):
    id: UUID
    name: str


@resource("GET", "/organization", permission=Permission.VIEW, answer=TeamOrganizationOut, tag=TAG)
def show_organization() -> TeamOrganizationOut:
    """The organization of the token, or the one that the browser sees."""
    return _current()


@resource(
    "PATCH",
    "/organization",
    permission=Permission.MANAGE_ORGANIZATION,
    body=OrganizationChange,
    answer=TeamOrganizationOut,
    tag=TAG,
)
def change_organization(body: OrganizationChange) -> TeamOrganizationOut:
    """Change its name and time zone. What is left out stays."""
    sent = body.model_dump(exclude_unset=True)
    founding.revise_organization(request_session(), actor=current_actor(), **sent, now=request_now())
    return _current()


@resource("GET", "/organizations", signed_in=True, query=Paging, answer=OwnOrganizationOut, is_list=True, tag=TAG)
def list_organizations(query: Paging) -> Page[OwnOrganizationOut]:
    """The organizations one belongs to.

    A token belongs to one of them, which is `current` here. To work in another one, make a token there.
    """
    current = current_actor().organization_id
    rows = list_own_organizations(request_session(), user_id=current_person().user_id)
    shown = [
        OwnOrganizationOut(
            id=row.id,
            name=row.name,
            role=row.role,
            personal=row.is_personal,
            system=row.is_system,
            current=row.id == current,
        )
        for row in rows
    ]
    return cut(shown, query, key=lambda one: (one.name.lower(), str(one.id)))


@resource(
    "POST", "/organizations", signed_in=True, body=NewOrganizationIn, answer=NewOrganizationOut, status=201, tag=TAG
)
def create_organization(body: NewOrganizationIn) -> NewOrganizationOut:
    """Make an organization of one's own. A token needs the scope manage_organization for it.

    The token goes on working where it was made: the new organization is reached with a token made there.
    """
    made = founding.found_organization(
        request_session(),
        actor=current_actor(),
        name=body.name,
        timezone=body.timezone or runtime().settings.default_timezone,
        now=request_now(),
    )
    give_default_schedules(request_session(), organization_id=made, now=request_now())
    return NewOrganizationOut(id=made, name=get_organization(request_session(), organization_id=made).name)


def _current() -> TeamOrganizationOut:
    found = get_organization(request_session(), organization_id=current_actor().organization_id)
    return TeamOrganizationOut(
        id=found.id,
        name=found.name,
        timezone=found.timezone,
        personal=found.is_personal,
        system=found.is_system,
    )
