"""How long the preview of a schedule takes on the server, with 5,000 schedules in the organization.

Measured is the answer to the request that the form sends while somebody types, by the application and its database,
without the network. Then texts that were made to be expensive: the longest answer, and the memory at its highest.
"""

import argparse
import random
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import cycle, islice
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.core.clock import DatabaseClock
from app.core.ids import digest, new_id, new_token
from app.events.service import Topic, append_event
from app.factory import create_app
from app.jobs.models import Job
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.rhythm_rows import fill_minutes
from app.tenants.models import ApiToken
from app.tenants.roles import Role
from app.tenants.token_queries import SCOPE_WORDS
from bench.crowd import add_schedules, settle
from bench.figures import ROUNDS, median_of_rounds, percentile, print_figures
from bench.installation import Installation, installation
from bench.line import add_ready_runs
from bench.services import Engine
from tests.factories.tenants import make_member
from tests.unit.schedules.hostile_texts import HOSTILE

PATH = "/api/v1/schedules/preview"
# The preview, what is wrong with the text, or that it is larger than any body may be.
ANSWERS = (200, 422, 413)
SCHEDULES = 5_000
REQUESTS = 400
RUNS = 1_000
# One request in so many meets an organization that changed since the last one.
CHANGE_EVERY = 50
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney")
TYPED = (
    "0 0 * * *", "0 6 * * *", "*/15 * * * *", "0 9 * * 1-5", "30 2 * * *", "0 */6 * * *", "0 0 1 * *", "0 9 * *",
    "0 9 * * MON-SUN", "H H * * *", "*/7 * * * *", "0 0 13 * 5", "* * * * *", "0 0 29 2 *", "60 * * * *", "@daily",
    "0 6 L * *", "15,45 8-18 * * 1-5", "0 0 * * 5#2", "0 0 31 2 *",
)  # fmt: skip


def rhythms(count: int) -> Iterator[tuple[str, str]]:
    """As organizations have them: a good part on the hour, the rest all over the day, some on single days only."""
    chance = random.Random(1)
    for _ in range(count):
        minute = chance.choice((0, 0, 0, 15, 30, chance.randrange(60), chance.randrange(60)))
        hour, day = chance.randrange(24), chance.randint(1, 28)
        shapes = (
            *(f"{minute} {hour} * * *", f"{minute} {hour} * * *", f"{minute} {hour} * * *", "0 0 * * *"),
            *("0 * * * *", "*/15 * * * *", f"{minute} */6 * * *", f"{minute} {hour} * * 1-5"),
            *(f"{minute} {hour} * * {day % 7}", f"{minute} {hour} {day} * *"),
        )
        yield chance.choice(shapes), chance.choice(ZONES)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with installation(options.engine, BELFRY_API_REQUESTS_PER_MINUTE="1000000") as place:
        _fill(place, options.schedules)
        app = create_app(place.settings)
        caller = _Caller(app, _sign_in(place), _job(place))
        figures = median_of_rounds(lambda: _percentiles(place, caller, options.requests), rounds=options.rounds)
        print_figures("preview", options.engine, {"schedules": options.schedules, **figures, **_hostile(caller)})


class _Caller:
    """Asks the application itself, as its server does."""

    def __init__(self, app: Flask, token: str, job_id: UUID) -> None:
        self._client: FlaskClient = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"}
        self._job_id = str(job_id)

    def milliseconds(self, cron: str, zone: str) -> float:
        """How long the answer took."""
        body = {"cron": cron, "timezone": zone, "job_id": self._job_id}
        begin = time.perf_counter()
        answer = self._client.post(PATH, json=body, headers=self._headers)
        took = time.perf_counter() - begin
        if answer.status_code not in ANSWERS:
            raise SystemExit(f"{cron[:40]!r}: {answer.status_code} {answer.text[:300]}")
        return took * 1_000


def _percentiles(place: Installation, caller: _Caller, requests: int) -> dict[str, float]:
    pairs = islice(cycle((cron, zone) for cron in TYPED for zone in ZONES), requests)
    found = list(_ask(place, caller, pairs))
    return {f"p{percent}_ms": percentile(found, percent) for percent in (50, 95, 99)} | {"most_ms": max(found)}


def _ask(place: Installation, caller: _Caller, pairs: Iterable[tuple[str, str]]) -> Iterator[float]:
    for number, (cron, zone) in enumerate(pairs):
        if number % CHANGE_EVERY == 0:
            _change(place)
        yield caller.milliseconds(cron, zone)


def _hostile(caller: _Caller) -> dict[str, float]:
    """The longest answer, and then, apart from it because watching takes time, the most memory."""
    longest = max(caller.milliseconds(text, "Africa/Casablanca") for text in HOSTILE.values())
    most = 0
    for text in HOSTILE.values():
        tracemalloc.start()
        caller.milliseconds(text, "Africa/Casablanca")
        most = max(most, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return {"hostile_ms": longest, "hostile_kib": most / 1_024}


def _fill(place: Installation, count: int) -> None:
    """So many schedules, as they are once the housekeeper has been there, and a history of what they started."""
    due_at = _now(place) + timedelta(days=1)
    add_schedules(place, count, due_at=due_at, rhythms=rhythms(count))
    with place.database.transaction() as session:
        while fill_minutes(session, limit=count):
            session.flush()
        job = session.scalars(select(Job)).one()
        add_ready_runs(session, job, RUNS, now=_now(place))
        ended = {"state": RunState.SUCCEEDED.value, "started_at": Run.created_at, "finished_at": due_at}
        session.execute(update(Run).values(**ended))
    settle(place)


def _sign_in(place: Installation) -> str:
    secret = f"belfry_{new_id().hex[-8:]}_{new_token()}"
    now = _now(place)
    with place.database.transaction() as session:
        person = make_member(session, organization_id=place.actor.organization_id, role=Role.OWNER)
        session.add(
            ApiToken(
                id=new_id(), organization_id=person.organization_id, user_id=person.user_id, name="Bench",
                prefix=secret[:15], token_digest=digest(secret), scopes={"permissions": list(SCOPE_WORDS)},
                created_at=now,
            )
        )  # fmt: skip
    return secret


def _job(place: Installation) -> UUID:
    with place.database.reading() as session:
        return session.scalars(select(Job.id)).one()


def _change(place: Installation) -> None:
    """As if somebody had saved a schedule: what is known of all of them has to be read again."""
    with place.database.transaction() as session:
        append_event(
            session, organization_id=place.actor.organization_id, topic=Topic.SCHEDULES, kind="schedule.edited",
            subject_id=new_id(), now=DatabaseClock().now(session),
        )  # fmt: skip


def _now(place: Installation) -> datetime:
    with place.database.reading() as session:
        return DatabaseClock().now(session)


if __name__ == "__main__":
    main()
