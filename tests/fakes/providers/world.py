"""All fake providers of one test or demo: their clock, their faults, what they were asked, and who controls them."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, Protocol

from tests.fakes.providers.faults import Fault, FaultBook, spoil
from tests.fakes.providers.wire import Answer, Call

CONTROL = "/__ctl"
# Parameters that are never kept: a test looks for tokens in everything, and this is no place where one may turn up.
_SECRET_PARAMETERS = {
    "access_token",
    "client_secret",
    "fb_exchange_token",
    "input_token",
    "assertion",
    "refresh_token",
} | {"appsecret_proof"}
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Provider(Protocol):
    """One fake. What it answers depends on its scenario, the request, what it was asked before, and the clock."""

    name: str
    scenarios: tuple[str, ...]

    def reset(self, scenario: str, now: datetime) -> None:
        """Begin anew with the data of a scenario."""

    def route_of(self, call: Call) -> str:
        """The name of what is asked for, as faults name it."""

    def meets(self, fault: Fault, call: Call) -> bool:
        """Whether the conditions that only this provider knows let a fault hit this request."""

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer: ...

    def mutate(self, change: dict[str, Any], now: datetime) -> None:
        """Change the truth: late data, renamed things."""

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        """The figures that somebody who reads without a mistake has to end up with."""


@dataclass(frozen=True)
class Asked:
    """One request that came, without its secrets."""

    provider: str
    route: str
    method: str
    path: str
    query: dict[str, str]
    header_names: tuple[str, ...]
    auth: str
    body: str
    at: str
    status: int


class World:
    """Answers requests for every provider in it, and for the control plane. Safe to use from several threads."""

    def __init__(self, *providers: Provider, now: datetime = START, ticks: Callable[[], float] = lambda: 0.0) -> None:
        """The clock stands still at `now` until somebody moves it, or goes with `ticks`, in seconds."""
        self._ticks = ticks
        self._set(now)
        self.faults = FaultBook()
        self.asked: list[Asked] = []
        self._providers = {provider.name: provider for provider in providers}
        self._lock = RLock()
        for provider in providers:
            provider.reset(provider.scenarios[0], now)

    @property
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._ticks())

    def _set(self, now: datetime) -> None:
        self._start = now - timedelta(seconds=self._ticks())

    def advance(self, **amount: float) -> datetime:
        """Move the clock forward, for example `minutes=5`."""
        with self._lock:
            self._start += timedelta(**amount)
            return self.now

    def fail(self, provider: str, fault: str, *, times: int | None = 1, **options: Any) -> None:
        """Add a fault. `match` is a dictionary as over the control plane; the rest are options of the fault."""
        self.faults.add(Fault.read({"provider": provider, "fault": fault, "times": times, **options}))

    def answer(self, call: Call) -> Answer:
        """What stands behind the address of a request."""
        with self._lock:
            name = call.path.strip("/").partition("/")[0]
            if f"/{name}" == CONTROL:
                return self._control(call.below(CONTROL))
            if name not in self._providers:
                return Answer.of_json({"error": f"No fake is called {name!r}."}, status=404)
            return self._ask(self._providers[name], call.below(f"/{name}"))

    def _ask(self, provider: Provider, call: Call) -> Answer:
        route = provider.route_of(call)
        fault = self.faults.take(provider.name, route, call, lambda each: provider.meets(each, call))
        answer = provider.answer(call, fault, self.now)
        self.asked.append(_note(provider.name, route, call, answer.status, self.now))
        return spoil(answer, fault) if fault else answer

    def provider(self, name: str) -> Any:
        """The fake itself, for tests that change what no control plane changes."""
        return self._providers[name]

    def requests(self, route: str | None = None) -> list[Asked]:
        """What was asked so far, of one route or of all."""
        return [asked for asked in self.asked if route in {None, asked.route}]

    def oracle(self, provider: str, **query: str) -> list[dict[str, Any]]:
        with self._lock:
            return self._providers[provider].oracle(query, self.now)

    def mutate(self, provider: str, **change: Any) -> None:
        with self._lock:
            self._providers[provider].mutate(change, self.now)

    def reset(self, scenario: str) -> None:
        """Begin anew: those providers that know the scenario get it, the others are emptied to their first one."""
        with self._lock:
            self.faults.clear()
            self.asked.clear()
            for provider in self._providers.values():
                provider.reset(scenario if scenario in provider.scenarios else provider.scenarios[0], self.now)

    def _control(self, call: Call) -> Answer:
        said = json.loads(call.body or b"null")
        match call.method, call.path:
            case "POST", "/reset":
                self.reset(said["scenario"])
            case "POST", "/faults":
                for each in said:
                    self.faults.add(Fault.read(each))
            case "POST", "/mutate":
                self.mutate(said.pop("provider"), **said)
            case "POST", "/clock":
                self._set(datetime.fromisoformat(said["now"]).astimezone(UTC))
            case "GET", "/requests":
                return Answer.of_json([asdict(asked) for asked in self.asked])
            case "GET", "/oracle":
                return Answer.of_json(self.oracle(call.query["provider"], **_without(call.query, "provider")))
            case _:
                return Answer.of_json({"error": "The control plane knows no such thing."}, status=404)
        return Answer.of_json({"now": self.now.isoformat()})


def _note(provider: str, route: str, call: Call, status: int, now: datetime) -> Asked:
    auth = _sign_in_of(call)
    query = _without(call.query, *_SECRET_PARAMETERS)
    is_secret = call.body and any(name in call.parameters or f'"{name}"' in call.text for name in _SECRET_PARAMETERS)
    body = "(not kept)" if is_secret else call.text
    names = tuple(sorted(call.headers))
    return Asked(provider, route, call.method, call.path, query, names, auth, body, now.isoformat(), status)


def _sign_in_of(call: Call) -> str:
    """How it is signed in, without the secret."""
    if call.bearer:
        return "bearer"
    if "access_token" in call.query:
        return "query"
    return "header" if "x-shopify-access-token" in call.headers else "none"


def _without(said: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in said.items() if name not in names}
