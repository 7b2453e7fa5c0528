"""A storm: ten thousand runs fail within a minute. How many messages that makes, and what it costs.

First all of them through one connection, which is one cause; then each for a cause of its own; then all succeed. For
each the messages of the quarter of an hour that follows, edits of earlier messages aside.
"""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from app.core.ids import new_id
from app.core.schema import SchemaGate, newest_migration
from app.events.models import Event
from app.events.service import Topic
from app.jobs.models import Job
from app.notifications.incident_models import Incident
from app.notifications.models import Channel, Delivery, Rule
from app.notifications.teller import LOOK_AGAIN_SECONDS, Teller
from app.notifications.types import DEFAULT_TYPES, ChannelKind, DeliveryKind, DeliveryState, ScopeKind
from app.runs.causes import cause_of
from app.runs.models import Run
from app.schedules.models import Schedule
from bench.crowd import add_schedules
from bench.figures import print_figures
from bench.installation import Installation, installation
from bench.services import Engine
from tests.factories.figures import make_connection
from tests.fakes.clock import ManualClock

NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
STORM_SECONDS = 60
AFTERWARDS_SECONDS = 15 * 60
COSTLY_SECONDS = 60.0
MOST_MESSAGES = 10


class Storm:
    """Runs that end in a minute, and a teller whose clock goes as fast as it can follow."""

    def __init__(self, place: Installation, schedules: int) -> None:
        self.place = place
        self.clock = ManualClock("2027-01-05 12:00")
        gate = SchemaGate(place.database, expected=newest_migration())
        self.teller = Teller(place.database, self.clock, gate)
        self.cpu_seconds = 0.0
        self.seconds = 0.0
        add_schedules(place, schedules, due_at=NOON, rhythms=[("0 12 * * *", "UTC")])
        with place.database.transaction() as session:
            here = place.actor.organization_id
            self.connection_id = make_connection(session, here).id
            values = {"kind": "sync", "definition": {"connection_id": str(self.connection_id)}}
            session.execute(update(Job).where(Job.organization_id == here).values(**values))
            self.schedules = session.execute(select(Schedule.id, Schedule.job_id, Schedule.name)).all()
            self._listen(session, here)
        self._tell()

    def blow(self, kind: str, error_class: str) -> dict[str, float]:
        """One run of each schedule ends so within a minute. What was written in the time that follows."""
        self.cpu_seconds = self.seconds = 0.0
        self._forget_messages()
        each = -(-len(self.schedules) // STORM_SECONDS)
        for second in range(STORM_SECONDS):
            some = self.schedules[second * each : (second + 1) * each]
            self._end(some, kind, error_class)
            self._next_second(second)
        for second in range(AFTERWARDS_SECONDS):
            self._next_second(second)
        return {"messages": self._count_messages(), "cpu_s": self.cpu_seconds, "seconds": self.seconds}

    def open_incidents(self) -> int:
        with self.place.database.transaction() as session:
            return session.scalar(select(func.count()).where(Incident.state != "closed")) or 0

    def _listen(self, session: Any, here: UUID) -> None:
        channel = {"name": "Ops", "kind": ChannelKind.WEBHOOK.value, "settings": {}}
        moments = {"organization_id": here, "created_at": NOON, "updated_at": NOON}
        channel_id = new_id()
        session.execute(insert(Channel).values(id=channel_id, **channel, **moments))
        rule = {"types": sorted(DEFAULT_TYPES), "scope_kind": ScopeKind.ORGANIZATION.value, "scope_value": None}
        session.execute(insert(Rule).values(id=new_id(), channel_ids=[str(channel_id)], **rule, **moments))

    def _end(self, schedules: Sequence[Any], kind: str, error_class: str) -> None:
        if not schedules:
            return
        state = kind.removeprefix("run.")
        error = None if state == "succeeded" else "The service answered with status 503."
        cause = error and cause_of(error)
        now = self.clock.moment
        runs = [self._run(row, state, error, cause, now) for row in schedules]
        said = {"state": "failed", "class": error_class, "cause": cause} if error else {}
        event = {"organization_id": self.place.actor.organization_id, "topic": Topic.RUNS.value, "kind": kind}
        with self.place.database.transaction() as session:
            session.execute(insert(Run), runs)
            session.execute(
                insert(Event), [{**event, "subject_id": run["id"], "data": said, "at": now} for run in runs]
            )

    def _run(self, row: Any, state: str, error: str | None, cause: str | None, now: datetime) -> dict[str, Any]:
        return {
            "id": new_id(), "organization_id": self.place.actor.organization_id, "job_id": row.job_id,
            "schedule_id": row.id, "slot_at": now, "due_at": now, "trigger": "schedule", "kind": "sync",
            "definition": {"connection_id": str(self.connection_id)}, "job_name": "Read", "tries": 3,
            "retry_delay_seconds": 5, "retry_backoff": "fixed", "time_limit_seconds": 60, "state": state,
            "error": error, "cause": cause, "attempt": 1, "token": 1, "ready_at": now, "created_at": now,
            "started_at": now, "finished_at": now,
        }  # fmt: skip

    def _next_second(self, second: int) -> None:
        self.clock.advance(seconds=1)
        self._tell(looks_again=second % LOOK_AGAIN_SECONDS == 0)
        with self.place.database.transaction() as session:
            waiting = update(Delivery).where(Delivery.state == DeliveryState.PENDING.value)
            session.execute(waiting.values(state=DeliveryState.SENT.value))

    def _tell(self, *, looks_again: bool = False) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        self.teller.tell()
        if looks_again:
            self.teller.look_again()
        self.seconds += time.perf_counter() - began
        self.cpu_seconds += time.process_time() - cpu

    def _forget_messages(self) -> None:
        with self.place.database.transaction() as session:
            session.execute(text("DELETE FROM deliveries"))
        self.clock.advance(hours=3)

    def _count_messages(self) -> int:
        with self.place.database.transaction() as session:
            messages = select(func.count()).where(Delivery.kind != DeliveryKind.UPDATED.value)
            return session.scalar(messages) or 0


def main() -> None:
    """Measure and print; the status says whether the storm was too loud or too dear."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with installation(options.engine) as place:
        storm = Storm(place, options.runs)
        for name, kind, error_class in (
            ("one_cause", "run.failed", "server"),
            ("one_cause_ends", "run.succeeded", ""),
            ("many_causes", "run.failed", "job"),
            ("many_causes_end", "run.succeeded", ""),
        ):
            found = storm.blow(kind, error_class)
            found["open_incidents"] = storm.open_incidents()
            figures |= {f"{name}_{figure}": value for figure, value in found.items()}
    names = ("one_cause", "one_cause_ends", "many_causes", "many_causes_end")
    worst = {
        "cpu_s": max(figures[f"{name}_cpu_s"] for name in names),
        "messages": max(figures[f"{name}_messages"] for name in names),
    }
    print_figures("notify", options.engine, {**figures, **worst})
    if worst["cpu_s"] > COSTLY_SECONDS or worst["messages"] > MOST_MESSAGES:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
