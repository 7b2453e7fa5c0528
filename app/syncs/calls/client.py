"""The one way syncs talk to a service: with a budget, at its pace, again where that helps, and with nothing leaked.

What an answer means is the business of each service's dialect.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlencode

from app.core.hiding import Cleaner, make_cleaner
from app.core.http import OutboundFailed, OutboundLimits, OutboundRefused, OutboundRequest, OutboundResponse
from app.core.text import storable
from app.syncs.calls.fractions import Fraction
from app.syncs.calls.retries import LONGEST_WAIT_IN_PLACE, MOST_TRIES, Defer, Wait, decide
from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass
from app.syncs.calls.usage import LONGEST_LIMIT, QuotaSeen, Usage, rest_for, seen_with

# Reports take their time; what is larger than this is asked for in smaller parts.
LIMITS = OutboundLimits(connect_seconds=5.0, total_seconds=60.0, max_response_bytes=16 * 1_048_576, max_redirects=0)
# A run that needs more calls than this is wrong about something, or comes back for the rest.
MOST_REQUESTS = 2_000
_BUDGET_RETURNS_AFTER = timedelta(hours=1)
# The code of the one limit that is ours and not the service's.
BUDGET_SPENT = "budget"
_BUDGET_SPENT = Trouble(
    TroubleClass.RATE_LIMITED,
    "The sync made as many calls as one run may make. It goes on where it stopped, in an hour.",
    BUDGET_SPENT,
)
NEARLY_USED_UP = "The service's quota is nearly used up, so the sync rests before the service stops it."


class Sender(Protocol):
    """What carries a request: the OutboundClient, opened to the service's own address."""

    def send(
        self, request: OutboundRequest, *, limits: OutboundLimits | None = None, into: BinaryIO | None = None
    ) -> OutboundResponse: ...


class ReadStopped(Exception):
    """The attempt has to end now: cancelled, out of time, or its lease is lost. Nothing of the window may land."""


class Watch(Protocol):
    """What reading may ask of the attempt around it."""

    def now(self) -> datetime: ...

    def go_on(self) -> None:
        """Raises ReadStopped when there must be no other call."""

    def pause(self, seconds: float) -> None:
        """Wait, a minute at most. Raises ReadStopped as soon as the attempt has to end."""

    def log(self, text: str) -> None:
        """Add one line to the attempt's log. It holds no secret."""


class Dialect(Protocol):
    """How one service speaks."""

    name: str

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        """What an answer says of the quota, in its headers (names in lower case) or its JSON; None for nothing."""

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        """The trouble that an answer speaks of, or None for a good one. `content` is None for what is no JSON."""


@dataclass
class Spent:
    """What reading cost so far."""

    requests: int = 0
    throttles: int = 0  # how often the service, or its quota, made us wait
    bytes: int = 0
    quota: QuotaSeen | None = None  # as its service told it; None where it tells nothing


@dataclass
class ServiceClient:
    """Asks one service with one sign-in. One read at a time.

    `secrets` are all values that must never be shown; `headers` sign a request in, and `always` stands in the query or
    form of each. `chance` gives numbers from 0 to 1. With one for `most_tries` nothing is tried again in place.
    """

    base_url: str
    sender: Sender
    dialect: Dialect
    watch: Watch
    headers: tuple[tuple[str, str], ...]
    secrets: Iterable[str]
    chance: Callable[[], float]
    most_requests: int = MOST_REQUESTS
    most_tries: int = MOST_TRIES
    always: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: OutboundLimits = LIMITS
    spent: Spent = field(default_factory=Spent)
    _rest: timedelta = field(default=timedelta(), init=False)

    def __post_init__(self) -> None:
        self._hide()

    def sign_in(self, headers: tuple[tuple[str, str], ...], secrets: Iterable[str]) -> None:
        """Sign the requests that follow in with other headers. What was secret before is hidden still."""
        self.secrets = list(dict.fromkeys([*self.secrets, *(value for _, value in self.headers), *secrets]))
        self.headers = headers
        self._hide()

    def _hide(self) -> None:
        hide = make_cleaner([*self.secrets, *(value for _, value in self.headers), *self.always.values()])
        # What a service says ends up in rows and events: without a secret, and without what no database holds.
        self.clean: Cleaner = lambda text: hide(storable(text))

    # Neither the sign-in nor anything beside the address belongs into a trace.
    def __repr__(self) -> str:
        return f"ServiceClient({self.base_url!r})"

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer. Raises SyncFailed and ReadStopped."""
        said = {**(parameters or {}), **self.always}
        query = f"?{urlencode(said)}" if said else ""
        return self._ask(OutboundRequest("GET", f"{self.base_url}{path}{query}", self.headers))

    def post(self, path: str, form: Mapping[str, str]) -> Any:
        """The same, for a form. Only for what may be sent twice."""
        headers = (*self.headers, ("Content-Type", "application/x-www-form-urlencoded"))
        return self._ask(
            OutboundRequest("POST", f"{self.base_url}{path}", headers, urlencode({**form, **self.always}).encode())
        )

    def post_json(self, path: str, said: Any) -> Any:
        """The same, for JSON. What always goes with a request has to stand in the address then."""
        query = f"?{urlencode(self.always)}" if self.always else ""
        headers = (*self.headers, ("Content-Type", "application/json"))
        body = json.dumps(said, separators=(",", ":")).encode()
        return self._ask(OutboundRequest("POST", f"{self.base_url}{path}{query}", headers, body))

    def save(self, url: str, into: BinaryIO, *, limits: OutboundLimits) -> None:
        """Put a file into one of ours, from an address that the service named. What signs in stays here.

        Raises SyncFailed, TOO_LARGE for more than `limits` allow, and ReadStopped.
        """
        self._insist(lambda: self._try_saving(OutboundRequest("GET", url), into, limits))

    def _ask(self, request: OutboundRequest) -> Any:
        return self._insist(lambda: self._try(request))

    def _insist(self, attempt: Callable[[], Any]) -> Any:
        """What comes of it at last: an attempt gives what it found, or a Trouble."""
        tries = 0
        while True:
            tries += 1
            self._take_turn()
            found = attempt()
            if not isinstance(found, Trouble):
                return found
            decision = decide(found, tries=tries + MOST_TRIES - self.most_tries, chance=self.chance())
            if not isinstance(decision, Wait):
                raise self.failure_of(found)
            self._wait(found.message, decision.pause, is_throttle=found.trouble_class is TroubleClass.RATE_LIMITED)

    def failure_of(self, trouble: Trouble) -> SyncFailed:
        """The end that a trouble means when it is not waited for in place."""
        decision = decide(trouble, tries=MOST_TRIES, chance=self.chance())
        return self._deferred(trouble, decision.pause) if isinstance(decision, Defer) else SyncFailed(trouble)

    def _take_turn(self) -> None:
        """Rest as long as the quota asks for, and take one request of the budget."""
        rest, self._rest = self._rest, timedelta()
        if rest > LONGEST_WAIT_IN_PLACE:
            is_long = rest > LONGEST_LIMIT
            kind = TroubleClass.QUOTA_EXHAUSTED if is_long else TroubleClass.RATE_LIMITED
            raise self._deferred(Trouble(kind, NEARLY_USED_UP, wait=rest), rest)
        if rest:
            self._wait(NEARLY_USED_UP, rest, is_throttle=True)
        if self.spent.requests >= self.most_requests:
            raise self._deferred(_BUDGET_SPENT, _BUDGET_RETURNS_AFTER)
        self.watch.go_on()
        self.spent.requests += 1

    def _try(self, request: OutboundRequest) -> Any:
        """What came of it: JSON, or a Trouble."""
        response = self._send(request, self.limits)
        if isinstance(response, Trouble):
            return response
        self.spent.bytes += len(response.body)
        content = _read_json(response)
        usage = self.dialect.usage({name.lower(): value for name, value in response.headers}, content)
        if usage is not None:
            self.spent.quota = seen_with(usage, before=self.spent.quota, at=self.watch.now())
        trouble = self._judge(response, content, usage)
        # A refusal says itself how long to wait; the rest is for answers that still went through.
        self._rest = rest_for(usage) if usage is not None and trouble is None else timedelta()
        return content if trouble is None else trouble

    def _try_saving(self, request: OutboundRequest, into: BinaryIO, limits: OutboundLimits) -> Trouble | None:
        into.seek(0)
        into.truncate()
        response = self._send(request, limits, into)
        if isinstance(response, Trouble):
            return response
        self.spent.bytes += into.tell()
        if response.is_truncated:
            size = f"{limits.max_response_bytes // 1_048_576} MiB"
            return Trouble(TroubleClass.TOO_LARGE, f"The file that {self.dialect.name} made is larger than {size}.")
        if response.status != 200:
            message = f"{self.dialect.name} did not hand out the file that it made (HTTP {response.status})."
            return Trouble(TroubleClass.TRANSIENT, message, f"HTTP {response.status}")
        return None

    def _send(
        self, request: OutboundRequest, limits: OutboundLimits, into: BinaryIO | None = None
    ) -> OutboundResponse | Trouble:
        try:
            return self.sender.send(request, limits=limits, into=into)
        except OutboundFailed as error:
            return Trouble(TroubleClass.TRANSIENT, self.clean(error.message), code=error.kind.value)
        except OutboundRefused as error:
            # The address is the operator's setting, or the service's own word: nobody else can have made it one.
            return Trouble(TroubleClass.SETUP_ERROR, self.clean(error.message), code="refused")

    def _judge(self, response: OutboundResponse, content: Any, usage: Usage | None) -> Trouble | None:
        if response.is_truncated:
            size = f"{self.limits.max_response_bytes // 1_048_576} MiB"
            return Trouble(TroubleClass.TOO_LARGE, f"{self.dialect.name} answered with more than {size} at once.")
        return self.dialect.judge(response, content, usage, clean=self.clean, now=self.watch.now())

    def _wait(self, why: str, pause: timedelta, *, is_throttle: bool) -> None:
        self.spent.throttles += is_throttle
        self.watch.log(f"{why} Waiting {pause.total_seconds():.0f} s.")
        self.watch.pause(pause.total_seconds())

    def _deferred(self, trouble: Trouble, pause: timedelta) -> SyncFailed:
        self.spent.throttles += 1
        return SyncFailed(trouble, until=self.watch.now() + pause)


def _read_json(response: OutboundResponse) -> Any:
    """None for what is none. Fractions stay texts, because a float would not be what was written."""
    try:
        return json.loads(response.body, parse_float=Fraction, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # The error holds the whole text, and is not kept.
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
