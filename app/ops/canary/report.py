"""The age of each hop from a slot to a message that arrived, and whether all are within their bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core.lengths import duration
from app.core.questions import ask_together
from app.ops.canary.gaps import GapRow, StateRow, its_state, newest_gaps
from app.ops.canary.hops import (
    DELIVERED_WITHIN,
    PASSES_WITHIN,
    PINGED_WITHIN,
    TOLD_WITHIN,
    Flight,
    flight_of,
    flight_questions,
)


@dataclass(frozen=True)
class Hop:
    """One hop. `age` is None where nothing ever came so far; of the last hops it is how long something waits."""

    name: str
    age: timedelta | None
    bound: timedelta
    label: str
    # Whether the age is that of something that waits.
    waits: bool = False

    @property
    def words(self) -> str:
        """“a run was planned 12 s ago”."""
        if self.waits:
            return f"{self.label} since {duration(self.age)}" if self.age else f"{self.label}: none"
        return f"{self.label}: never" if self.age is None else f"{self.label} {duration(self.age)} ago"

    @property
    def is_ok(self) -> bool:
        return self.age is not None and self.age <= self.bound


@dataclass(frozen=True)
class CanaryReport:
    """How Belfry fares from end to end. Without `is_on`, only what waits is looked at."""

    is_on: bool
    hops: tuple[Hop, ...]
    gaps: tuple[GapRow, ...]
    state: StateRow | None

    @property
    def is_well(self) -> bool:
        return all(hop.is_ok for hop in self.hops)

    @property
    def watched_since(self) -> datetime | None:
        """Since when somebody looks; None where nobody has yet."""
        return None if self.state is None else self.state.began_at

    def as_json(self) -> dict[str, Any]:
        """The same for programs. Ages and bounds in seconds; of the last hops, an age is how long something waits."""
        return {
            "well": self.is_well,
            "canary": self.is_on,
            "last_passed_at": _text(self.last_passed_at),
            "hops": [
                {
                    "name": hop.name,
                    "ok": hop.is_ok,
                    "age": None if hop.age is None else round(hop.age.total_seconds(), 1),
                    "bound": hop.bound.total_seconds(),
                }
                for hop in self.hops
            ],
            "heartbeat_error": None if self.state is None else self.state.ping_error,
            "gaps": [
                {"began_at": _text(gap.began_at), "ended_at": _text(gap.ended_at), "cause": gap.cause.value}
                for gap in self.gaps
            ],
        }

    @property
    def last_passed_at(self) -> datetime | None:
        return None if self.state is None else self.state.last_passed_at


def read_report(session: Session, *, is_on: bool, is_pinged: bool, now: datetime) -> CanaryReport:
    """How it stands now. Works as ENGINE or PLATFORM. One statement."""
    *answers, state, gaps = ask_together(session, *flight_questions(now=now), its_state(), newest_gaps(now=now))
    flight = flight_of(*answers)
    hops = [*(_of_runs(flight, now) if is_on else ()), *_of_messages(flight, now)]
    if is_on and is_pinged:
        pinged_at = None if state is None else state.pinged_at
        hops.append(Hop("heartbeat", _age(pinged_at, now), PINGED_WITHIN, "the heartbeat was last taken"))
    return CanaryReport(is_on, tuple(hops), tuple(gaps), state)


def _of_runs(flight: Flight, now: datetime) -> Iterator[Hop]:
    yield Hop("planned", _age(flight.planned_at, now), PASSES_WITHIN, "a run was planned")
    yield Hop("admitted", _age(flight.admitted_at, now), PASSES_WITHIN, "one was let into the line")
    yield Hop("claimed", _age(flight.claimed_at, now), PASSES_WITHIN, "a worker took one")
    yield Hop("finished", _age(flight.finished_at, now), PASSES_WITHIN, "one ended well")


def _of_messages(flight: Flight, now: datetime) -> Iterator[Hop]:
    yield Hop("told", _waits(flight.unread_at, now), TOLD_WITHIN, "an event waits to be told", waits=True)
    yield Hop(
        "delivered", _waits(flight.overdue_since, now), DELIVERED_WITHIN, "a message waits to be sent", waits=True
    )


def _age(at: datetime | None, now: datetime) -> timedelta | None:
    # What lies ahead was written before the clock was set back.
    return None if at is None else abs(now - at)


def _waits(since: datetime | None, now: datetime) -> timedelta:
    return timedelta() if since is None else max(now - since, timedelta())


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
