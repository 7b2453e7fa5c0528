"""The organizations of the person who looks at a page, for the account menu and the page that lists them."""

from dataclasses import dataclass

from app.core.scopes import IDENTITY
from app.edge.identity import current_session
from app.edge.runtime import working_as
from app.tenants.queries import OwnOrganization, list_own_organizations


@dataclass(frozen=True)
class OtherOrganizations:
    """What the menu offers to switch to; `hidden` counts those it has no room for."""

    rows: tuple[OwnOrganization, ...]
    hidden: int


def other_organizations() -> OtherOrganizations:
    """The organizations to switch to, as they were read with the session."""
    found = current_session()
    return OtherOrganizations(found.others, found.others_in_all - len(found.others))


def own_organizations() -> list[OwnOrganization]:
    """All organizations of the person of this request."""
    # In the request's own transaction: with a second connection each, requests could wait for each other in a circle.
    with working_as(IDENTITY) as session:
        return list_own_organizations(session, user_id=current_session().user_id)
