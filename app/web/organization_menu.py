"""The organizations of the person who looks at a page, for the account menu and the page that lists them."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.core.scopes import IDENTITY
from app.edge.identity import current_session
from app.edge.runtime import working_as
from app.tenants.queries import OwnOrganization, list_own_organizations

# More would push the rest of the menu off a small screen; the page has them all.
MOST_IN_MENU = 6


@dataclass(frozen=True)
class OtherOrganizations:
    """What the menu offers to switch to; `hidden` counts those it has no room for."""

    rows: list[OwnOrganization]
    hidden: int


def other_organizations() -> OtherOrganizations:
    """The organizations to switch to. None while the database is away: the page has to come out all the same."""
    if not current_session().has_others:
        return OtherOrganizations([], 0)
    try:
        own = own_organizations()
    except SQLAlchemyError:
        own = []
    others = [row for row in own if row.id != current_session().organization_id]
    return OtherOrganizations(others[:MOST_IN_MENU], max(0, len(others) - MOST_IN_MENU))


def own_organizations() -> list[OwnOrganization]:
    """All organizations of the person of this request."""
    # In the request's own transaction: with a second connection each, requests could wait for each other in a circle.
    with working_as(IDENTITY) as session:
        return list_own_organizations(session, user_id=current_session().user_id)
