"""Commands on the members of an organization: another role, and leaving. Joining is in joining.py.

Nobody deals out a role above their own, and an organization always keeps an owner.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Update, delete, exists, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict
from app.core.scopes import IDENTITY, rescoped
from app.tenants.access import Actor, Permission, is_in_scope, require
from app.tenants.audit import record
from app.tenants.models import Invitation, LoginSession, Membership
from app.tenants.queries import find_home
from app.tenants.roles import Role, rank, roles_up_to
from app.tenants.roster import MemberRow, get_member, open_in, refuse_above_own, refuse_without_team


class LastOwner(Conflict):
    """Without this person the organization would have no owner."""


class RoleChangedMeanwhile(Conflict):
    """The member is gone or has another role than a moment ago."""


def change_role(session: Session, *, actor: Actor, user_id: UUID, role: Role, now: datetime) -> None:
    """Give a member another role, from their next request on.

    Raises MemberNotFound, RoleAboveOwn, TeamOfNobody, LastOwner or RoleChangedMeanwhile.
    """
    require(actor, Permission.MANAGE_TEAM)
    refuse_without_team(session, organization_id=actor.organization_id)
    member = get_member(session, organization_id=actor.organization_id, user_id=user_id)
    refuse_above_own(actor, member.role)
    refuse_above_own(actor, role)
    if member.role is role:
        return
    _change(session, actor, member, update(Membership).values(role=role.value))
    may_invite = roles_up_to(role) if rank(role) >= rank(Role.ADMIN) else ()
    _revoke_made_by(session, actor.organization_id, member, keep=may_invite, now=now)
    record(
        session,
        actor=actor,
        action="member.role_changed",
        subject_kind="user",
        subject_id=user_id,
        summary=f"Made {member.name} {_with_article(role)}",
        changes={"role": [member.role.value, role.value]},
        now=now,
    )


def remove_member(session: Session, *, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Take somebody out of the organization, with their API tokens and the invitations they made.

    Browsers that see it go on in another organization of theirs. Everybody may leave by themselves.
    Raises MemberNotFound, RoleAboveOwn, TeamOfNobody, LastOwner or RoleChangedMeanwhile.
    """
    is_leaving = user_id == actor.user_id
    if not is_leaving or not is_in_scope(actor, Permission.MANAGE_TEAM):
        require(actor, Permission.MANAGE_TEAM)
    refuse_without_team(session, organization_id=actor.organization_id)
    member = get_member(session, organization_id=actor.organization_id, user_id=user_id)
    refuse_above_own(actor, member.role)
    _move_sessions(session, member, away_from=actor.organization_id)
    _change(session, actor, member, delete(Membership))
    _revoke_made_by(session, actor.organization_id, member, keep=(), now=now)
    record(
        session,
        actor=actor,
        action="member.left" if is_leaving else "member.removed",
        subject_kind="user",
        subject_id=user_id,
        summary="Left the organization" if is_leaving else f"Removed {member.name} ({member.email})",
        changes={"role": [member.role.value, None]},
        now=now,
    )


def _change(session: Session, actor: Actor, member: MemberRow, statement: Update | Delete) -> None:
    """Do it while the role is the one that was judged, and for an owner only while there is another one."""
    mine = Membership.organization_id == actor.organization_id
    conditions = [mine, Membership.user_id == member.user_id, Membership.role == member.role.value]
    if member.role is Role.OWNER:
        conditions.append(_another_owner(actor.organization_id, member.user_id))
    if count_changed(session, statement.where(*conditions)) == 1:
        return
    held = select(Membership.role).where(mine, Membership.user_id == member.user_id)
    if session.execute(held).scalar_one_or_none() == Role.OWNER == member.role:
        raise LastOwner("This is the only owner. Make somebody else an owner first.")
    raise RoleChangedMeanwhile("Somebody else changed this member meanwhile. Look at the team again, then decide.")


def _another_owner(organization_id: UUID, user_id: UUID) -> ColumnElement[bool]:
    # The lock holds whoever stays owner until this is committed: of two owners who remove each other at the same
    # time, the second waits here, looks again and finds nobody. SQLite has one writer at a time anyway.
    owners = (
        select(Membership.user_id)
        .where(Membership.organization_id == organization_id, Membership.role == Role.OWNER.value)
        .order_by(Membership.user_id)
        .with_for_update(key_share=True)
        .subquery("owners")
    )
    return exists(select(1).select_from(owners).where(owners.c.user_id != user_id))


def _move_sessions(session: Session, member: MemberRow, *, away_from: UUID) -> None:
    """Let the browsers that see the organization see another one. Without another they end with the membership."""
    with rescoped(session, IDENTITY):
        home = find_home(session, user_id=member.user_id, besides=away_from)
        if home is not None:
            here = LoginSession.user_id == member.user_id, LoginSession.organization_id == away_from
            session.execute(update(LoginSession).where(*here).values(organization_id=home[0]))


def _revoke_made_by(
    session: Session, organization_id: UUID, member: MemberRow, *, keep: tuple[Role, ...], now: datetime
) -> None:
    """End the open invitations that the member could no longer make."""
    made = Invitation.invited_by == member.user_id, Invitation.role.not_in([role.value for role in keep])
    session.execute(update(Invitation).where(*open_in(organization_id), *made).values(revoked_at=now))


def _with_article(role: Role) -> str:
    return f"{'an' if role.value[0] in 'aeio' else 'a'} {role.value}"
