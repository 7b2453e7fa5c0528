"""A large installation that has been at work for three months: organizations, schedules, and the runs they left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, text

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.core.schema import SchemaGate, newest_migration
from app.jobs.kinds.base import KindName
from app.jobs.service import JobDraft, create_job
from app.ops.bookkeeping import Bookkeeper
from app.ops.kinds import job_kinds
from app.schedules.models import Schedule
from app.tenants.access import Actor
from app.tenants.models import Organization
from app.tenants.roles import Role
from bench.crowd import settle
from bench.installation import Installation

DAYS = 90
# One organization has half of everything, the others share the rest.
OTHERS = 5
JOBS = 50
TAGS = (["daily"], ["shop"], ["daily", "finance"], [], [])

# Each schedule's runs lie evenly over the days, the newest first, and none of two schedules at the same second.
_RUNS = """
    INSERT INTO runs ({copied}, id, organization_id, job_id, schedule_id, job_name, kind, definition, slot_at, due_at,
                      ready_at, created_at, state, reason, error, attempt, token, worker, started_at, finished_at)
    SELECT {values}, {new_id}, organization_id, job_id, schedule_id, job_name, kind, definition, {due}, {due}, {due},
           {due}, state,
           CASE state WHEN 'failed' THEN 'error' WHEN 'skipped' THEN 'overlap' WHEN 'missed' THEN 'removed' END,
           CASE state WHEN 'failed' THEN 'POST https://api.example.com/exports/' || (number % 7)
                                        || ' answered 503 Service Unavailable in 9.8 s; expected 200-299.' END,
           CASE WHEN state IN ('skipped', 'missed') THEN 0 ELSE 1 END, 1, 'vm-1:412',
           CASE WHEN state IN ('skipped', 'missed') THEN NULL ELSE {started} END, {ended}
    FROM (
        SELECT schedules.*, numbers.n AS n, number * 7919 + n * 104729 AS draw,
               CASE WHEN number % 40 = 3 AND n = 1 THEN 'failed'
                    WHEN (number * 7919 + n * 104729) % 100 < 2 THEN 'failed'
                    WHEN (number * 7919 + n * 104729) % 100 < 4 THEN 'skipped'
                    WHEN (number * 7919 + n * 104729) % 100 < 5 THEN 'missed' ELSE 'succeeded' END AS state
        FROM (SELECT schedules.id AS schedule_id, schedules.organization_id AS organization_id,
                     jobs.id AS job_id, jobs.name AS job_name, jobs.kind AS kind, jobs.definition AS definition,
                     CAST(schedules.spread_key AS INTEGER) AS number
              FROM schedules JOIN jobs ON jobs.id = schedules.job_id
              WHERE jobs.kind = 'workflow') AS schedules
        CROSS JOIN ({numbers}) AS numbers
    ) AS drawn
"""
_EVENTS = """
    INSERT INTO events (organization_id, topic, kind, subject_id, data, at)
    SELECT organization_id, 'runs', 'run.ended', id, '{{}}', finished_at FROM runs
    WHERE finished_at >= {edge} ORDER BY finished_at
"""
_ATTEMPTS = """
    INSERT INTO attempts (run_id, token, organization_id, number, state, worker, error, result, started_at, finished_at)
    SELECT id, 1, organization_id, 1, state, worker, error, '{{}}', started_at, finished_at FROM runs
    WHERE started_at IS NOT NULL
"""
_POSTGRES = {
    "new_id": "gen_random_uuid()",
    "numbers": "SELECT generate_series(1, :per_schedule) AS n",
    "due": "CAST(:now AS timestamptz) - (n * :apart + number % :apart) * interval '1 second'",
    "edge": "CAST(:edge AS timestamptz)",
}
_SQLITE = {
    "new_id": "lower(hex(randomblob(16)))",
    "numbers": "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < :per_schedule) "
    "SELECT n FROM many",
    "due": "strftime('%Y-%m-%d %H:%M:%f000', :now, '-' || (n * :apart + number % :apart) || ' seconds')",
    "edge": ":edge",
}
# What all of them have in common.
_SAME = {
    "trigger": "'schedule'", "tries": "3", "retry_delay_seconds": "5", "retry_backoff": "'exponential'",
    "time_limit_seconds": "600", "queue": "'workflow'",
}  # fmt: skip


@dataclass(frozen=True)
class Large:
    """Who looks, from the organization that has half of everything, and how much there is of it."""

    organization_id: UUID
    schedules: int
    runs: int


def fill_large(place: Installation, *, schedules: int, runs: int) -> Large:
    """So many schedules with so many runs in all, and what goes with them."""
    now = _now(place)
    half = schedules // 2
    number = _add_schedules(place, place.actor, half, first=0, now=now)
    for other in range(OTHERS):
        share = (schedules - half) // OTHERS
        number = _add_schedules(place, _make_owner(place, f"Other {other}", now), share, first=number, now=now)
    _add_runs(place, runs // schedules, now=now)
    # As the bookkeeper of a running installation has done by now.
    Bookkeeper(place.database, DatabaseClock(), SchemaGate(place.database, expected=newest_migration())).count()
    settle(place)
    return Large(place.actor.organization_id, half, runs // schedules * half)


def _make_owner(place: Installation, name: str, now: datetime) -> Actor:
    with place.database.transaction() as session:
        organization = Organization(name=name, timezone="UTC", created_at=now)
        session.add(organization)
        session.flush()
        return Actor(organization.id, Role.OWNER, "bench")


def _add_schedules(place: Installation, actor: Actor, count: int, *, first: int, now: datetime) -> int:
    step = {"name": "Export", "method": "POST", "url": "https://api.example.com/exports"}
    same = {
        "organization_id": actor.organization_id, "clock_change": "once", "overlap": "skip", "missed": "latest",
        "missed_max_age_seconds": 86_400, "version": 1, "created_at": now - timedelta(days=DAYS), "updated_at": now,
    }  # fmt: skip
    with place.database.transaction() as session:
        kinds = job_kinds(place.settings)
        job_ids = [
            create_job(
                session, actor=actor, kinds=kinds, draft=JobDraft(f"Job {n}", KindName.WORKFLOW, {"steps": [step]}),
                now=now,
            )
            for n in range(JOBS)
        ]  # fmt: skip
        rows = []
        for number in range(first, first + count):
            is_on = number % 20 != 0
            minute, hour = number % 60, number // 60 % 24
            rows.append(
                {
                    **same, "id": new_id(), "job_id": job_ids[number % JOBS], "name": f"Export {number:05}",
                    "cron": f"{minute} {hour} * * *", "timezone": ("UTC", "Europe/Berlin")[number % 2],
                    "spread_key": str(number), "enabled": is_on, "tags": TAGS[number % len(TAGS)],
                    "next_run_at": now + timedelta(hours=1, seconds=number) if is_on else None,
                }
            )  # fmt: skip
        session.execute(insert(Schedule), rows)
    return first + count


def _add_runs(place: Installation, per_schedule: int, *, now: datetime) -> None:
    is_postgres = place.database.is_postgres
    words = dict(_POSTGRES if is_postgres else _SQLITE)
    later = {"started": " + interval '1 second'", "ended": " + (2 + draw % 40) * interval '1 second'"}
    for name, more in later.items():
        seconds = "'+1 seconds'" if name == "started" else "'+' || (2 + draw % 40) || ' seconds'"
        at_sqlite = words["due"].removesuffix(")") + f", {seconds})"
        words[name] = words["due"] + more if is_postgres else at_sqlite
    moments = {"now": now, "edge": now - timedelta(days=DAYS // 3)}
    if not is_postgres:
        moments = {name: f"{at:%Y-%m-%d %H:%M:%S}.000000" for name, at in moments.items()}
    apart = DAYS * 86_400 // per_schedule
    statement = _RUNS.format(copied=", ".join(_SAME), values=", ".join(_SAME.values()), **words)
    with place.database.transaction() as session:
        if is_postgres:
            # A bench may take longer than a page.
            session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text(statement), {"now": moments["now"], "per_schedule": per_schedule, "apart": apart})
        session.execute(text(_ATTEMPTS.format()))
        session.execute(text(_EVENTS.format(**words)), {"edge": moments["edge"]})


def _now(place: Installation) -> datetime:
    with place.database.reading() as session:
        return DatabaseClock().now(session).replace(microsecond=0)
