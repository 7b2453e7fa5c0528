"""Pages of signing in, setting up and one's own account. What their forms do is in actions/account.py."""

from dataclasses import dataclass

from flask import Response, request

from app.edge.identity import current_person, current_session, request_now, signed_in_session
from app.edge.runtime import request_session, runtime
from app.tenants.browsers import BrowserRow, list_browsers
from app.tenants.queries import has_users
from app.tenants.service import check_setup_link
from app.web.blueprint import web
from app.web.browser_words import browser_name
from app.web.forms.account import LoginForm, PasswordForm, ProfileForm, SetupForm, profile_data
from app.web.permissions import route
from app.web.responses import go_to, invalid, page
from app.web.session import local_address


@dataclass(frozen=True)
class BrowserLine:
    """A browser in which the person is signed in, as the table shows it."""

    browser: BrowserRow
    name: str
    is_this: bool


@route(web, "/login", public=True)
def login() -> Response:
    """The sign-in form."""
    wanted = local_address(request.args.get("next"))
    if signed_in_session() is not None:
        return go_to(wanted or "/")
    form = LoginForm(data={"next": wanted or ""})
    return page("account/login.html", form=form, has_accounts=has_users(request_session()))


@route(web, "/setup", public=True)
def setup() -> Response:
    """The form of the first account. There is no such page once anybody has one."""
    token = request.args.get("token", "")
    check_setup_link(request_session(), token=token, now=request_now())
    form = SetupForm(data={"token": token, "timezone": runtime().settings.default_timezone})
    return page("account/setup.html", form=form)


@route(web, "/account", signed_in=True)
def account() -> Response:
    """The person's own profile, password and browsers."""
    return account_page()


def account_page(
    *, status: int = 200, profile: ProfileForm | None = None, password: PasswordForm | None = None
) -> Response:
    """The account page; after a refusal with the messages of the form that was sent."""
    person = current_person()
    return invalid(
        "account/profile.html",
        status=status,
        # Without form data, or the one form would be filled with what was typed into the other.
        profile=profile or ProfileForm(None, data=profile_data(person)),
        password=password or PasswordForm(None),
        browsers=_browsers(),
    )


def _browsers() -> list[BrowserLine]:
    found = current_session()
    rows = list_browsers(request_session(), user_id=found.user_id, now=request_now())
    return [BrowserLine(row, browser_name(row.user_agent), row.id == found.session_id) for row in rows]
