"""How long the pages of what was told take: a month of deliveries, three of incidents, and one that concerns thousands.

Asked as in pages.py: by somebody signed in, and each time after a run has ended.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.core.process import collect_seldom
from app.factory import create_app
from app.notifications.incident_models import Incident, IncidentEntry, IncidentSubject
from app.notifications.models import Channel, Delivery
from app.notifications.types import (
    ChannelKind,
    DeliveryKind,
    DeliveryState,
    Facts,
    IncidentEntryKind,
    IncidentState,
    NotificationType,
)
from app.web.pages.places import write_place
from bench.crowd import settle
from bench.figures import print_figures
from bench.history import fill_large
from bench.installation import Installation, installation
from bench.pages import BAR_STATEMENTS_OF_ONE, REQUESTS, line_of, measure, signed_in
from bench.services import Engine

SCHEDULES, RUNS = 500, 20_000
DELIVERIES, INCIDENTS, CONCERNED = 100_000, 10_000, 10_000
CHANNELS = 5
AT_ONCE = 2_000
# So that all of them are of the last thirty days.
SECONDS_APART = 25
ERROR = "POST https://api.example.com/exports/7 answered 503 Service Unavailable in 9.8 s; expected 200-299."


@dataclass(frozen=True)
class Told:
    """The incident that concerns thousands, and a channel."""

    incident_id: UUID
    channel_id: UUID
    # Fifty deliveries are older.
    oldest_at: datetime


def fill(place: Installation, *, deliveries: int, incidents: int, concerned: int) -> Told:
    """So many of each; one incident concerns many schedules, and a tenth of all deliveries are of it."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        here = place.actor.organization_id
        channels = [_channel(session, here, number, now) for number in range(CHANNELS)]
        # One in twenty is open, as when a service is down.
        rows = [_incident(here, number, now, is_open=number % 20 == 0) for number in range(incidents)]
        rows[0] |= {"things": concerned, "happened": concerned, "title": "Runs through “Shop” fail"}
        _add(session, Incident, iter(rows))
        large = rows[0]["id"]
        _add(session, IncidentSubject, (_subject(here, large, number, now) for number in range(concerned)))
        _add(session, IncidentEntry, (_entry(here, large, number, now) for number in range(concerned)))
        of_large = (large if number % 10 == 0 else rows[number % incidents]["id"] for number in range(deliveries))
        _add(
            session,
            Delivery,
            (_delivery(here, channels, number, id_, now) for number, id_ in enumerate(of_large)),
        )
    settle(place)
    return Told(large, channels[0], now - timedelta(seconds=SECONDS_APART * (deliveries - 52)))


def _add(session: Session, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == AT_ONCE:
            session.execute(insert(table), some)
            some = []
    if some:
        session.execute(insert(table), some)


def _channel(session: Session, here: UUID, number: int, now: datetime) -> UUID:
    id_ = new_id()
    values = {"name": f"#ops-{number}", "kind": ChannelKind.WEBHOOK.value, "settings": {"url": "https://example.com"}}
    session.execute(insert(Channel).values(id=id_, organization_id=here, created_at=now, updated_at=now, **values))
    return id_


def _incident(here: UUID, number: int, now: datetime, *, is_open: bool) -> dict[str, Any]:
    opened = now - timedelta(minutes=12 * number + 30)
    state = IncidentState.OPEN if is_open else IncidentState.CLOSED
    return {
        "id": new_id(), "organization_id": here, "cause_key": f"schedule:{number}",
        "type": NotificationType.RUN_FAILED.value, "title": f"Export {number:05} fails", "state": state.value,
        "opened_at": opened, "last_at": opened + timedelta(minutes=10),
        "closed_at": None if is_open else opened + timedelta(minutes=20), "has_recovered": not is_open,
        "happened": number % 9 + 1, "subject_kind": "schedule", "subject_id": new_id(),
        "facts": {"text": ERROR, "error_class": "server"},
    }  # fmt: skip


def _subject(here: UUID, incident_id: UUID, number: int, now: datetime) -> dict[str, Any]:
    return {
        "incident_id": incident_id, "subject_id": new_id(), "organization_id": here, "subject_kind": "schedule",
        "name": f"Export {number:05}", "failures": number % 5 + 1, "last_at": now - timedelta(seconds=number),
        "is_in_trouble": number % 3 > 0,
    }  # fmt: skip


def _entry(here: UUID, incident_id: UUID, number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "organization_id": here, "incident_id": incident_id, "at": now - timedelta(seconds=number),
        "kind": IncidentEntryKind.HAPPENED.value, "words": f"Export {number:05}: {ERROR}", "run_id": new_id(),
    }  # fmt: skip


def _delivery(here: UUID, channels: list[UUID], number: int, incident_id: UUID, now: datetime) -> dict[str, Any]:
    at = now - timedelta(seconds=SECONDS_APART * number)
    kind = DeliveryKind.UPDATED if number % 3 else DeliveryKind.OPENED
    facts = Facts(NotificationType.RUN_FAILED, kind, f"Export {number:05} fails", what=ERROR, error=ERROR, since=at)
    state = DeliveryState.GIVEN_UP if number % 50 == 7 else DeliveryState.SENT
    return {
        "id": new_id(), "organization_id": here, "channel_id": channels[number % CHANNELS], "incident_id": incident_id,
        "kind": kind.value, "type": facts.type.value, "key": f"bench:{number}", "facts": facts.as_json(),
        "state": state.value, "tries": 1, "next_try_at": at, "sent_at": at, "words": "Delivered in 0.3 s. 200 OK",
        "last_error": ERROR if state is DeliveryState.GIVEN_UP else None, "created_at": at,
    }  # fmt: skip


def paths(told: Told) -> dict[str, str]:
    """What people open, by name."""
    oldest = write_place((told.oldest_at, UUID(int=2**128 - 1)))
    return {
        "deliveries": "/notifications/deliveries",
        "deliveries, further on": f"/notifications/deliveries?before={quote(oldest)}",
        "deliveries of a channel": f"/notifications/deliveries?channel={told.channel_id}",
        "incidents": "/incidents",
        "incidents, closed": "/incidents?state=closed",
        "incidents, searched": "/incidents?state=all&q=nowhere",
        "incidents, of one type": "/incidents?state=all&type=stuck",
        "incident": f"/incidents/{told.incident_id}",
        "notifications": "/notifications",
        "overview": "/",
    }


def main() -> None:
    """Fill, measure, print page by page, and the worst one at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--deliveries", type=int, default=DELIVERIES)
    parser.add_argument("--incidents", type=int, default=INCIDENTS)
    parser.add_argument("--concerned", type=int, default=CONCERNED)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    options = parser.parse_args()
    with installation(options.engine) as place:
        large = fill_large(place, schedules=SCHEDULES, runs=RUNS)
        told = fill(place, deliveries=options.deliveries, incidents=options.incidents, concerned=options.concerned)
        client = signed_in(place, create_app(place.settings), large)
        collect_seldom()
        found = {}
        for name, path in paths(told).items():
            found[name] = measure(place, large, client, path, options.requests)
            if name == "incident":
                found[name] = replace(found[name], most_statements=BAR_STATEMENTS_OF_ONE)
            print(line_of(name, found[name]), flush=True)
        worst = max(found, key=lambda name: found[name].p95_ms)
        figures = {
            "worst_p95_ms": found[worst].p95_ms,
            "most_statements": max(page.statements for page in found.values()),
            "most_bytes": max(page.size for page in found.values()),
            "pages_beyond_a_bar": sum(bool(page.misses()) for page in found.values()),
        }  # fmt: skip
        print(f"worst: {worst}")
        print_figures("told", options.engine, figures)


if __name__ == "__main__":
    main()
