"""An installation on PostgreSQL with two organizations that have one row of everything."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, Table, func, insert, select
from sqlalchemy.orm import Session

from app.core.db import Database, open_database
from app.core.ids import new_id
from app.core.scopes import DatabaseRole, Scope, role_name
from app.events.service import Topic, append_event
from app.notifications.incident_models import Incident, IncidentEntry, IncidentSubject
from app.notifications.models import BadEvent, Channel, Delivery, MaintenanceWindow, NotifySettings, Rule, Telling
from app.ops.bulk.service import select_objects
from app.ops.models import WatchMark
from app.runs import ledger
from app.runs.models import LogLine, RunHour, RunHourMark
from app.runs.queue_models import QueueMinute
from app.schedules.models import Gap, Schedule, ScheduleVersion
from app.schedules.policies import GapReason
from app.syncs.models import ConnectionTest, FigureChange, LandedEntity, LandedFigure, Landing, StreamState
from app.syncs.shop_models import ShopOrder, ShopSale
from app.tenants.audit import record
from app.tenants.models import SavedView
from app.vault.models import Secret
from tests.factories.figures import make_connection
from tests.factories.tenants import make_member, make_organization
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")


@dataclass(frozen=True)
class Installation:
    """The database as the product sees it, and as its owner does."""

    database: Database
    owner: Engine
    ours: UUID
    theirs: UUID
    now: datetime = NOW

    @property
    def login(self) -> str:
        return str(self.database.write.url.username)

    def role(self, role: DatabaseRole) -> str:
        return role_name(self.login, role)

    def count(self, table: Table, organization_id: UUID) -> int:
        query = select(func.count()).select_from(table).where(table.c.organization_id == organization_id)
        return int(self._as_owner(query))

    def schedule_name(self, organization_id: UUID) -> str:
        return str(self._as_owner(select(Schedule.name).where(Schedule.organization_id == organization_id)))

    def schedule_of(self, organization_id: UUID) -> UUID:
        found: UUID = self._as_owner(select(Schedule.id).where(Schedule.organization_id == organization_id))
        return found

    def add_gap(self, scope: Scope, *, organization_id: UUID, schedule_id: UUID | None = None) -> None:
        values = {
            "id": new_id(),
            "organization_id": organization_id,
            "schedule_id": schedule_id or self.schedule_of(organization_id),
            "first_slot_at": NOW,
            "last_slot_at": NOW,
            "slots": 1,
            "reason": GapReason.PAUSED.value,
            "at": NOW,
        }
        with self.database.transaction(scope) as session:
            session.execute(insert(Gap).values(**values))

    def with_pool_of(self, connections: int) -> Database:
        url = self.database.write.url.render_as_string(hide_password=False)
        return open_database(url, connections=connections)

    def _as_owner(self, query: Any) -> Any:
        with self.owner.connect() as connection:
            return connection.execute(query).scalar_one()


def furnish(session: Session, name: str) -> UUID:
    """One row of everything."""
    member = make_member(session, organization_id=make_organization(session, name=name), email=f"{name}@example.com")
    organization_id = member.organization_id
    job = make_job(session, organization_id)
    schedule = make_schedule(session, job, name="Nightly")
    run_id = make_run(session, job, now=NOW, schedule_id=schedule.id, slot_at=NOW)
    ledger.start(session, run_id=run_id, worker="w", lease_until=NOW, now=NOW)
    here = {"organization_id": organization_id}
    session.add(LogLine(run_id=run_id, number=1, token=1, level="info", text="hello", at=NOW, **here))
    session.add(
        Gap(schedule_id=schedule.id, first_slot_at=NOW, last_slot_at=NOW, slots=1, reason="paused", at=NOW, **here)
    )
    session.add(ScheduleVersion(schedule_id=schedule.id, version=1, at=NOW, by=name, says={"name": name}, **here))
    session.add(
        Secret(owner_kind="job", owner_id=job.id, field="f", sealed="sealed", key_id="k", created_at=NOW, **here)
    )
    view = {"list_name": "runs", "name": f"Of {name}", "query": {"q": name}, "created_by": name, "created_at": NOW}
    session.add(SavedView(user_id=member.user_id, **view, **here))
    ends = {"succeeded": 1, "retried": 0, "failed": 0, "missed": 0, "skipped": 0, "cancelled": 0}
    session.add(RunHour(subject_id=schedule.id, hour=498_000, **ends, **here))
    session.add(RunHourMark(counted_until=NOW, **here))
    chosen = {"actor": member.actor, "family": "schedules", "object_ids": [schedule.id], "now": NOW}
    select_objects(session, **chosen)
    furnish_figures(session, organization_id)
    furnish_notifications(session, organization_id, event_id=organization_id.int % 1_000_000_007)
    session.add(WatchMark(watch="late", subject="1", at=NOW, **here))
    session.add(QueueMinute(queue="code", minute=29_880_000, waiting=1, ended=1, **here))
    append_event(session, topic=Topic.RUNS, kind="run.ready", subject_id=run_id, now=NOW, **here)
    record(
        session, actor=member.actor, action="x", subject_kind="job", subject_id=job.id, summary="did something", now=NOW
    )
    return organization_id


def furnish_figures(session: Session, organization_id: UUID) -> None:
    """A connection, and one row of everything that is landed."""
    connection = make_connection(session, organization_id)
    here = {"organization_id": organization_id, "connection_id": connection.id}
    figure = {"level": "campaign", "metric": "clicks", "day": NOW.date(), "entity_id": "1", "run_id": new_id()}
    source = {"flags": "", "api_version": "v1", "mapping_version": 1, "fetched_at": NOW}
    moments = {"first_landed_at": NOW, "changed_at": NOW}
    session.add(LandedFigure(value=Decimal(1), **figure, **source, **moments, **here))
    session.add(LandedEntity(level="campaign", entity_id="1", name="Autumn", **here))
    session.add(FigureChange(new_value=Decimal(1), at=NOW, **figure, **here))
    session.add(StreamState(name="campaigns", level="campaign", **here))
    days = {"first_day": NOW.date(), "last_day": NOW.date(), "days": 1}
    counts = {"rows_seen": 1, "rows_changed": 1}
    session.add(ConnectionTest(at=NOW, by="Ada", is_good=True, words="ok", milliseconds=5, **here))
    session.add(Landing(stream="campaigns", landed_at=NOW, run_id=new_id(), **days, **counts, **source, **here))
    furnish_shop(session, here)
    session.flush()


def furnish_notifications(session: Session, organization_id: UUID, *, event_id: int) -> None:
    """A channel, a rule, an incident, and one row of everything that goes with them."""
    here = {"organization_id": organization_id}
    moments = {"created_at": NOW, "updated_at": NOW}
    channel = Channel(id=new_id(), name="Ops", kind="webhook", settings={}, **moments, **here)
    rule_id, scope = new_id(), {"scope_kind": "organization", "scope_value": None}
    incident = Incident(
        id=new_id(), cause_key="schedule:1", type="run_failed", title="Nightly fails", state="open", opened_at=NOW,
        last_at=NOW, happened=1, subject_kind="schedule", facts={}, **here,
    )  # fmt: skip
    session.add_all([channel, incident])
    session.flush()
    session.add(Rule(id=rule_id, types=["run_failed"], channel_ids=[str(channel.id)], **scope, **moments, **here))
    session.add(NotifySettings(quiet_lets_through=[], summary_channel_ids=[], texts={}, updated_at=NOW, **here))
    session.add(MaintenanceWindow(starts_at=NOW, ends_at=NOW, made_by="Ada", created_at=NOW, **scope, **here))
    of_it = {"incident_id": incident.id, **here}
    session.add(IncidentEntry(at=NOW, kind="opened", **of_it))
    about = {"subject_id": new_id(), "subject_kind": "schedule"}
    session.add(IncidentSubject(failures=1, last_at=NOW, is_in_trouble=True, **about, **of_it))
    to = {"channel_id": channel.id, "rule_id": rule_id, **of_it}
    session.add(Telling(cause_key="schedule:1", touched_at=NOW, **to))
    what = {"kind": "opened", "type": "run_failed", "key": "1", "facts": {}, "state": "pending"}
    session.add(Delivery(next_try_at=NOW, created_at=NOW, **what, **to))
    session.add(BadEvent(event_id=event_id, kind="run.failed", problem="unreadable", at=NOW, **here))
    session.flush()


def furnish_shop(session: Session, here: dict[str, UUID]) -> None:
    """An order and what was sold by it."""
    moments = {"created_at": NOW, "processed_at": NOW, "updated_at": NOW, "changed_at": NOW}
    session.add(ShopOrder(order_id="Order/1", is_test=False, processed_day=NOW.date(), **moments, **here))
    session.flush()
    words = {
        "agreement_id": "OrderAgreement/1",
        "reason": "ORDER",
        "action": "ORDER",
        "line_type": "PRODUCT",
        "is_test": False,
    }
    amounts = {"amount": Decimal(12), "tax": Decimal(2), "discount": Decimal(0), "currency": "EUR"}
    at = {"happened_at": NOW, "day": NOW.date(), "changed_at": NOW}
    session.add(ShopSale(sale_id="ProductSale/1", order_id="Order/1", **words, **amounts, **at, **here))


@pytest.fixture
def engine() -> str:
    """SQLite has no row-level security: there the application's own scoping stands alone, and has its own tests."""
    return "postgresql"


@pytest.fixture
def installation(database: OpenDatabase) -> Installation:
    with database.transaction() as session:
        ours, theirs = furnish(session, "ours"), furnish(session, "theirs")
    return Installation(database, database.owner.write, ours, theirs)
