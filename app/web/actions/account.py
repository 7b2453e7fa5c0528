"""What the forms of signing in, setting up and one's own account do."""

from uuid import UUID

from flask import Response, request

from app.core.errors import AppError, Conflict, Invalid
from app.edge.errors import status_of
from app.edge.identity import (
    begin_browser_session,
    current_actor,
    current_session,
    end_browser_session,
    request_now,
    signed_in_session,
)
from app.edge.runtime import request_session, runtime
from app.schedules.defaults import welcome_person
from app.tenants.browsers import end_browser, end_other_browsers
from app.tenants.profiles import revise_profile
from app.tenants.service import (
    SetupLinkExpired,
    SetupLinkUnknown,
    check_setup_link,
    make_first_account,
)
from app.tenants.sign_in import change_password, sign_in, sign_out, start_session
from app.tenants.tries import TooManyTries
from app.web.blueprint import web
from app.web.clock_choice import choose_clock
from app.web.forms.account import LoginForm, PasswordForm, ProfileForm, SetupForm
from app.web.forms.base import text_of
from app.web.page_size import choose_rows_per_page
from app.web.pages.account import account_page
from app.web.permissions import route
from app.web.responses import empty, go_to, invalid, is_htmx, see_other, toast
from app.web.session import local_address


@route(web, "/login", public=True, methods=["POST"])
def sign_in_person() -> Response:
    """Sign in, and lead back to where the person wanted to go."""
    form = LoginForm()
    if not form.validate():
        return invalid("account/login.html", form=form, has_accounts=True)
    try:
        token = sign_in(
            runtime().database,
            email=text_of(form.email),
            password=text_of(form.password),
            address=_address(),
            user_agent=request.user_agent.string,
            now=request_now(),
        )
    except (Invalid, TooManyTries) as error:
        form.show_error(error)
        return _with_wait(invalid("account/login.html", status=status_of(error), form=form, has_accounts=True), error)
    _end_present_session()
    begin_browser_session(token)
    return go_to(local_address(form.next.data) or "/")


@route(web, "/logout", public=True, methods=["POST"])
def sign_out_person() -> Response:
    """Sign out. Whoever already is gets the same answer."""
    _end_present_session()
    end_browser_session()
    wanted = local_address(request.form.get("next"))
    return toast(go_to(wanted) if wanted else see_other("web.login"), "You are signed out.")


@route(web, "/setup", public=True, methods=["POST"])
def make_owner() -> Response:
    """Make the first account and sign it in."""
    form = SetupForm()
    try:
        check_setup_link(request_session(), token=text_of(form.token), now=request_now())
        if not form.validate():
            return invalid("account/setup.html", form=form)
        token = _first_session(form)
    except (Invalid, Conflict, SetupLinkExpired, SetupLinkUnknown) as error:
        form.show_error(error)
        return invalid("account/setup.html", status=status_of(error), form=form)
    begin_browser_session(token)
    return toast(go_to("/"), f"Welcome to Belfry, {text_of(form.name).strip()}.")


@route(web, "/account", signed_in=True, methods=["POST"])
def change_profile() -> Response:
    """Change one's own name, time zone, and how pages look."""
    form = ProfileForm()
    try:
        if not form.validate():
            return _profile_page(profile=form)
        _revise(form.said())
    except Invalid as error:
        return _profile_page(error, profile=form)
    return toast(see_other("web.account"), "Profile saved.")


@route(web, "/account/theme", signed_in=True, methods=["POST"])
def choose_theme() -> Response:
    """Choose the theme from the menu. The page has changed its colours already, if it could."""
    _revise({"theme": request.form.get("theme", "")})
    return empty() if is_htmx() else see_other("web.account")


@route(web, "/account/times", signed_in=True, methods=["POST"])
def choose_list_clock() -> Response:
    """Choose by which clock lists tell times, in this browser."""
    choose_clock(request.form.get("times", ""))
    return go_to(local_address(request.form.get("back")) or "/")


@route(web, "/account/rows", signed_in=True, methods=["POST"])
def choose_page_size() -> Response:
    """Choose how many rows a page of a list has, in this browser."""
    choose_rows_per_page(request.form.get("rows", ""))
    return go_to(local_address(request.form.get("back")) or "/")


@route(web, "/account/browsers/sign-out", signed_in=True, methods=["POST"])
def sign_out_other_browsers() -> Response:
    """Sign out every browser but this one."""
    ended = end_other_browsers(
        request_session(),
        actor=current_actor(),
        user_id=current_actor().user_id,
        but=current_session().session_id,
        now=request_now(),
    )
    words = {0: "No other browser was signed in.", 1: "1 other browser is signed out."}
    return toast(see_other("web.account"), words.get(ended, f"{ended} other browsers are signed out."))


@route(web, "/account/browsers/<uuid:browser_id>/sign-out", signed_in=True, methods=["POST"])
def sign_out_browser(browser_id: UUID) -> Response:
    """Sign out one of one's own browsers."""
    if browser_id == current_session().session_id:
        return sign_out_person()
    actor = current_actor()
    end_browser(request_session(), actor=actor, user_id=actor.user_id, browser_id=browser_id, now=request_now())
    return toast(see_other("web.account"), "That browser is signed out.")


@route(web, "/account/password", signed_in=True, methods=["POST"])
def change_own_password() -> Response:
    """Change one's own password, which signs every other browser out."""
    form = PasswordForm()
    try:
        if not form.validate():
            return _profile_page(password=form)
        change_password(
            runtime().database,
            actor=current_actor(),
            session_id=current_session().session_id,
            current=text_of(form.current_password),
            new=text_of(form.new_password),
            address=_address(),
            now=request_now(),
        )
    except (Invalid, TooManyTries) as error:
        return _with_wait(_profile_page(error, password=form), error)
    return toast(see_other("web.account"), "Password changed. Other browsers are signed out.")


def _revise(said: dict[str, str | bool]) -> None:
    actor = current_actor()
    revise_profile(request_session(), actor=actor, user_id=actor.user_id, said=said, now=request_now())


def _first_session(form: SetupForm) -> str:
    session = request_session()
    user_id = make_first_account(
        session,
        token=text_of(form.token),
        email=text_of(form.email),
        name=text_of(form.name),
        password=text_of(form.password),
        timezone=text_of(form.timezone),
        now=request_now(),
    )
    welcome_person(session, user_id=user_id, now=request_now())
    agent = request.user_agent.string
    return start_session(session, user_id=user_id, email=text_of(form.email), user_agent=agent, now=request_now())


def _profile_page(
    error: AppError | None = None, *, profile: ProfileForm | None = None, password: PasswordForm | None = None
) -> Response:
    """The account page again, with the messages of the form that was sent."""
    sent = profile or password
    if error is not None and sent is not None:
        sent.show_error(error)
    return account_page(status=422 if error is None else status_of(error), profile=profile, password=password)


def _end_present_session() -> None:
    found = signed_in_session()
    if found is not None:
        sign_out(request_session(), actor=current_actor(), session_id=found.session_id, now=request_now())


def _with_wait(response: Response, error: AppError) -> Response:
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.wait_seconds)
    return response


def _address() -> str:
    # What the connection says, or the proxies that the operator named: any other header would let a guesser be
    # somebody else every time.
    return request.remote_addr or "unknown"
