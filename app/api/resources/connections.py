"""`/connections`: the outside accounts that syncs read from. What signs in goes in and never comes out."""

from uuid import UUID

from app.api.connection_answers import connection_out
from app.api.connection_shapes import (
    AccountOut,
    AccountsIn,
    AccountsOut,
    ConnectionIn,
    ConnectionName,
    ConnectionOut,
    ConnectionTestOut,
    LoginIn,
)
from app.api.models import Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.connecting import connect, disconnect, keep_test
from app.ops.connection_facts import get_facts, job_of_connection, list_facts
from app.ops.login_desk import StoredTried, refuse_bad
from app.ops.quota_runway import read_quota
from app.syncs.connection_changes import ConnectionDraft, rename_connection, replace_login
from app.syncs.connection_tests import KEPT_TESTS, list_tests
from app.syncs.doors import FoundAccounts
from app.syncs.standing import ORDER, Tried
from app.tenants.access import Permission, require

_ONE = "/connections/<uuid:connection_id>"


@resource("GET", "/connections", permission=Permission.VIEW, query=Paging, answer=ConnectionOut, is_list=True)
def list_api_connections(query: Paging) -> Page[ConnectionOut]:
    """All that are in use: what needs somebody first, the worst before the rest."""
    found = list_facts(request_session(), organization_id=current_actor().organization_id, now=request_now())
    return cut([connection_out(facts) for facts in found], query, key=_place)


@resource("GET", _ONE, permission=Permission.VIEW, answer=ConnectionOut)
def show_connection(connection_id: UUID) -> ConnectionOut:
    """One of them, also one that was disconnected."""
    return _one(connection_id)


def _try_new(body: ConnectionIn) -> Tried:
    owner = current_actor().organization_id
    return runtime().logins.try_login(owner, body.service, body.token, body.account_id, now=request_now())


@resource(
    "POST",
    "/connections",
    permission=Permission.MANAGE_CONNECTIONS,
    body=ConnectionIn,
    answer=ConnectionOut,
    status=201,
    may_conflict=True,
    outside=_try_new,
)
def create_connection(body: ConnectionIn, found: Tried) -> Message:
    """Connect an account.

    The login is tried first, which takes ten seconds at most; nothing is saved unless it is good. No schedule is
    enabled.
    """
    refuse_bad(found)
    session, actor = request_session(), current_actor()
    require(actor, Permission.EDIT_JOBS)
    name = body.name or ("" if found.seen is None else found.seen.account_name)
    connection_id = connect(
        session,
        actor=actor,
        sealer=runtime().logins.sealer,
        draft=ConnectionDraft(body.service, name, body.token),
        tried=found,
        now=request_now(),
    )
    return Message(_one(connection_id), found.words)


def _find_accounts(body: AccountsIn) -> FoundAccounts:
    return runtime().logins.find_accounts(current_actor().organization_id, body.service, body.token, now=request_now())


@resource(
    "POST",
    "/connections/accounts",
    permission=Permission.MANAGE_CONNECTIONS,
    body=AccountsIn,
    answer=AccountsOut,
    is_reading=True,
    outside=_find_accounts,
)
def find_accounts(body: AccountsIn, found: FoundAccounts) -> AccountsOut:
    """The accounts that a login reads, to choose from. Nothing is saved."""
    accounts = [
        AccountOut(account_id=one.id, name=one.name, currency=one.currency, timezone=one.zone) for one in found.accounts
    ]
    return AccountsOut(accounts=accounts, is_cut=found.is_cut, problem=found.problem)


@resource(
    "PATCH",
    _ONE,
    permission=Permission.MANAGE_CONNECTIONS,
    body=ConnectionName,
    answer=ConnectionOut,
    may_conflict=True,
)
def rename_api_connection(connection_id: UUID, body: ConnectionName) -> ConnectionOut:
    """Call it otherwise."""
    rename_connection(
        request_session(), actor=current_actor(), connection_id=connection_id, name=body.name, now=request_now()
    )
    return _one(connection_id)


def _try_stored(connection_id: UUID) -> StoredTried:
    return runtime().logins.try_stored(current_actor(), connection_id, now=request_now())


@resource(
    "POST",
    f"{_ONE}/tests",
    permission=Permission.RUN,
    answer=ConnectionTestOut,
    may_conflict=True,
    outside=_try_stored,
    status=201,
)
def test_api_connection(connection_id: UUID, found: StoredTried) -> Message:
    """Read a little with the login it has, within ten seconds.

    A login that is refused disables the schedules that read from it; a good one ends a refusal, and enables none.
    """
    session, actor = request_session(), current_actor()
    noted = keep_test(session, actor=actor, connection_id=connection_id, stored=found, now=request_now())
    newest = _tests(connection_id, limit=1)[0]
    return Message(newest, noted.tried.words)


@resource("GET", f"{_ONE}/tests", permission=Permission.VIEW, query=Paging, answer=ConnectionTestOut, is_list=True)
def list_connection_tests(connection_id: UUID, query: Paging) -> Page[ConnectionTestOut]:
    """The newest tests, the last one first."""
    _one(connection_id)
    found = _tests(connection_id, limit=KEPT_TESTS)
    places = {id(test): str(number).zfill(4) for number, test in enumerate(found)}
    return cut(found, query, key=lambda test: (places[id(test)],))


def _try_replacement(connection_id: UUID, body: LoginIn) -> Tried:
    return runtime().logins.try_replacement(current_actor(), connection_id, body.token, now=request_now())


@resource(
    "PUT",
    f"{_ONE}/login",
    permission=Permission.MANAGE_CONNECTIONS,
    body=LoginIn,
    answer=ConnectionOut,
    may_conflict=True,
    outside=_try_replacement,
)
def replace_connection_login(connection_id: UUID, body: LoginIn, found: Tried) -> Message:
    """Give it another login, which is tried first. Runs that wait use the new one.

    After a refusal, the schedules with `is_paused_for_it` are enabled as any others: by `/schedules/bulk-actions`.
    """
    refuse_bad(found)
    was_refused = replace_login(
        request_session(),
        actor=current_actor(),
        sealer=runtime().logins.sealer,
        connection_id=connection_id,
        secret=body.token,
        tried=found,
        now=request_now(),
    )
    words = "Reconnected." if was_refused else "The login was replaced."
    return Message(_one(connection_id), f"{words} {found.words}")


@resource("DELETE", _ONE, permission=Permission.MANAGE_CONNECTIONS, may_conflict=True)
def disconnect_account(connection_id: UUID) -> Message:
    """Delete its login and disable the schedules that read from it. Its figures stay."""
    ended = disconnect(request_session(), actor=current_actor(), connection_id=connection_id, now=request_now())
    return Message(None, f"Disconnected. Schedules disabled: {ended.paused}.")


def _one(connection_id: UUID) -> ConnectionOut:
    session, here = request_session(), current_actor().organization_id
    session.flush()
    session.expire_all()
    facts = get_facts(session, organization_id=here, connection_id=connection_id, now=request_now())
    job_id = job_of_connection(session, organization_id=here, connection_id=connection_id)
    is_ended = facts.row.is_ended
    quota = (
        None if is_ended else read_quota(session, organization_id=here, connection_id=connection_id, now=request_now())
    )
    return connection_out(facts, job_id, quota)


def _tests(connection_id: UUID, *, limit: int) -> list[ConnectionTestOut]:
    here = current_actor().organization_id
    return [
        ConnectionTestOut(
            at=test.at,
            by=test.by,
            is_good=test.is_good,
            words=test.words,
            trouble=test.trouble,
            milliseconds=test.milliseconds,
        )
        for test in list_tests(request_session(), organization_id=here, connection_id=connection_id, limit=limit)
    ]


def _place(one: ConnectionOut) -> tuple[str, str, str, str]:
    rank = ORDER.index(one.state) if one.state.is_problem else len(ORDER)
    return str(rank), one.service, one.name.casefold(), str(one.id)
