"""What a demo begins with: made by the product's commands, once, and with nothing in it that did not run."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.core.config import Settings
from app.core.db import Base
from app.jobs.models import Job, JobChain
from app.ops.login_desk import LoginDesk, LoginNotGood
from app.runs.models import Attempt, Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.syncs.models import Connection, LandedFigure
from app.tenants.models import AuditEntry, Organization, User
from app.tenants.sign_in import sign_in
from demo.provider import TOKENS, DemoMeta, Shop
from demo.seeding import CODE_SCHEDULE, EMAIL, ORGANIZATION, PUSH, Seed, seed
from demo.sheet import TITLE, DemoSheets
from demo.site import SITE, DemoGa4
from demo.store import CLIENT_SECRET, STORE, DemoShopify
from demo.truth import EU, PLANS, UK, US
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.google.keys import SECRETS
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services

BEGUN = utc("2026-11-20 12:00")


@pytest.fixture
def engine() -> str:
    """A demo is always embedded."""
    return "sqlite"


@pytest.fixture
def world() -> World:
    # Google looks at the clock of whoever signs in, and a demo is made by the clock of its database.
    now, google = datetime.now(UTC), GoogleFake()
    fakes = DemoMeta(now), DemoGa4(now, google), google, DemoShopify(now), DemoSheets(google.email_of), Shop()
    return World(*fakes, now=now)


@pytest.fixture
def made_of(settings: Settings, database: OpenDatabase, world: World) -> Seed:
    told = with_services(
        settings, meta_base_url=f"{BASE}/meta", meta_app_id=APP_ID, meta_app_secret=APP_SECRET,
        ga4_base_url=f"{BASE}/ga4", google_token_url=f"{BASE}/google/token", sheets_base_url=f"{BASE}/sheets",
        shopify_base_url_template=f"{BASE}/shopify/{{shop}}",
    )  # fmt: skip
    logins = LoginDesk(told, database, lambda: InsideClient(world))
    return Seed(settings, database, logins, "http://127.0.0.1:8091/shop", "http://127.0.0.1:8090")


@pytest.fixture
def count(database: OpenDatabase) -> Callable[[type[Base]], int]:
    def counted(table: type[Base]) -> int:
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    return counted


class TestSeeding:
    def test_makes_a_person_who_can_sign_in(self, made_of: Seed, database: OpenDatabase) -> None:
        password = seed(made_of)

        assert password is not None
        found = {"email": EMAIL, "password": password, "address": "127.0.0.1", "user_agent": "", "now": BEGUN}
        assert sign_in(database, **found)
        with database.reading() as session:
            assert ORGANIZATION in session.scalars(select(Organization.name)).all()

    def test_connects_the_accounts_and_switches_on_what_reads_them(self, made_of: Seed, database: OpenDatabase) -> None:
        seed(made_of)

        with database.reading() as session:
            connected = set(session.scalars(select(Connection.name)))
            enabled = set(session.scalars(select(Schedule.name).where(Schedule.enabled)))
        assert connected == {SITE, STORE, TITLE, *(plan.name for plan in PLANS)}
        assert {"Meta sync", "Google Analytics sync", "Shopify sync", UK.name, US.name, CODE_SCHEDULE} < enabled
        assert EU.name not in enabled

    def test_pushes_when_the_first_account_was_read(self, made_of: Seed, database: OpenDatabase) -> None:
        seed(made_of)

        with database.reading() as session:
            (chain,) = session.scalars(select(JobChain))
            reads, pushes = session.get_one(Job, chain.job_id), session.get_one(Job, chain.then_job_id)
        assert pushes.name == PUSH
        assert pushes.definition["push"]["source"] == reads.definition["connection_id"]

    def test_leaves_running_to_the_workers(self, made_of: Seed, database: OpenDatabase, count) -> None:
        seed(made_of)

        with database.reading() as session:
            assert set(session.scalars(select(Run.state))) == {RunState.READY.value}
        # One for each connection, and a second one for the site.
        assert count(Run) == 6 + len(made_of.calls)
        assert count(Attempt) == count(LandedFigure) == 0

    def test_is_told_in_the_audit(self, made_of: Seed, database: OpenDatabase) -> None:
        seed(made_of)

        with database.reading() as session:
            told = set(session.scalars(select(AuditEntry.action)))
        assert {"connection.created", "job.created", "schedule.created", "organization.changed"} < told

    def test_is_done_once(self, made_of: Seed, count) -> None:
        tables = (User, Organization, Connection, Schedule, Run, AuditEntry)
        seed(made_of)
        before = [count(table) for table in tables]

        assert seed(made_of) is None
        assert [count(table) for table in tables] == before

    def test_makes_nothing_while_a_login_is_refused(self, made_of: Seed, world: World, count) -> None:
        world.provider("meta").take_back(TOKENS[US.id])

        with pytest.raises(LoginNotGood):
            seed(made_of)
        assert count(User) == count(Connection) == count(Schedule) == 0

    def test_keeps_the_tokens_sealed(self, made_of: Seed, database: OpenDatabase) -> None:
        seed(made_of)

        with database.reading() as session:
            held = [str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
        assert [
            text for text in held if any(token in text for token in (*TOKENS.values(), *SECRETS, CLIENT_SECRET))
        ] == []
