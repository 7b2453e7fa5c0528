"""How long the page of figures, its table and its file take over a million landed figures, and how big they are.

Measured is the answer to the request of somebody signed in, by the application and its database, without the network.
"""

import argparse
import gzip
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import bindparam, text

from app.core.clock import DatabaseClock
from app.core.columns import UTCDateTime
from app.core.process import collect_seldom
from app.factory import create_app
from app.syncs.days import last_whole_day
from app.syncs.figures import METRIC_FACTS, Level, Unit
from app.syncs.models import Connection, StreamState
from app.syncs.service_metrics import metrics_of
from bench.crowd import settle
from bench.figures import percentile, print_figures
from bench.history import Large
from bench.installation import Installation, installation
from bench.pages import Figures, _counted, _line, keep_time, signed_in
from bench.services import Engine

ACCOUNTS, CAMPAIGNS, DAYS = 5, 100, 285
# Each figure of the last weeks was corrected so many times after its day had been complete.
CORRECTIONS, CORRECTED_DAYS = 3, 28
REQUESTS = 40
ZONE = "Europe/Riga"

_FIGURES = """
    INSERT INTO kpi_figures (organization_id, connection_id, level, metric, day, entity_id, value, currency, flags,
                             run_id, fetched_at, api_version, mapping_version, first_landed_at, changed_at)
    SELECT c.organization_id, c.id, CAST(:level AS varchar(16)), CAST(:metric AS varchar(24)), {day},
           CASE WHEN :level = 'account' THEN '' ELSE '1202' || (100000 + e.n) END,
           CAST((e.n * 37 + d.n * 11) % 5000 AS bigint) * 1000000 + (e.n % 100) * 10000,
           CASE WHEN :money = 1 THEN c.currency END, '', c.id, c.created_at, 'v26.0', 1, c.created_at, c.created_at
    FROM connections AS c CROSS JOIN ({days}) AS d CROSS JOIN ({entities}) AS e
    ORDER BY 1, 2, 3, 4, 5, 6
"""
_ENTITIES = """
    INSERT INTO kpi_entities (organization_id, connection_id, level, entity_id, name)
    SELECT c.organization_id, c.id, 'campaign', '1202' || (100000 + e.n), 'Autumn sale ' || e.n
    FROM connections AS c CROSS JOIN ({entities}) AS e
"""
_CHANGES = """
    INSERT INTO kpi_changes (id, organization_id, connection_id, level, metric, day, entity_id, old_value, new_value,
                             currency, run_id, at)
    SELECT {new_id}, organization_id, connection_id, level, metric, day, entity_id, value - 1000000, value, currency,
           run_id, :at
    FROM kpi_figures WHERE day > :first
"""
_SERIES = "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < :{most}) SELECT n FROM many"
_POSTGRES = {"new_id": "gen_random_uuid()", "day": "CAST(:last AS date) - (:days - d.n)"}
_SQLITE = {"new_id": "lower(hex(randomblob(16)))", "day": "date(:last, '-' || (:days - d.n) || ' days')"}


@dataclass(frozen=True)
class Filled:
    """What there is: the last day of it, one of the accounts, and how many figures in all."""

    last: date
    connection_id: UUID
    figures: int


def fill(place: Installation) -> Filled:
    """Accounts with all metrics of all campaigns by day, and of the accounts themselves."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        last = last_whole_day(now, ZONE)
        ids = [_connect(session, place, number, now=now, last=last) for number in range(ACCOUNTS)]
        words = _POSTGRES if place.database.is_postgres else _SQLITE
        words = words | {"days": _SERIES.format(most="days"), "entities": _SERIES.format(most="entities")}
        figures = 0
        for level, entities in ((Level.CAMPAIGN, CAMPAIGNS), (Level.ACCOUNT, 1)):
            for metric in metrics_of("meta"):
                given = {
                    "level": level.value, "metric": metric.value, "last": str(last), "days": DAYS,
                    "entities": entities, "money": int(METRIC_FACTS[metric].unit is Unit.MONEY),
                }  # fmt: skip
                session.execute(_text(_FIGURES.format(**words)), given)
                figures += ACCOUNTS * entities * DAYS
        session.execute(_text(_ENTITIES.format(**words)), {"entities": CAMPAIGNS})
        first = last - timedelta(days=CORRECTED_DAYS)
        for number in range(CORRECTIONS):
            given = {"at": now - timedelta(hours=number), "first": first}
            session.execute(_text(_CHANGES.format(**words)).bindparams(bindparam("at", type_=UTCDateTime())), given)
    settle(place)
    return Filled(last, ids[0], figures)


def _text(words: str):  # type: ignore[no-untyped-def]
    return text(" ".join(words.split()))


def _connect(session, place: Installation, number: int, *, now: datetime, last: date) -> UUID:  # type: ignore[no-untyped-def]
    connection = Connection(
        organization_id=place.actor.organization_id, name=f"Acme {number}", service="meta", account_id=f"act_{number}",
        zone=ZONE, currency="EUR", state="connected", created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(connection)
    session.flush()
    for level in (Level.ACCOUNT, Level.CAMPAIGN):
        session.add(
            StreamState(
                organization_id=connection.organization_id, connection_id=connection.id, name=level.value,
                level=level.value, high_water=last, fetched_at=now, promised_minute=7 * 60,
            )
        )  # fmt: skip
    session.flush()
    return connection.id


def paths(filled: Filled) -> dict[str, str]:
    """What people open, by name."""
    one = f"source={filled.connection_id}"
    return {
        "account": f"/data?{one}",
        "account, 90 days": f"/data?{one}&range=90d",
        "campaigns": f"/data?{one}&level=campaign",
        "campaigns, 90 days": f"/data?{one}&level=campaign&range=90d",
        "campaigns, by week": f"/data?{one}&level=campaign&range=90d&grain=week",
        "one campaign": f"/data?{one}&level=campaign&entity=1202100007&range=90d",
        "reach": f"/data?{one}&metric=reach",
        "all accounts": "/data?source=meta",
        "all campaigns of all": "/data?source=meta&level=campaign",
        "changes": f"/data/changes?{one}&level=campaign",
        "series by API": f"/api/v1/data/series?{one}&level=campaign&range=90d",
        "entities by API": f"/api/v1/data/entities?{one}&level=campaign&limit=50",
        "changes by API": f"/api/v1/data/changes?{one}&level=campaign&limit=50",
        "figures by API": f"/api/v1/data/figures?{one}&level=campaign&limit=200",
        "file of 28 days": f"/data.csv?{one}&level=campaign",
    }


def main() -> None:
    """Fill, measure, print one by one, and the worst at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--only", default="", help="those whose name contains this")
    options = parser.parse_args()
    with installation(options.engine) as place:
        filled = fill(place)
        client = signed_in(place, create_app(place.settings), Large(place.actor.organization_id, 0, 0))
        collect_seldom()
        found = {
            name: _measure(place, client, name, path, options.requests)
            for name, path in paths(filled).items()
            if options.only in name
        }
    worst = max(found, key=lambda name: found[name].p95_ms)
    print(f"worst: {worst}")
    figures = {
        "figures": filled.figures, "worst_p95_ms": found[worst].p95_ms,
        "most_statements": max(one.statements for one in found.values()),
        "most_bytes": max(one.size for one in found.values()),
        "beyond_a_bar": sum(bool(one.misses()) for one in found.values()),
    }  # fmt: skip
    print_figures("kpi", options.engine, figures)


def _measure(place: Installation, client: FlaskClient, name: str, path: str, requests: int) -> Figures:
    client.get(path)
    keep_time(place)
    times, most, size = [], 0, 0
    for _ in range(requests):
        with _counted() as statements:
            began = time.perf_counter()
            answer = client.get(path)
            content = answer.data
            times.append((time.perf_counter() - began) * 1_000)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
        most = max(most, len(statements))
        # The bar is for pages; a file is as long as what it holds.
        size = len(gzip.compress(content, 6)) if answer.mimetype == "text/html" else 0
    found = Figures(percentile(times, 95), most, size)
    print(_line(name, found), flush=True)
    return found


if __name__ == "__main__":
    main()
