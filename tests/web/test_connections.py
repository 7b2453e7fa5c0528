"""The pages of connections, with the fake of Meta behind them."""

import gzip
import html
import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.config import Settings
from app.core.db import Base, Database
from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.ops.login_desk import MOST_AT_ONCE, LoginDesk
from app.schedules.defaults import give_default_schedules
from app.schedules.models import Schedule
from app.syncs.models import Connection
from app.tenants.models import AuditEntry
from app.vault.models import Secret
from tests.factories.quotas import tell_quota
from tests.fakes.clock import ManualClock
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import (
    APP_ID,
    APP_SECRET,
    EU,
    JP,
    OTHER_TOKEN,
    SCOPELESS_TOKEN,
    SECRETS,
    TOKEN,
)
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services
from tests.fakes.statements import counted
from tests.web.conftest import Browser

NEW = "/connections/new/meta"


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(MetaFake(), now=clock.moment)


@pytest.fixture(autouse=True)
def desk(app: Flask, settings: Settings, database: Database, world: World) -> LoginDesk:
    """The process speaks with the fake, as an installation with an app of its own."""
    told = {"meta_base_url": f"{BASE}/meta", "meta_app_id": APP_ID, "meta_app_secret": APP_SECRET}
    found = LoginDesk(with_services(settings, **told), database, lambda: InsideClient(world))
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], logins=found, settings=found.settings)
    return found


@pytest.fixture(autouse=True)
def defaults(database: Database, organization_id: UUID, clock: ManualClock) -> None:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=organization_id, now=clock.moment)


def connected(browser: Browser, account: str = EU, token: str = TOKEN, name: str = "") -> str:
    """The address of a new connection."""
    answer = browser.send(NEW, {"token": token, "account_id": account, "name": name})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def text_of(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def row(database: Database, name: str = "Acme EU") -> Connection:
    with database.transaction() as session:
        return session.scalars(select(Connection).where(Connection.name == name)).one()


def default_schedule(database: Database, organization_id: UUID) -> Schedule:
    with database.transaction() as session:
        mine = Schedule.organization_id == organization_id, Schedule.default_for == "meta"
        return session.scalars(select(Schedule).where(*mine)).one()


class TestConnecting:
    def test_says_what_it_is_for_before_anything_is_handed_over(self, admin):
        page = text_of(admin.visit("/connections"))

        assert "With it, Belfry is allowed to:" in page
        assert "It changes nothing at Meta" in page
        assert "Connect Shopify" in page

    def test_tries_the_login_and_offers_what_comes_next(self, admin, database, organization_id):
        answer = admin.visit(connected(admin))

        page = text_of(answer)
        assert re.search(r"Read 1 campaign from Acme EU: ok, \d+\.\d s", page)
        assert f"••••{TOKEN[-4:]} , set" in page
        assert "Nothing reads from it by itself yet." in page
        assert "Enable Meta sync…" in page
        assert "Create a schedule" in page
        assert not default_schedule(database, organization_id).enabled

    def test_knows_when_the_login_ends(self, admin, database, clock):
        connected(admin)

        assert row(database).expires_at == clock.moment + timedelta(days=60)

    def test_lets_one_choose_between_the_accounts(self, admin):
        answer = admin.send(NEW, {"token": TOKEN, "find": "yes"})

        assert answer.status_code == 200
        assert f'<option value="{EU}">' in answer.text
        assert f'<option value="{JP}">' in answer.text
        assert TOKEN not in answer.text

    def test_takes_the_token_that_the_form_kept(self, admin, database):
        page = admin.send(NEW, {"token": TOKEN}).text
        kept = re.search(r'name="kept"[^>]*value="([^"]+)"', page)
        assert kept is not None

        answer = admin.send(NEW, {"kept": html.unescape(kept[1]), "chosen_account": JP, "name": "Japan"})

        assert answer.status_code == 303
        assert row(database, "Japan").currency == "JPY"

    def test_takes_no_token_that_was_kept_for_somebody_else(self, admin, owner, stranger):
        page = admin.send(NEW, {"token": TOKEN}).text
        kept = html.unescape(re.search(r'name="kept"[^>]*value="([^"]+)"', page)[1])

        for other in (owner, stranger):
            answer = other.send(NEW, {"kept": kept, "account_id": EU})
            assert answer.status_code == 422
            assert "Paste it again" in text_of(answer)

    def test_takes_no_token_that_was_kept_too_long(self, admin, clock):
        page = admin.send(NEW, {"token": TOKEN}).text
        kept = html.unescape(re.search(r'name="kept"[^>]*value="([^"]+)"', page)[1])
        clock.advance(minutes=31)

        assert "Paste it again" in text_of(admin.send(NEW, {"kept": kept, "account_id": EU}))

    def test_refuses_a_login_in_words_and_saves_nothing(self, admin, database):
        answer = admin.send(NEW, {"token": SCOPELESS_TOKEN, "account_id": EU})

        assert answer.status_code == 422
        assert "this login has no access to ad account act_1001" in text_of(answer)
        assert SCOPELESS_TOKEN not in answer.text
        with database.transaction() as session:
            assert session.scalars(select(Connection)).all() == []
            assert session.scalars(select(Secret)).all() == []

    def test_says_that_meta_does_not_answer(self, admin, world):
        world.fail("meta", "slow", times=None)

        answer = admin.send(NEW, {"token": TOKEN, "account_id": EU})

        assert answer.status_code == 503
        assert "No answer from Meta in 10 s. Test again. Nothing was saved." in text_of(answer)

    def test_refuses_the_same_account_twice(self, admin):
        connected(admin)

        answer = admin.send(NEW, {"token": TOKEN, "account_id": EU, "name": "Again"})

        assert answer.status_code == 409
        assert "This account is connected already, as “Acme EU”" in text_of(answer)

    @pytest.mark.parametrize("account", ["x", "1001/insights", "../1001", "9" * 60])
    def test_refuses_what_is_no_account(self, admin, world, account):
        assert admin.send(NEW, {"token": TOKEN, "account_id": account}).status_code == 422
        assert world.asked == []

    def test_connects_no_other_service(self, admin):
        assert admin.visit("/connections/new/nothing").status_code == 422
        assert admin.send("/connections/new/nothing", {"token": TOKEN}).status_code == 422

    def test_names_it_as_far_as_the_account_can_be_shown(self, admin, world, database):
        world.provider("meta").state.accounts[EU].name = "Acme \u202eUE <b>\x00"

        connected(admin)

        assert row(database, "Acme UE <b>").account_id == EU

    def test_does_not_hold_the_database_while_meta_is_asked(self, admin, world, database):
        seen = []
        original = world.answer

        def answer(call):
            # Would wait in vain for the write lock of SQLite.
            with database.transaction() as session:
                session.add(AuditEntry(**_entry(admin)))
            seen.append(call.path)
            return original(call)

        world.answer = answer

        connected(admin)
        assert seen


def _entry(browser):
    at = browser.application.extensions[EXTENSION].clock.moment
    return {
        "organization_id": browser.organization_id, "actor_label": "x", "action": "x", "subject_kind": "x",
        "summary": "x", "changes": {}, "at": at,
    }  # fmt: skip


class TestTheList:
    def test_shows_what_needs_somebody_first(self, admin, world, clock):
        world.provider("meta").state.tokens[OTHER_TOKEN].expires_at = clock.moment + timedelta(days=10)
        connected(admin)
        connected(admin, JP, OTHER_TOKEN, "Japan")

        answer = admin.visit("/connections")

        page = text_of(answer)
        assert "Expires in 10 days" in page
        # Before it ends, and of the other one not at all.
        assert answer.text.count(">Reconnect</") == answer.text.count('aria-label="Reconnect Japan"') == 1
        assert page.index("Japan") < page.index("Acme EU")
        assert "Meta sync" in page

    def test_says_what_is_off_with_a_refused_login(self, admin, world, database, organization_id):
        address = connected(admin)
        _enable(admin, database, organization_id)
        world.fail("meta", "expired_token", times=None)

        admin.send(f"{address}/test", {"next": "/connections"})

        page = text_of(admin.visit("/connections"))
        assert "Refused, 1 schedule paused" in page
        assert "Connections 1 broken" in page
        assert not default_schedule(database, organization_id).enabled

    def test_is_short_for_many(self, admin, database, organization_id, clock):
        with database.transaction() as session:
            for number in range(60):
                session.add(_plain(organization_id, number, clock))

        first, second = admin.visit("/connections"), admin.visit("/connections?start=50")

        assert first.text.count('id="c-') == 50
        assert second.text.count('id="c-') == 10
        assert "51–60 of 60" in text_of(second)
        assert admin.visit("/connections?start=999").status_code == 200

    def test_stays_small_with_fifty_of_them(self, admin, database, organization_id, clock):
        with database.transaction() as session:
            for number in range(50):
                session.add(_plain(organization_id, number, clock))
        admin.visit("/connections")

        with counted(database) as statements:
            page = admin.visit("/connections").text

        assert len(statements) <= 12
        assert len(re.findall(r"<[a-z]", page)) <= 2_000
        assert len(gzip.compress(page.encode(), mtime=0)) <= 16_384

    def test_is_of_nobody_else(self, admin, stranger, viewer):
        address = connected(admin)

        assert "Acme EU" in viewer.visit("/connections").text
        assert "Acme EU" not in stranger.visit("/connections").text
        for path in (address, f"{address}/login", f"{address}/disconnect"):
            assert stranger.visit(path).status_code == 404
        for path in (f"{address}/test", f"{address}/login", f"{address}/name", f"{address}/disconnect"):
            assert stranger.send(path, {"token": TOKEN, "name": "Mine"}).status_code == 404


def _plain(organization_id, number, clock):
    return Connection(
        organization_id=organization_id, name=f"Account {number}", service="meta", account_id=str(number),
        state="connected", created_at=clock.moment, updated_at=clock.moment,
    )  # fmt: skip


def _enable(browser, database, organization_id):
    schedule = default_schedule(database, organization_id)
    answer = browser.send(f"/schedules/{schedule.id}/enabled", {"enabled": "yes", "missed": "skip"})
    assert answer.status_code == 303
    assert default_schedule(database, organization_id).enabled


class TestTesting:
    def test_says_what_it_read(self, operator, admin):
        address = connected(admin)

        operator.send(f"{address}/test")

        assert "operator@example.com" in text_of(admin.visit(address))

    def test_says_what_to_do(self, admin, world):
        address = connected(admin)
        world.fail("meta", "no_permission", variant="100-33", times=None)

        admin.send(f"{address}/test")

        page = text_of(admin.visit(address))
        assert "Test failed" in page
        assert "Advertiser access" in page

    def test_of_a_refused_login_switches_off_what_depends_on_it_once(self, admin, world, database, organization_id):
        address = connected(admin)
        _enable(admin, database, organization_id)
        world.fail("meta", "revoked", times=None)

        for _ in range(3):
            admin.send(f"{address}/test")

        with database.transaction() as session:
            refusals = session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.refused")).all()
        assert len(refusals) == 1
        assert not default_schedule(database, organization_id).enabled

    def test_refuses_more_at_once_than_a_process_can_bear(self, admin, desk):
        address = connected(admin)
        with ExitStack() as others:
            taken = [others.enter_context(desk._turns.taken(new_id())) for _ in range(MOST_AT_ONCE)]
            answer = admin.send(f"{address}/test")

        assert (all(taken), answer.status_code) == (True, 503)
        assert "Try again in a few seconds" in text_of(answer)

    def test_leaves_a_turn_to_other_organizations(self, admin, desk):
        address = connected(admin)
        with ExitStack() as own:
            taken = [own.enter_context(desk._turns.taken(admin.organization_id)) for _ in range(MOST_AT_ONCE)]
            refused = admin.send(f"{address}/test").status_code
            with desk._turns.taken(new_id()) as is_left:
                pass

        assert (taken, refused, is_left) == ([True, True, False], 503, True)
        assert admin.send(f"{address}/test").status_code == 303

    def test_of_a_login_that_does_not_open_says_so(self, admin, database):
        address = connected(admin)
        with database.transaction() as session:
            session.query(Secret).delete()

        admin.send(f"{address}/test")

        assert "A sealed value is gone" in text_of(admin.visit(address))


class TestReconnecting:
    def test_offers_to_resume_what_was_switched_off(self, admin, world, database, organization_id):
        address = connected(admin)
        _enable(admin, database, organization_id)
        world.fail("meta", "revoked", times=None)
        admin.send(f"{address}/test")
        world.faults.clear()

        answer = admin.send(f"{address}/login", {"token": OTHER_TOKEN})

        assert answer.status_code == 303
        page = admin.visit(address)
        assert "Resume 1 schedule…" in text_of(page)
        assert not default_schedule(database, organization_id).enabled
        form = _resume_form(page.text)
        question = admin.send("/schedules/selection", form)
        assert question.status_code == 303
        asked = admin.visit(question.headers["Location"])
        assert "Enable 1 schedule" in text_of(asked)
        start = question.headers["Location"].partition("?")[0]
        assert admin.send(start, {"action": "schedules.enable", "missed": "skip"}).status_code == 303
        assert default_schedule(database, organization_id).enabled

    def test_keeps_the_old_login_when_the_new_one_is_bad(self, admin, database):
        address = connected(admin)
        before = row(database).secret_set_at

        answer = admin.send(f"{address}/login", {"token": SCOPELESS_TOKEN})

        assert answer.status_code == 422
        assert row(database).secret_set_at == before

    def test_shows_no_token(self, admin):
        address = connected(admin)

        for path in (address, f"{address}/login", "/connections", NEW):
            assert TOKEN not in admin.visit(path).text


def _resume_form(page: str) -> dict[str, str]:
    form = page[page.index("/schedules/selection") :]
    form = form[: form.index("</form>")]
    return dict(re.findall(r'name="(action|id|next)" value="([^"]+)"', form))


class TestDisconnecting:
    def test_names_what_depends_on_it(self, admin, database, organization_id):
        address = connected(admin)
        _enable(admin, database, organization_id)

        page = text_of(admin.visit(f"{address}/disconnect"))

        assert "This schedule reads from it and is disabled with it: Meta sync" in page

    def test_deletes_the_login_and_switches_schedules_off(self, admin, database, organization_id):
        address = connected(admin)
        _enable(admin, database, organization_id)

        answer = admin.send(f"{address}/disconnect")

        assert answer.status_code == 303
        assert not default_schedule(database, organization_id).enabled
        with database.transaction() as session:
            assert session.scalars(select(Secret)).all() == []
        assert "Disconnected" in text_of(admin.visit("/connections"))
        assert admin.send(f"{address}/test").status_code == 409

    def test_leaves_the_account_free_for_another_time(self, admin):
        address = connected(admin)
        admin.send(f"{address}/disconnect")

        assert connected(admin) != address


class TestRights:
    def test_viewers_see_and_do_nothing(self, admin, viewer):
        address = connected(admin)

        assert viewer.visit(address).status_code == 200
        assert "this needs operator or higher" in viewer.visit(address).text
        for path in (f"{address}/test", f"{address}/login", f"{address}/name", f"{address}/disconnect", NEW):
            assert viewer.send(path, {"token": TOKEN}).status_code == 403

    def test_operators_test_alone(self, admin, operator):
        address = connected(admin)

        assert operator.send(f"{address}/test").status_code == 303
        for path in (f"{address}/login", f"{address}/name", f"{address}/disconnect", NEW):
            assert operator.send(path, {"token": TOKEN}).status_code == 403
        assert operator.visit(NEW).status_code == 403

    def test_renaming(self, admin):
        address = connected(admin)

        assert admin.send(f"{address}/name", {"name": "Acme Europe"}).status_code == 303
        assert "Acme Europe" in text_of(admin.visit(address))
        assert admin.send(f"{address}/name", {"name": " "}).status_code == 422


class TestItsQuota:
    def test_says_how_much_is_used_and_that_the_rest_lasts(self, admin, database, organization_id, clock):
        address = connected(admin)
        here = {"organization_id": organization_id, "connection_id": UUID(address.rpartition("/")[2])}
        with database.transaction() as session:
            tell_quota(session, **here, used=74.0, now=clock.moment)

        found = text_of(admin.visit(address))

        assert "Quota 74.0 % of what the service allows was used at" in found
        assert "Until then no sync is planned." in found

    def test_is_not_mentioned_where_the_service_never_told_of_one(self, admin):
        assert "Quota" not in text_of(admin.visit(connected(admin)))


def test_no_secret_is_in_any_page_or_table(admin, database, world, caplog):
    address = connected(admin)
    world.fail("meta", "echo", text=TOKEN, times=1)
    admin.send(f"{address}/test")
    admin.send(f"{address}/login", {"token": OTHER_TOKEN})
    admin.send(NEW, {"token": TOKEN, "account_id": EU})

    pages = [admin.visit(path).text for path in (address, "/connections", "/audit", "/admin/audit.csv", "/system")]
    with database.transaction() as session:
        pages += [str(session.execute(select(table)).all()) for table in Base.metadata.sorted_tables]

    assert [secret for secret in SECRETS for page in [*pages, caplog.text] if secret in page] == []
