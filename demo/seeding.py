"""What a demo begins with: one person, one organization, five connections, and schedules whose first runs wait.

All of it is made as people make it, by the commands of the product. No figure and no end of a run is written here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.core.db import Database
from app.core.ids import new_id, new_token
from app.core.scopes import IDENTITY, Scope, rescope, rescoped
from app.jobs.chains import ChainDraft, add_chain
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.policies import Backoff, ChainOutcome, RetryPolicy
from app.jobs.queries import get_job
from app.jobs.service import JobDraft, create_job, draft_of, revise_job
from app.jobs.services import Service
from app.jobs.sync_jobs import bind_sync_job
from app.ops.code_definitions import Definitions, load_definitions
from app.ops.code_schedules import switch_code_schedule
from app.ops.code_sync import sync_definitions
from app.ops.connecting import connect
from app.ops.kinds import job_kinds
from app.ops.login_desk import LoginDesk, refuse_bad
from app.runs.service import change_default, run_schedule_now
from app.schedules.defaults import find_default, welcome_person
from app.schedules.service import ScheduleDraft, create_schedule
from app.syncs.connection_changes import ConnectionDraft
from app.syncs.standing import Tried
from app.tenants.access import Actor
from app.tenants.founding import revise_organization
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.tenants.organizations import find_personal_organization
from app.tenants.queries import has_users
from app.tenants.roles import Role
from app.tenants.service import make_user
from demo.provider import TOKENS
from demo.sheet import SPREADSHEET, TITLE
from demo.site import SITE, SITE_ID
from demo.store import CLIENT_ID, CLIENT_SECRET, STORE, STORE_ID
from demo.truth import EU, UK, US, Plan
from tests.fakes.providers.google.keys import KEY_FILE

EMAIL, PERSON, ORGANIZATION, ZONE = "demo@example.com", "Dana Demo", "Demo Outdoor", "Europe/Berlin"
RETRY_SECONDS = 20
EVERY_15_MINUTES = "*/15 * * * *"
CODE_SCHEDULE = "dev-quick-test"
STORE_LOGIN = json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
# Logins are tried before there is an organization to try them for.
NOBODY_YET = UUID(int=0)
PUSH, PUSHED_TAB = "Push to the spreadsheet", "Campaigns by day"


@dataclass(frozen=True)
class Call:
    """A job that asks one address, with its schedule."""

    name: str
    url: str
    cron: str
    tries: int = 1


@dataclass(frozen=True)
class Seed:
    """What is needed to make a demo. `shop_url` is where the fake shop answers, `pages_url` where Belfry does."""

    settings: Settings
    database: Database
    logins: LoginDesk
    shop_url: str
    pages_url: str

    @property
    def calls(self) -> tuple[Call, ...]:
        """The workflows."""
        return (
            Call("Orders of the shop", f"{self.shop_url}/orders", "*/5 * * * *"),
            Call("Prices of the shop", f"{self.shop_url}/prices", "*/10 * * * *", tries=2),
            Call("Stock of the shop", f"{self.shop_url}/stock", "*/30 * * * *"),
            Call("Belfry answers", f"{self.pages_url}/healthz", EVERY_15_MINUTES),
        )


def seed(made_of: Seed) -> str | None:
    """Make all of it at once, and return the password of its person; None where it was made before.

    Raises what connecting an account raises; then nothing was made.
    """
    with made_of.database.reading(IDENTITY) as session:
        if has_users(session):
            return None
        now = DatabaseClock().now(session)
    tried = {plan: _try(made_of.logins, plan, now) for plan in (EU, UK, US)}
    site, store = _try_site(made_of.logins, now), _try_store(made_of.logins, now)
    sheet = made_of.logins.try_login(NOBODY_YET, Service.SHEETS, KEY_FILE, SPREADSHEET, now=now)
    refuse_bad(sheet)
    definitions = load_definitions(made_of.settings)
    password = new_token()[:16]
    with made_of.database.transaction(IDENTITY) as session:
        now = DatabaseClock().now(session)
        owner = _make_owner(session, password, now)
        rescope(session, Scope.tenant(owner.organization_id, owner.user_id))
        revise_organization(session, actor=owner, name=ORGANIZATION, timezone=ZONE, now=now)
        kinds = job_kinds(made_of.settings, definitions=definitions)
        schedules = [
            *_connect(session, owner, made_of, tried, now),
            # Its second sync is not as usual, and shows what Belfry makes of that.
            *[_connect_site(session, owner, made_of, kinds, site, now)] * 2,
            _connect_store(session, owner, made_of, store, now),
            *_make_calls(session, owner, kinds, made_of.calls, now),
        ]
        _push_to(session, owner, made_of, kinds, sheet, now)
        for schedule_id in schedules:
            run_schedule_now(session, actor=owner, schedule_id=schedule_id, request_key=str(uuid4()), now=now)
        _switch_code_on(session, owner, definitions, now)
    return password


def _try(logins: LoginDesk, plan: Plan, now: datetime) -> Tried:
    tried = logins.try_login(NOBODY_YET, Service.META, TOKENS[plan.id], plan.id, now=now)
    refuse_bad(tried)
    return tried


def _try_site(logins: LoginDesk, now: datetime) -> Tried:
    tried = logins.try_login(NOBODY_YET, Service.GA4, KEY_FILE, SITE_ID, now=now)
    refuse_bad(tried)
    return tried


def _try_store(logins: LoginDesk, now: datetime) -> Tried:
    tried = logins.try_login(NOBODY_YET, Service.SHOPIFY, STORE_LOGIN, STORE_ID, now=now)
    refuse_bad(tried)
    return tried


def _make_owner(session: Session, password: str, now: datetime) -> Actor:
    user_id = make_user(
        session, email=EMAIL, name=PERSON, password=password, timezone=ZONE, is_platform_admin=True, now=now
    )
    welcome_person(session, user_id=user_id, now=now)
    organization_id = find_personal_organization(session, user_id=user_id)
    return Actor(organization_id, Role.OWNER, EMAIL, user_id, is_platform_admin=True)


def _connect(session: Session, owner: Actor, made_of: Seed, tried: dict[Plan, Tried], now: datetime) -> Iterator[UUID]:
    """Connect the accounts and switch on what reads them. The first one gets the organization's default schedule."""
    for plan, login in tried.items():
        draft = ConnectionDraft(Service.META, plan.name, TOKENS[plan.id])
        connection_id = connect(session, actor=owner, sealer=made_of.logins.sealer, draft=draft, tried=login, now=now)
        job_id = bind_sync_job(session, actor=owner, connection_id=connection_id, service=Service.META, now=now)
        if plan is not EU:
            yield _schedule(session, owner, plan.name, job_id, EVERY_15_MINUTES, plan.zone, now)
    change_default(
        session, actor=owner, service=Service.META, cron=EVERY_15_MINUTES, is_enabled=True, timezone=EU.zone, now=now
    )
    yield find_default(session, organization_id=owner.organization_id, service=Service.META).id


def _push_to(session: Session, owner: Actor, made_of: Seed, kinds: JobKinds, sheet: Tried, now: datetime) -> None:
    """Keep a tab of a spreadsheet as the figures of the first account are: pushed when its sync has ended."""
    draft = ConnectionDraft(Service.SHEETS, TITLE, KEY_FILE)
    sheet_id = connect(session, actor=owner, sealer=made_of.logins.sealer, draft=draft, tried=sheet, now=now)
    reads = find_default(session, organization_id=owner.organization_id, service=Service.META).job_id
    source = get_job(session, organization_id=owner.organization_id, job_id=reads).definition["connection_id"]
    plan = {"source": source, "level": "campaign", "metrics": ["spend", "clicks", "purchases"], "tab": PUSHED_TAB}
    wanted = {"service": Service.SHEETS.value, "connection_id": str(sheet_id), "push": plan}
    job = JobDraft(PUSH, KindName.SYNC, wanted)
    job_id = create_job(session, actor=owner, kinds=kinds, draft=job, now=now)
    add_chain(session, actor=owner, kinds=kinds, draft=ChainDraft(reads, ChainOutcome.SUCCESS, job_id), now=now)


def _connect_site(
    session: Session, owner: Actor, made_of: Seed, kinds: JobKinds, tried: Tried, now: datetime
) -> UUID:  # fmt: skip
    """Connect the site and switch on the organization's default schedule, which reads it once at a time."""
    draft = ConnectionDraft(Service.GA4, SITE, KEY_FILE)
    connect(session, actor=owner, sealer=made_of.logins.sealer, draft=draft, tried=tried, now=now)
    change_default(
        session, actor=owner, service=Service.GA4, cron=EVERY_15_MINUTES, is_enabled=True, timezone=ZONE, now=now
    )
    schedule = find_default(session, organization_id=owner.organization_id, service=Service.GA4)
    job = get_job(session, organization_id=owner.organization_id, job_id=schedule.job_id)
    once = replace(draft_of(job), concurrency=1)
    revise_job(session, actor=owner, kinds=kinds, job_id=job.id, draft=once, revision=job.revision, now=now)
    return schedule.id


def _connect_store(session: Session, owner: Actor, made_of: Seed, tried: Tried, now: datetime) -> UUID:
    """The same for the shop."""
    draft = ConnectionDraft(Service.SHOPIFY, STORE, STORE_LOGIN)
    connect(session, actor=owner, sealer=made_of.logins.sealer, draft=draft, tried=tried, now=now)
    change_default(
        session, actor=owner, service=Service.SHOPIFY, cron=EVERY_15_MINUTES, is_enabled=True, timezone=ZONE, now=now
    )
    return find_default(session, organization_id=owner.organization_id, service=Service.SHOPIFY).id


def _make_calls(
    session: Session, owner: Actor, kinds: JobKinds, calls: tuple[Call, ...], now: datetime
) -> Iterator[UUID]:
    for call in calls:
        retry = RetryPolicy(call.tries, RETRY_SECONDS, Backoff.FIXED)
        steps = [{"name": "Ask", "method": "GET", "url": call.url}]
        draft = JobDraft(call.name, KindName.WORKFLOW, {"steps": steps}, retry=retry)
        job_id = create_job(session, actor=owner, kinds=kinds, draft=draft, now=now)
        yield _schedule(session, owner, call.name, job_id, call.cron, ZONE, now)


def _schedule(session: Session, owner: Actor, name: str, job_id: UUID, cron: str, zone: str, now: datetime) -> UUID:
    draft = ScheduleDraft(name, job_id, cron, zone, new_id().hex)
    return create_schedule(session, actor=owner, draft=draft, now=now)


def _switch_code_on(session: Session, owner: Actor, definitions: Definitions, now: datetime) -> None:
    """The quick one of the examples, which belong to the installation and do real work."""
    installation = replace(owner, organization_id=SYSTEM_ORGANIZATION_ID)
    with rescoped(session, Scope.tenant(SYSTEM_ORGANIZATION_ID, owner.user_id)):
        sync_definitions(session, definitions=definitions, loaded_by="demo", is_asked_for=False, now=now)
        switch_code_schedule(session, actor=installation, code_id=CODE_SCHEDULE, enabled=True, now=now)
