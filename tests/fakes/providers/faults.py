"""What goes wrong, when and how often: set by a test or over the control plane, used up by requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.providers.wire import Answer, Call, Delivery


@dataclass(frozen=True)
class Match:
    """Which requests a fault meets: of a route, with something in path or body, the nth of these or all after so many.

    Everything left out is met by every request. `nth` counts from 1.
    """

    route: str | None = None
    body_contains: str | None = None
    nth: int | None = None
    after: int = 0

    def meets(self, route: str, call: Call) -> bool:
        if self.route is not None and self.route != route:
            return False
        said = f"{call.path} {call.parameters} {call.text}"
        return self.body_contains is None or self.body_contains in said

    def is_turn(self, met: int) -> bool:
        """Whether it is the turn of the request that is the so-manieth met."""
        return met == self.nth if self.nth is not None else met > self.after


@dataclass
class Fault:
    """One trouble. `times` is how many requests it hits; None is all of them."""

    provider: str
    fault: str
    options: dict[str, Any] = field(default_factory=dict)
    match: Match = field(default_factory=Match)
    times: int | None = 1
    met: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    @classmethod
    def read(cls, said: dict[str, Any]) -> "Fault":
        """The fault that JSON describes; keys that are none of a fault's own are its options."""
        known = {"provider", "fault", "match", "times"}
        options = {name: value for name, value in said.items() if name not in known}
        match = Match(**said.get("match", {}))
        return cls(said["provider"], said["fault"], options, match, said.get("times", 1))

    @property
    def is_used_up(self) -> bool:
        return self.times is not None and self.hits >= self.times


class FaultBook:
    """The faults that wait for their requests, oldest first. One request meets one fault at most."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def take(self, provider: str, route: str, call: Call, fits: Callable[[Fault], bool]) -> Fault | None:
        """The fault of this request, if there is one. `fits` asks the provider about conditions of its own."""
        for fault in self._faults:
            if fault.provider != provider or fault.is_used_up or not fault.match.meets(route, call) or not fits(fault):
                continue
            fault.met += 1
            if fault.match.is_turn(fault.met):
                fault.hits += 1
                return fault
        return None


def spoil(answer: Answer, fault: Fault) -> Answer:
    """The faults of the wire, which look alike for every provider. Other faults leave an answer as it is."""
    variant = fault.options.get("variant")
    if fault.fault == "slow":
        delivery = Delivery.DRIP if variant == "drip" else Delivery.SLOW
        return Answer(answer.status, answer.body, answer.headers, delivery)
    if fault.fault == "truncated" and variant == "garbage":
        return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
    if fault.fault == "truncated":
        return Answer(answer.status, answer.body, answer.headers, Delivery.CUT)
    return answer
