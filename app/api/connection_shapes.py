"""What connections look like over the API, and what is sent to make one. What signs in is in no answer."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.data_shapes import Amount
from app.api.models import Answer, Body, Moment, Name
from app.syncs.signs.sign import LONGEST_ACCOUNT, LONGEST_SECRET
from app.syncs.standing import Standing

_TOKEN = "EAAB…"  # noqa: S105 - an example
Token = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_SECRET,
        description="What signs in: a token, a key, or JSON with the parts of one. Sealed, in no answer.",
        examples=[_TOKEN],
    ),
]
ServiceWord = Annotated[
    str, Field(max_length=16, description="`meta`, `ga4`, `shopify` or `sheets`.", examples=["meta"])
]


class ConnectionIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"service": "meta", "name": "Acme EU", "account_id": "1234567890", "token": _TOKEN}]
        }
    )

    service: ServiceWord
    account_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_ACCOUNT,
            description="Meta: with or without `act_`; Google Analytics: the number of the property; Shopify: "
            "`acme.myshopify.com`; Google Sheets: the address.",
        ),
    ]
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


class QuotaOut(Answer):
    """How much of what its service allows is used, and whether the rest is enough for what is planned."""

    used_percent: Annotated[Amount, Field(description="Of all that the service allows, by everybody who calls it.")]
    as_of: Moment
    refills_at: Annotated[Moment, Field(description="When what was used is free again.")]
    is_filled: Annotated[bool, Field(description="That time has come.")]
    cost_percent: Annotated[Amount | None, Field(description="What one sync takes.")]
    planned: Annotated[int, Field(description="How many syncs are planned until then.")]
    runs_dry_at: Annotated[Moment | None, Field(description="The first of them that asks for more than is left.")]
    rests_until: Annotated[Moment | None, Field(description="Until when the account takes no calls at all.")]
    rests_because: str


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
    quota: Annotated[QuotaOut | None, Field(description="null in lists, and where its service never told of one.")]
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
    """An account that a login reads."""

    account_id: str
    name: str
    currency: str | None
    timezone: str


class AccountsOut(Answer):
    """The accounts that a login reads; `problem` says why they could not be read."""

    accounts: list[AccountOut]
    is_cut: Annotated[bool, Field(description="There are more than these.")]
    problem: str | None
