"""Reads of organizations across tenants: for the command line, which belongs to whoever runs the installation."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.tenants.models import Membership, Organization


class OrganizationNotFound(NotFound):
    """No organization of that name, or too many to choose from."""


@dataclass(frozen=True)
class OrganizationRow:
    """An organization."""

    id: UUID
    name: str
    timezone: str
    is_system: bool = False


def list_organizations(session: Session) -> list[OrganizationRow]:
    """All organizations of the installation, by name."""
    query = select(Organization).order_by(Organization.name)
    return [OrganizationRow(found.id, found.name, found.timezone, found.is_system) for found in session.scalars(query)]


def organization_names(session: Session, organization_ids: Collection[UUID]) -> dict[UUID, str]:
    """What these are called. Works as PLATFORM; a tenant reads its own alone."""
    query = select(Organization.id, Organization.name).where(Organization.id.in_(organization_ids))
    return {found.id: found.name for found in session.execute(query)}


def get_organization(session: Session, *, organization_id: UUID) -> OrganizationRow:
    """One of them. There has to be one."""
    found = session.scalars(select(Organization).where(Organization.id == organization_id)).one()
    return OrganizationRow(found.id, found.name, found.timezone, found.is_system)


def find_personal_organization(session: Session, *, user_id: UUID) -> UUID:
    """The organization that was made with a person's account. Works as IDENTITY."""
    query = select(Organization.id).join(Membership, Membership.organization_id == Organization.id)
    return session.scalars(query.where(Membership.user_id == user_id, Organization.is_personal)).one()


def lock_organization(session: Session, *, organization_id: UUID) -> None:
    """Let nobody else who asks this go on until it is committed. SQLite has one writer at a time anyway."""
    # Foreign keys to the organization are not held up by this kind of lock.
    session.execute(select(Organization.id).where(Organization.id == organization_id).with_for_update(key_share=True))


def find_organization(session: Session, *, name: str | None) -> OrganizationRow:
    """The organization of that name or id; without one, the only one that people made. Raises OrganizationNotFound."""
    found = list_organizations(session)
    if name is None:
        found = [row for row in found if not row.is_system]
    if not found:
        raise OrganizationNotFound("There is no organization yet. Start with: belfry up, and make the first account.")
    chosen = [row for row in found if name in {None, row.name, str(row.id)}]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(f"{row.name} ({row.id})" for row in found)
    if name is None or chosen:
        raise OrganizationNotFound(f"Say which organization with --organization. There are: {names}")
    raise OrganizationNotFound(f"There is no organization “{name}”. There are: {names}")
