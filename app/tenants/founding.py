"""Making organizations for teams, and renaming them. Personal ones are made with the account, in service.py."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.names import clean_name
from app.tenants.access import Actor, Permission, PermissionMissing, is_in_scope, require
from app.tenants.audit import record
from app.tenants.models import Membership, Organization
from app.tenants.people import LONGEST_NAME, clean_timezone
from app.tenants.roles import Role


class OrganizationFixed(Conflict):
    """The organization of the installation keeps its name."""


class FounderMissing(Conflict):
    """Only a person can own an organization."""


def found_organization(session: Session, *, actor: Actor, name: str, timezone: str, now: datetime) -> UUID:
    """Make an organization that the actor owns. Works as IDENTITY.

    Raises NameInvalid, PersonInvalid or FounderMissing.
    """
    if actor.user_id is None:
        raise FounderMissing("Say whose organization it is.")
    if not is_in_scope(actor, Permission.MANAGE_ORGANIZATION):
        raise PermissionMissing(f"This token lacks the scope {Permission.MANAGE_ORGANIZATION.value}.")
    organization = Organization(
        id=new_id(),
        name=clean_name(name, noun="organization", longest=LONGEST_NAME),
        timezone=clean_timezone(timezone),
        is_personal=False,
        created_at=now,
    )
    session.add(organization)
    session.flush()
    owner = Membership(organization_id=organization.id, user_id=actor.user_id, role=Role.OWNER.value, created_at=now)
    session.add(owner)
    record(
        session,
        actor=replace(actor, organization_id=organization.id, role=Role.OWNER),
        action="organization.created",
        subject_kind="organization",
        subject_id=organization.id,
        summary=f"Made the organization {organization.name}",
        now=now,
    )
    session.flush()
    return organization.id


def revise_organization(
    session: Session, *, actor: Actor, name: str | None = None, timezone: str | None = None, now: datetime
) -> None:
    """Change name and time zone of the actor's organization; what is None stays, also when others change it meanwhile.

    Raises NameInvalid, PersonInvalid or OrganizationFixed.
    """
    require(actor, Permission.MANAGE_ORGANIZATION)
    new = _revised(name, timezone)
    here = Organization.id == actor.organization_id
    columns = select(Organization.name, Organization.timezone, Organization.is_system).where(here)
    # Locked, so that the audit names the values that were replaced.
    old = session.execute(columns.with_for_update(key_share=True)).mappings().one()
    if old["is_system"]:
        raise OrganizationFixed("This organization belongs to the installation and keeps its name.")
    changes = {field: [old[field], value] for field, value in new.items() if old[field] != value}
    if not changes:
        return
    session.execute(update(Organization).where(here).values(**new))
    record(
        session,
        actor=actor,
        action="organization.changed",
        subject_kind="organization",
        subject_id=actor.organization_id,
        summary="Changed the organization",
        changes=changes,
        now=now,
    )


def _revised(name: str | None, timezone: str | None) -> dict[str, str]:
    """The columns to write, cleaned. Raises NameInvalid or PersonInvalid."""
    new = {}
    if name is not None:
        new["name"] = clean_name(name, noun="organization", longest=LONGEST_NAME)
    if timezone is not None:
        new["timezone"] = clean_timezone(timezone)
    return new
