"""How many runs of an organization go on at once, as the admins of the platform say."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.scopes import ENGINE, rescoped
from app.runs import ledger
from app.runs.line_lock import lock_line
from app.runs.models import Run
from app.runs.queue_limits import check_limit
from app.tenants.access import Actor
from app.tenants.models import Organization
from app.tenants.organizations import OrganizationNotFound
from app.tenants.platform import record_for_platform, require_platform_admin

_INSTEAD = "Use at least 1; to have an organization start nothing, disable its schedules."


@dataclass(frozen=True)
class OrganizationLimitRow:
    """An organization and its limit; None: as many as there is room for."""

    id: UUID
    name: str
    concurrency: int | None


def limit_organization(
    session: Session, *, actor: Actor, organization_id: UUID, concurrency: int | None, now: datetime
) -> OrganizationLimitRow:
    """Let so many of its runs go on at once. Works as PLATFORM. Whoever calls it dispatches after the commit.

    Raises PlatformAdminNeeded, LimitInvalid or OrganizationNotFound.
    """
    require_platform_admin(actor)
    check_limit("concurrency", "The number of runs at once", concurrency, instead=_INSTEAD)
    lock_line(session)
    here = Organization.id == organization_id
    before = session.scalar(select(Organization.concurrency).where(here))
    if count_changed(session, update(Organization).where(here).values(concurrency=concurrency)) != 1:
        raise OrganizationNotFound("There is no such organization.")
    with rescoped(session, ENGINE):
        ledger.forget_hints(session, Run.organization_id == organization_id)
    name = session.scalars(select(Organization.name).where(here)).one()
    limit = "Lifted the limit of" if concurrency is None else f"Limited to {concurrency} runs at once:"
    was = "no limit" if before is None else f"{before} at once"
    record_for_platform(
        session, actor=actor, action="organization.limited", subject_kind="organization",
        subject_id=organization_id, summary=f"{limit} “{name}” (before: {was})",
        changes={"concurrency": [before, concurrency]}, now=now,
    )  # fmt: skip
    return OrganizationLimitRow(organization_id, name, concurrency)


def list_organization_limits(session: Session, *, limited_alone: bool = False) -> list[OrganizationLimitRow]:
    """Organizations with their limits, by name: all, or those that have one. Works as PLATFORM."""
    query = select(Organization.id, Organization.name, Organization.concurrency)
    if limited_alone:
        query = query.where(Organization.concurrency.is_not(None))
    found = session.execute(query.order_by(Organization.name, Organization.id))
    return [OrganizationLimitRow(*row) for row in found]
