import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from app.api.late_counters import RateLimits
from app.api.rates import WRONG_TOKENS
from app.core.config import Settings
from tests.api.conftest import Caller
from tests.fakes.database import OpenDatabase


@pytest.fixture
def engine() -> str:
    """No limit is kept in the database, so one engine is enough."""
    return "sqlite"


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    return replace(settings, api_requests_per_minute=5)


@pytest.fixture
def hanging_redis() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def absent_redis() -> str:
    """A port that nobody listens at."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def statuses(ask: Callable[[], int], times: int) -> list[int]:
    return [ask() for _ in range(times)]


class TestRequests:
    def test_count_down_to_a_refusal(self, owner_api: Caller):
        answers = [owner_api.get("/me") for _ in range(6)]

        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
        assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"5"}

    def test_say_when_to_go_on(self, owner_api: Caller):
        refused = [owner_api.get("/me") for _ in range(6)][-1]

        assert refused.json["error"]["code"] == "too_many_requests"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]

    def test_of_one_token_leave_those_of_another_alone(self, owner_api: Caller, admin_api: Caller):
        for _ in range(6):
            owner_api.get("/me")

        assert admin_api.get("/me").status_code == 200

    def test_count_where_they_are_refused_for_another_reason(self, viewer_api: Caller):
        for _ in range(5):
            viewer_api.post("/jobs", {})

        assert viewer_api.get("/me").status_code == 429

    def test_without_a_token_are_counted_by_address(self, anonymous_api: Caller, owner_api: Caller):
        refused = statuses(lambda: anonymous_api.get("/me").status_code, 6)
        elsewhere = anonymous_api.open("GET", "/me", environ_base={"REMOTE_ADDR": "203.0.113.7"})

        assert refused == [401] * 5 + [429]
        assert elsewhere.status_code == 401
        assert owner_api.get("/me").status_code == 200

    def test_of_a_person_in_a_browser_are_counted_apart(self, as_cookie: Callable[..., Caller], anonymous_api: Caller):
        for _ in range(6):
            anonymous_api.get("/me")

        assert as_cookie().get("/me").status_code == 200


class TestWrongTokens:
    def test_are_refused_unread_after_a_while(self, anonymous_api: Caller, database: OpenDatabase):
        guesser = Caller(anonymous_api.client, token="belfry_abcdefgh_" + "a" * 43)

        found = statuses(lambda: guesser.get("/me").status_code, WRONG_TOKENS.amount + 1)

        assert found == [401] * WRONG_TOKENS.amount + [429]

    def test_of_one_address_leave_others_alone(self, anonymous_api: Caller, owner_api: Caller):
        guesser = Caller(anonymous_api.client, token="nonsense")
        for _ in range(WRONG_TOKENS.amount):
            guesser.get("/me")

        here = owner_api.get("/me")
        elsewhere = owner_api.open("GET", "/me", environ_base={"REMOTE_ADDR": "203.0.113.7"})

        assert (here.status_code, elsewhere.status_code) == (429, 200)


class TestRedis:
    def test_is_shared_by_all_processes(self, redis_url: str):
        first, second = (RateLimits(broker_url=redis_url, requests_per_minute=3) for _ in range(2))

        found = [limits.hit(limits.requests, "token 1").is_spent for limits in (first, second, first, second)]

        assert found == [False, False, False, True]

    def test_costs_next_to_nothing_while_it_hangs(self, hanging_redis: str):
        limits = RateLimits(broker_url=hanging_redis, requests_per_minute=1000)
        began = time.monotonic()

        found = [limits.hit(limits.requests, "token 1").remaining for _ in range(100)]

        assert time.monotonic() - began < 1.5
        assert found == list(range(999, 899, -1))

    def test_leaves_the_limit_in_force_while_it_is_away(self, absent_redis: str):
        limits = RateLimits(broker_url=absent_redis, requests_per_minute=2)

        found = [limits.hit(limits.requests, "token 1").is_spent for _ in range(3)]

        assert found == [False, False, True]
