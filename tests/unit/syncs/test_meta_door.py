"""Trying a login at Meta: what is seen when it is good, and what to do when it is not."""

from datetime import timedelta

import pytest

from app.core.http import OutboundClient
from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import TroubleClass
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.login_facts import read_login_facts
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET, EU, JP, SCOPELESS_TOKEN, SECRETS, TOKEN
from tests.fakes.providers.server import FakeServer


def door_of(world, **more) -> MetaDoor:
    return MetaDoor(f"{BASE}/meta", "v26.0", InsideClient(world), chance=lambda: 0.5, **more)


@pytest.fixture
def door(world) -> MetaDoor:
    return door_of(world)


@pytest.fixture
def own_app(world) -> MetaDoor:
    """The same, with an app of the installation."""
    return door_of(world, app_id=APP_ID, app_secret=APP_SECRET)


def tried(door, world, token=TOKEN, account=EU):
    return door.try_login(token, account, now=world.now)


class TestAGoodLogin:
    def test_reads_one_campaign(self, door, world):
        found = tried(door, world)

        assert found.is_good
        assert found.words.startswith("Read 1 campaign from Acme EU: ok, ")
        assert (found.seen.account_id, found.seen.zone, found.seen.currency) == (EU, "Europe/Berlin", "USD")

    def test_of_an_account_without_campaigns_lately_is_good_as_well(self, door, world):
        world.provider("meta").state.accounts[EU].deliveries.clear()

        found = tried(door, world)

        assert found.is_good
        assert "None of its campaigns was shown" in found.words

    def test_says_nothing_of_its_end_without_an_app(self, door, world):
        found = tried(door, world)

        assert found.seen.login.known_at is None
        assert world.requests("debug_token") == []

    def test_says_when_it_ends(self, own_app, world):
        login = tried(own_app, world).seen.login

        assert login.app_id == APP_ID
        assert (login.expires_at, login.data_expires_at) == (
            world.now + timedelta(days=60),
            world.now + timedelta(days=90),
        )

    def test_that_never_ends_is_known_as_that(self, own_app, world):
        world.provider("meta").state.tokens[TOKEN].expires_at = None

        login = tried(own_app, world).seen.login

        assert login.expires_at is None
        assert login.known_at == world.now

    @pytest.mark.parametrize("said", [10**12, -1, True, "0", 1.5, None, []])
    def test_whose_end_is_no_moment_has_none_that_is_known(self, own_app, world, monkeypatch, said):
        answer = {"data": {"app_id": APP_ID, "expires_at": said, "data_access_expires_at": said}}
        monkeypatch.setattr(ServiceClient, "get", lambda *_: answer)

        facts = read_login_facts(own_app.client(TOKEN, app_id=None, watch=None), TOKEN, now=world.now)

        assert (facts.expires_at, facts.data_expires_at, facts.known_at) == (None, None, None)

    def test_of_our_app_proves_whose_it_is(self, own_app, world):
        world.provider("meta").state.needs_proof = True

        assert tried(own_app, world).is_good

    def test_is_good_though_nobody_says_when_it_ends(self, own_app, world):
        world.fail("meta", "5xx", match={"route": "debug_token"})

        found = tried(own_app, world)

        assert found.is_good
        assert found.seen.login.known_at is None


REFUSALS = [
    ("expired_token", {}, TroubleClass.AUTH_EXPIRED, "this login has expired"),
    ("revoked", {"variant": "460"}, TroubleClass.AUTH_REVOKED, "Make a new access token"),
    ("revoked", {"variant": "458"}, TroubleClass.AUTH_REVOKED, "Make a new access token"),
    ("no_permission", {}, TroubleClass.PERMISSION_MISSING, "no access to ad account act_1001. Ask its admin"),
    ("no_permission", {"variant": "100-33"}, TroubleClass.PERMISSION_MISSING, "Advertiser access"),
    ("rate_limit_hint", {}, TroubleClass.RATE_LIMITED, "Test again in"),
    ("rate_limit_nohint", {}, TroubleClass.RATE_LIMITED, "Test again in 5 min."),
    ("5xx", {}, TroubleClass.TRANSIENT, "Test again in a moment"),
    ("5xx", {"variant": "html"}, TroubleClass.TRANSIENT, "Test again in a moment"),
    ("blocked", {}, TroubleClass.ACCOUNT_UNAVAILABLE, "blocked"),
    ("account_state", {}, TroubleClass.ACCOUNT_UNAVAILABLE, "Settle that at Meta"),
    ("slow", {}, TroubleClass.TRANSIENT, "No answer from Meta in 10 s. Test again."),
]


class TestARefusal:
    @pytest.mark.parametrize(("fault", "options", "trouble", "words"), REFUSALS)
    def test_says_what_to_do_and_is_asked_for_once(self, door, world, fault, options, trouble, words):
        world.fail("meta", fault, times=None, **options)

        found = tried(door, world)

        assert not found.is_good
        assert found.trouble is trouble
        assert words in found.words
        assert len(world.asked) == 1

    def test_of_a_token_that_may_not_read_names_the_permission(self, door, world):
        found = tried(door, world, token=SCOPELESS_TOKEN)

        assert "ads_read" in found.words

    def test_of_what_is_no_token(self, door, world):
        assert tried(door, world, token="EAAnobody0123456789abcdef").trouble is TroubleClass.AUTH_REVOKED

    @pytest.mark.parametrize("account", ["", "1001/insights", "../me", "x" * 50])
    def test_of_what_is_no_account_asks_nobody(self, door, world, account):
        assert tried(door, world, account=account).trouble is TroubleClass.SETUP_ERROR
        assert world.asked == []

    @pytest.mark.parametrize("spelled", [TOKEN, f"Bearer {TOKEN}", TOKEN.lower().upper()])
    def test_repeats_no_secret(self, own_app, world, spelled):
        for secret in (spelled, *SECRETS):
            world.fail("meta", "echo", text=secret, times=3)
            found = own_app.try_login(TOKEN, EU, now=world.now)

            assert TOKEN not in found.words
            assert APP_SECRET not in found.words
            world.faults.clear()

    def test_comes_in_time_over_a_socket(self, world):
        with FakeServer(world) as server:
            world.fail("meta", "slow", times=None)
            url = f"{server.url}/meta"
            door = MetaDoor(url, "v26.0", OutboundClient(own_urls=(url,)), seconds=0.2)

            found = tried(door, world)

        assert found.words == "No answer from Meta in 0 s. Test again."
        assert found.trouble is TroubleClass.TRANSIENT

    def test_says_that_nobody_is_there(self, world):
        with FakeServer(world) as server:
            url = f"{server.url}/meta"
        door = MetaDoor(url, "v26.0", OutboundClient(own_urls=(url,)))

        assert tried(door, world).words.startswith("Belfry cannot reach Meta: ")


class TestTheAccounts:
    def test_are_those_that_the_token_reads(self, door, world):
        found = door.find_accounts(TOKEN, now=world.now)

        assert {account.id for account in found.accounts} == {EU, JP}
        assert not found.is_cut

    def test_are_refused_in_words(self, door, world):
        world.fail("meta", "revoked")

        found = door.find_accounts(TOKEN, now=world.now)

        assert found.accounts == ()
        assert "Make a new access token" in found.problem


def test_a_door_shows_no_secret():
    assert APP_SECRET not in repr(MetaDoor("https://x", "v26.0", None, APP_ID, APP_SECRET))  # type: ignore[arg-type]
