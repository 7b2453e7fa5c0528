"""What the forms and buttons of connections do. Services are asked outside of the request's transaction."""

from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import AppError, Conflict, Invalid
from app.core.names import showable
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.edge.transactions import outside_transaction
from app.ops.connecting import connect, disconnect, keep_test
from app.ops.login_desk import DraftLost, LoginUntried, TooManyTests, connectable, refuse_bad
from app.syncs.connection_changes import ConnectionDraft, rename_connection, replace_login
from app.syncs.doors import FoundAccounts
from app.syncs.signs.registry import sign_of
from app.syncs.standing import Tried
from app.tenants.access import Permission, require
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.connections import ConnectionForm, RenameForm, connection_form, login_form
from app.web.pages.connections import connection_form_page, connection_page, login_page, read_connection
from app.web.permissions import route
from app.web.responses import ToastKind, go_to, see_other, toast
from app.web.session import local_address

# What is shown at the form that it came from.
_SHOWN = (Invalid, Conflict, LoginUntried, TooManyTests)


@route(web, "/connections/new/<service>", permission=Permission.MANAGE_CONNECTIONS, methods=["POST"])
def make_connection(service: str) -> Response:
    """Try the login, and connect the account when it is good; or find the accounts that it reads, to choose from."""
    form, newest = connection_form(sign_of(connectable(service))), None
    try:
        form.validate()
        secret = _secret_of(service, form)
        can_find = sign_of(service).lists_accounts
        if can_find and (request.form.get("find") or not form.account):
            return _accounts_found(service, form, secret)
        tried = _try(service, secret, form.account)
        newest = tried.secret
        refuse_bad(tried)
        return _connected(service, form, secret, tried)
    except _SHOWN as error:
        roll_back(runtime().requests)
        form.show_error(error)
        return _form_again(service, form, status=status_of(error), secret=newest)


@route(web, "/connections/<uuid:connection_id>/test", permission=Permission.RUN, methods=["POST"])
def test_connection(connection_id: UUID) -> Response:
    """Try the login that a connection has."""
    desk, actor, now = runtime().logins, current_actor(), request_now()
    stored = outside_transaction(lambda: desk.try_stored(actor, connection_id, now=now))
    noted = keep_test(request_session(), actor=actor, connection_id=connection_id, stored=stored, now=now)
    back = go_to(local_address(request.form.get("next")) or url_for("web.connection", connection_id=connection_id))
    return toast(back, noted.tried.words, kind=ToastKind.SUCCESS if noted.tried.is_good else ToastKind.ERROR)


@route(web, "/connections/<uuid:connection_id>/login", permission=Permission.MANAGE_CONNECTIONS, methods=["POST"])
def change_login(connection_id: UUID) -> Response:
    """Try another login, and use it from now on when it is good."""
    desk, actor, now = runtime().logins, current_actor(), request_now()
    sign = sign_of(read_connection(connection_id).facts.row.service)
    form = login_form(sign)
    try:
        form.validate()
        secret = sign.clean_secret(form.secret)
        tried = outside_transaction(lambda: desk.try_replacement(actor, connection_id, secret, now=now))
        refuse_bad(tried)
        was_refused = replace_login(
            request_session(), actor=actor, sealer=desk.sealer, connection_id=connection_id, secret=secret, tried=tried,
            now=now,
        )  # fmt: skip
    except _SHOWN as error:
        roll_back(runtime().requests)
        form.show_error(error)
        return login_page(connection_id, form, status=status_of(error))
    words = "Reconnected." if was_refused else "The login was replaced. Runs that wait use the new one."
    return toast(see_other("web.connection", connection_id=connection_id), f"{words} {tried.words}")


@route(web, "/connections/<uuid:connection_id>/name", permission=Permission.MANAGE_CONNECTIONS, methods=["POST"])
def name_connection(connection_id: UUID) -> Response:
    """Call a connection otherwise."""
    form, name = RenameForm(), request.form.get("name", "")
    try:
        rename_connection(
            request_session(), actor=current_actor(), connection_id=connection_id, name=name, now=request_now()
        )
    except (Invalid, Conflict) as error:
        roll_back(runtime().requests)
        form.show_error(error)
        return connection_page(connection_id, status=status_of(error), rename=form)
    return toast(see_other("web.connection", connection_id=connection_id), f"It is called {name.strip()} now.")


@route(web, "/connections/<uuid:connection_id>/disconnect", permission=Permission.MANAGE_CONNECTIONS, methods=["POST"])
def end_connection(connection_id: UUID) -> Response:
    """End a connection, and switch off what depends on it."""
    ended = disconnect(request_session(), actor=current_actor(), connection_id=connection_id, now=request_now())
    many = "1 schedule was" if ended.paused == 1 else f"{ended.paused} schedules were"
    paused = f" {many} disabled." if ended.paused else ""
    return toast(see_other("web.connections"), f"{ended.name} disconnected; its login is deleted.{paused}")


def _secret_of(service: str, form: ConnectionForm) -> str:
    """What was given, or what the form kept. Raises SecretInvalid or DraftLost."""
    given, kept = form.secret, text_of(form.kept)
    if given or not kept:
        return sign_of(service).clean_secret(given)
    return runtime().logins.open_draft(current_actor(), kept, now=request_now())


def _try(service: str, secret: str, account_id: str) -> Tried:
    owner, now = current_actor().organization_id, request_now()
    return outside_transaction(lambda: runtime().logins.try_login(owner, service, secret, account_id, now=now))


def _accounts_found(service: str, form: ConnectionForm, secret: str) -> Response:
    """The form again, with the accounts that the login reads."""
    owner, now = current_actor().organization_id, request_now()
    found: FoundAccounts = outside_transaction(lambda: runtime().logins.find_accounts(owner, service, secret, now=now))
    if found.problem is not None:
        form.show_error(Invalid(found.problem, field="token"))
        return _form_again(service, form, status=422)
    if not found.accounts:
        form.show_error(Invalid(sign_of(service).nothing_found, field="token"))
        return _form_again(service, form, status=422)
    form.offer(found.accounts)
    return _form_again(service, form, status=200, is_cut=found.is_cut)


def _connected(service: str, form: ConnectionForm, secret: str, tried: Tried) -> Response:
    session, actor = request_session(), current_actor()
    require(actor, Permission.EDIT_JOBS)
    seen_name = "" if tried.seen is None else showable(tried.seen.account_name)
    draft = ConnectionDraft(service, text_of(form.name).strip() or seen_name, secret)
    connection_id = connect(
        session, actor=actor, sealer=runtime().logins.sealer, draft=draft, tried=tried, now=request_now()
    )
    return toast(see_other("web.connection", connection_id=connection_id), f"Connected. {tried.words}")


def _form_again(
    service: str, form: ConnectionForm, *, status: int, is_cut: bool = False, secret: str | None = None
) -> Response:
    """The form with what was typed, but for the login, which it keeps sealed; or with what it became by the test."""
    desk, actor, now, hint = runtime().logins, current_actor(), request_now(), ""
    try:
        secret = secret or _secret_of(service, form)
        form.kept.data = desk.keep_draft(actor, secret, now=now)
        hint = sign_of(service).hint_of(secret) or "••••"
    except (Invalid, DraftLost, AppError):
        form.kept.data = ""
    if not form.chosen_account.choices:
        form.account_id.data = form.account
    return connection_form_page(service, form, status=status, hint=hint, is_cut=is_cut)
