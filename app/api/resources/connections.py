"""`/connections`: the outside accounts that syncs read from. What signs in goes in and never comes out."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Name, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.connecting import connect, disconnect, keep_test
from app.ops.connection_facts import ConnectionFacts, get_facts, job_of_connection, list_facts
from app.ops.login_desk import StoredTried, refuse_bad
from app.syncs.connection_changes import LONGEST_TOKEN, ConnectionDraft, rename_connection, replace_login
from app.syncs.connection_tests import KEPT_TESTS, list_tests
from app.syncs.meta.door import FoundAccounts
from app.syncs.standing import ORDER, Standing, Tried
from app.tenants.access import Permission, require

_TOKEN = "EAAB…"  # noqa: S105 - an example
_ONE = "/connections/<uuid:connection_id>"
Token = Annotated[
    str, Field(min_length=1, max_length=LONGEST_TOKEN, description="Sealed, in no answer.", examples=[_TOKEN])
]
ServiceWord = Annotated[str, Field(max_length=16, description="`meta`.", examples=["meta"])]


class ConnectionIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"service": "meta", "name": "Acme EU", "account_id": "1234567890", "token": _TOKEN}]
        }
    )

    service: ServiceWord
    account_id: Annotated[str, Field(min_length=1, max_length=60, description="With or without `act_`.")]
    token: Token
    name: Annotated[
        Annotated[str, Field(max_length=480)] | None, Field(description="null: it is called as its account is.")
    ] = None


class AccountsIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"service": "meta", "token": _TOKEN}]})

    service: ServiceWord
    token: Token


class LoginIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"token": _TOKEN}]})

    token: Token


class ConnectionName(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Acme Europe"}]})

    name: Name


class ConnectionScheduleOut(Answer):
    """A schedule that reads from a connection."""

    id: UUID
    name: str
    enabled: bool
    is_paused_for_it: Annotated[bool, Field(description="Disabled with the connection, and not switched since.")]


class ConnectionOut(Answer):
    """An account, how it stands, and what reads from it."""

    id: UUID
    name: str
    service: str
    account_id: str
    state: Standing
    state_words: str
    timezone: str | None
    currency: str | None
    made_by: str | None
    created_at: Moment
    token_hint: Annotated[str | None, Field(description="The last letters of what signs in.")]
    token_set_at: Moment | None
    expires_at: Annotated[Moment | None, Field(description="When the login ends; see `expiry_known_at`.")]
    data_expires_at: Annotated[Moment | None, Field(description="When the login may no longer read.")]
    expiry_known_at: Annotated[Moment | None, Field(description="null: the service does not say when it ends.")]
    last_tested_at: Moment | None
    last_test_good: bool | None
    last_test_words: str | None
    last_used_at: Moment | None
    refused_at: Moment | None
    refused_reason: str | None
    ended_at: Moment | None
    job_id: Annotated[UUID | None, Field(description="The job that reads from it; null in lists.")]
    schedules: list[ConnectionScheduleOut]


class ConnectionTestOut(Answer):
    """What a test found."""

    at: Moment
    by: str
    is_good: bool
    words: str
    trouble: Annotated[str | None, Field(description="The class of what went wrong, such as `auth_expired`.")]
    milliseconds: int


class AccountOut(Answer):
    """An account that a token reads."""

    account_id: str
    name: str
    currency: str
    timezone: str


class AccountsOut(Answer):
    """The accounts that a token reads; `problem` says why they could not be read."""

    accounts: list[AccountOut]
    is_cut: Annotated[bool, Field(description="There are more than these.")]
    problem: str | None


@resource("GET", "/connections", permission=Permission.VIEW, query=Paging, answer=ConnectionOut, is_list=True)
def list_api_connections(query: Paging) -> Page[ConnectionOut]:
    """All that are in use: what needs somebody first, the worst before the rest."""
    found = list_facts(request_session(), organization_id=current_actor().organization_id, now=request_now())
    return cut([_shown(facts) for facts in found], query, key=_place)


@resource("GET", _ONE, permission=Permission.VIEW, answer=ConnectionOut)
def show_connection(connection_id: UUID) -> ConnectionOut:
    """One of them, also one that was disconnected."""
    return _one(connection_id)


def _try_new(body: ConnectionIn) -> Tried:
    return runtime().logins.try_login(body.service, body.token, body.account_id, now=request_now())


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
    return runtime().logins.find_accounts(body.service, body.token, now=request_now())


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
    """The accounts that a token reads, to choose from. Nothing is saved."""
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
    """Read one campaign with the login it has, within ten seconds.

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
    """Give it another token, which is tried first. Runs that wait use the new one.

    After a refusal, the schedules with `is_paused_for_it` are enabled as any others: by `/schedules/bulk-actions`.
    """
    refuse_bad(found)
    was_refused = replace_login(
        request_session(),
        actor=current_actor(),
        sealer=runtime().logins.sealer,
        connection_id=connection_id,
        token=body.token,
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
    return _shown(facts, job_of_connection(session, organization_id=here, connection_id=connection_id))


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


def _shown(facts: ConnectionFacts, job_id: UUID | None = None) -> ConnectionOut:
    row = facts.row
    return ConnectionOut(
        id=row.id,
        name=row.name,
        service=row.service,
        account_id=row.account_id,
        state=facts.standing,
        state_words=facts.words,
        timezone=row.zone,
        currency=row.currency,
        made_by=row.made_by,
        created_at=row.created_at,
        token_hint=row.secret_hint,
        token_set_at=row.secret_set_at,
        expires_at=row.expires_at,
        data_expires_at=row.data_expires_at,
        expiry_known_at=row.expiry_known_at,
        last_tested_at=row.last_tested_at,
        last_test_good=row.last_test_good,
        last_test_words=row.last_test_words,
        last_used_at=row.last_used_at,
        refused_at=row.refused_at,
        refused_reason=row.refused_reason,
        ended_at=row.ended_at,
        job_id=job_id,
        schedules=[
            ConnectionScheduleOut(id=one.id, name=one.name, enabled=one.enabled, is_paused_for_it=one.is_paused_for_it)
            for one in facts.schedules
        ],
    )
