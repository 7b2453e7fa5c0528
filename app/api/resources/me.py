"""`/me`: as whom a program is signed in, that person's profile, and the browsers in which they are signed in."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.api.resource import Message, resource
from app.core.clock_words import HourClock
from app.core.errors import Forbidden
from app.edge.identity import (
    Person,
    current_actor,
    current_person,
    current_token,
    request_now,
    signed_in_session,
)
from app.edge.runtime import request_session
from app.tenants.access import Permission, may
from app.tenants.browsers import end_browser, end_other_browsers, list_browsers
from app.tenants.first_steps import hide_first_steps, read_company, show_first_steps
from app.tenants.people import LONGEST_NAME
from app.tenants.preferences import Density, Theme
from app.tenants.profiles import Profile, find_profile, revise_profile
from app.tenants.roles import Role
from app.tenants.token_queries import ACCOUNT_SCOPE, PLATFORM_SCOPE, SignedInToken

TAG = "Me"


class AccountScopeMissing(Forbidden):
    """The token may do things in its organization, and nothing to the account of its owner."""


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


class ProfileIn(Body):
    """What is to change. What is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"clock": "12", "theme": "dark"}]})

    name: Annotated[str | None, Field(min_length=1, max_length=LONGEST_NAME)] = None
    timezone: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    clock: Annotated[HourClock | None, Field(description="How pages count hours. The API never changes.")] = None
    theme: Theme | None = None
    density: Density | None = None
    shortcuts_enabled: bool | None = None


class ProfileOut(Answer):
    """Who somebody is, and how they like their pages."""

    name: str
    email: str
    timezone: str
    clock: HourClock
    theme: Annotated[Theme | None, Field(description="null: not chosen, so each browser keeps its own.")]
    density: Density
    shortcuts_enabled: bool


class FirstStepsIn(Body):
    """Whether the checklist is to be put away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"hidden": True}]})

    hidden: bool


class FirstStepsOut(Answer):
    """Whether the checklist is put away. It is not shown either once everything on it is done."""

    hidden: bool


class BrowserOut(Answer):
    """A browser that is signed in."""

    id: UUID
    user_agent: str
    organization: str
    signed_in_at: Moment
    seen_at: Moment
    ends_at: Annotated[Moment, Field(description="When it has to sign in again unless it is used.")]
    is_this: Annotated[bool, Field(description="Whether this request came from it.")]


class BrowsersOut(Answer):
    browsers: list[BrowserOut]


class SignedOutOut(Answer):
    ended: int


class MeOut(Answer):
    user: UserOut
    organization: OrganizationOut
    role: Role
    scopes: list[str]
    token: TokenInUse | None


@resource("GET", "/me", signed_in=True, answer=MeOut, tag=TAG)
def show_me() -> MeOut:
    """Who is signed in, where, and what they may do.

    `scopes` is what both the role and the token allow. `token` is null for a browser's session.
    """
    actor, person, token = current_actor(), current_person(), current_token()
    allowed = [permission.value for permission in Permission if may(actor, permission)]
    if token is None or ACCOUNT_SCOPE in token.scope_words:
        allowed.append(ACCOUNT_SCOPE)
    return MeOut(
        user=UserOut(id=person.user_id, name=person.name, email=person.email, timezone=person.timezone),
        organization=OrganizationOut(id=actor.organization_id, name=person.organization_name),
        role=actor.role,
        scopes=allowed + ([PLATFORM_SCOPE] if actor.is_platform_admin else []),
        token=None if token is None else _token(token),
    )


@resource("GET", "/me/profile", signed_in=True, answer=ProfileOut, tag=TAG)
def show_profile() -> ProfileOut:
    """The profile, with what pages are to look like."""
    return _profile(current_person())


@resource("PATCH", "/me/profile", signed_in=True, body=ProfileIn, answer=ProfileOut, tag=TAG)
def change_profile(body: ProfileIn) -> ProfileOut:
    """Change some of the profile. A token needs the scope `account`."""
    _require_account_scope()
    session, actor = request_session(), current_actor()
    said = {name: str(value) if not isinstance(value, bool) else value for name, value in body if value is not None}
    revise_profile(session, actor=actor, user_id=actor.user_id, said=said, now=request_now())
    return _profile(find_profile(session, email=current_person().email))


@resource("GET", "/me/first-steps", permission=Permission.VIEW, answer=FirstStepsOut, tag=TAG)
def show_own_first_steps() -> FirstStepsOut:
    """Whether the person put away the checklist on the overview of this organization."""
    here = current_actor().organization_id
    company = read_company(request_session(), organization_id=here, user_id=current_person().user_id)
    return FirstStepsOut(hidden=company.is_hidden)


@resource("PATCH", "/me/first-steps", permission=Permission.VIEW, body=FirstStepsIn, answer=FirstStepsOut, tag=TAG)
def change_own_first_steps(body: FirstStepsIn) -> FirstStepsOut:
    """Put the checklist away for this person alone, or bring it back. A token needs the scope `account`."""
    _require_account_scope()
    change = hide_first_steps if body.hidden else show_first_steps
    change(request_session(), actor=current_actor(), now=request_now())
    return FirstStepsOut(hidden=body.hidden)


@resource("GET", "/me/browsers", signed_in=True, answer=BrowsersOut, tag=TAG)
def list_own_browsers() -> BrowsersOut:
    """The browsers in which the person is signed in, the one used last first. A token needs the scope `account`."""
    _require_account_scope()
    here = signed_in_session()
    rows = list_browsers(request_session(), user_id=current_person().user_id, now=request_now())
    return BrowsersOut(
        browsers=[
            BrowserOut(
                id=row.id,
                user_agent=row.user_agent,
                organization=row.organization_name,
                signed_in_at=row.signed_in_at,
                seen_at=row.seen_at,
                ends_at=row.ends_at,
                is_this=here is not None and here.session_id == row.id,
            )
            for row in rows
        ]
    )


@resource("DELETE", "/me/browsers", signed_in=True, answer=SignedOutOut, tag=TAG)
def sign_out_browsers() -> SignedOutOut:
    """Sign every browser out but the one that asks. A token needs the scope `account`."""
    _require_account_scope()
    actor, here = current_actor(), signed_in_session()
    ended = end_other_browsers(
        request_session(),
        actor=actor,
        user_id=actor.user_id,
        but=None if here is None else here.session_id,
        now=request_now(),
    )
    return SignedOutOut(ended=ended)


@resource("DELETE", "/me/browsers/<uuid:browser_id>", signed_in=True, tag=TAG)
def sign_out_one_browser(browser_id: UUID) -> Message:
    """Sign one browser out. A token needs the scope `account`."""
    _require_account_scope()
    actor = current_actor()
    end_browser(request_session(), actor=actor, user_id=actor.user_id, browser_id=browser_id, now=request_now())
    return Message(None, "That browser is signed out.")


def _require_account_scope() -> None:
    token = current_token()
    if token is not None and ACCOUNT_SCOPE not in token.scope_words:
        raise AccountScopeMissing(f"This token lacks the scope {ACCOUNT_SCOPE}. Make one that has it.")


def _profile(person: Person | Profile) -> ProfileOut:
    likes = person.preferences
    return ProfileOut(
        name=person.name,
        email=person.email,
        timezone=person.timezone,
        clock=likes.clock,
        theme=likes.theme,
        density=likes.density,
        shortcuts_enabled=likes.shortcuts_enabled,
    )


def _token(token: SignedInToken) -> TokenInUse:
    return TokenInUse(id=token.token_id, name=token.token_name, expires_at=token.expires_at)
