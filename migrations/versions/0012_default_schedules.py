"""Sync jobs and default schedules of the services, for organizations that exist. One short write for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

SERVICES = {"meta": "Meta sync", "ga4": "Google Analytics sync", "shopify": "Shopify sync"}
HELD_BACK = ("organizations", "jobs", "schedules", "runs", "gaps")

organizations = sa.table("organizations", sa.column("id", sa.Uuid()), sa.column("is_system", sa.Boolean()))
jobs = sa.table(
    "jobs",
    sa.column("id", sa.Uuid()),
    sa.column("organization_id", sa.Uuid()),
    sa.column("name", sa.String()),
    sa.column("description", sa.Text()),
    sa.column("kind", sa.String()),
    sa.column("service", sa.String()),
    sa.column("definition", sa.JSON()),
    sa.column("revision", sa.Integer()),
    sa.column("tries", sa.Integer()),
    sa.column("retry_delay_seconds", sa.Integer()),
    sa.column("retry_backoff", sa.String()),
    sa.column("time_limit_seconds", sa.Integer()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("updated_at", sa.DateTime(timezone=True)),
    sa.column("deleted_at", sa.DateTime(timezone=True)),
)
schedules = sa.table(
    "schedules",
    sa.column("id", sa.Uuid()),
    sa.column("organization_id", sa.Uuid()),
    sa.column("job_id", sa.Uuid()),
    sa.column("name", sa.String()),
    sa.column("cron", sa.String()),
    sa.column("timezone", sa.String()),
    sa.column("spread_key", sa.String()),
    sa.column("clock_change", sa.String()),
    sa.column("overlap", sa.String()),
    sa.column("missed", sa.String()),
    sa.column("missed_max_age_seconds", sa.Integer()),
    sa.column("enabled", sa.Boolean()),
    sa.column("next_run_at", sa.DateTime(timezone=True)),
    sa.column("default_for", sa.String()),
    sa.column("version", sa.Integer()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("updated_at", sa.DateTime(timezone=True)),
    sa.column("deleted_at", sa.DateTime(timezone=True)),
)

runs = sa.table("runs", sa.column("job_id", sa.Uuid()))
gaps = sa.table("gaps", sa.column("schedule_id", sa.Uuid()))


def upgrade() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with _unhindered():
        query = sa.select(organizations.c.id).where(sa.not_(organizations.c.is_system))
        for organization_id in op.get_bind().execute(query).scalars().all():
            for service, name in SERVICES.items():
                _give(organization_id, service, name, now)


def downgrade() -> None:
    syncs = sa.select(jobs.c.id).where(jobs.c.kind == "sync")
    theirs = sa.select(schedules.c.id).where(schedules.c.job_id.in_(syncs))
    with _unhindered():
        op.execute(runs.delete().where(runs.c.job_id.in_(syncs)))
        op.execute(gaps.delete().where(gaps.c.schedule_id.in_(theirs)))
        op.execute(schedules.delete().where(schedules.c.job_id.in_(syncs)))
        op.execute(jobs.delete().where(jobs.c.kind == "sync"))


def _give(organization_id: UUID, service: str, name: str, now: datetime) -> None:
    job_id = uuid4()
    common: dict[str, Any] = {"organization_id": organization_id, "created_at": now, "updated_at": now}
    job = {
        "id": job_id,
        "name": _free_name(jobs, organization_id, name),
        "description": "",
        "kind": "sync",
        "service": service,
        "definition": {"service": service},
        "revision": 1,
        "tries": 3,
        "retry_delay_seconds": 600,
        "retry_backoff": "fixed",
        "time_limit_seconds": 3600,
    }
    schedule = {
        "id": uuid4(),
        "job_id": job_id,
        "name": _free_name(schedules, organization_id, name),
        "cron": "0 2 * * *",
        "timezone": "UTC",
        "spread_key": uuid4().hex,
        "clock_change": "once",
        "overlap": "skip",
        "missed": "latest",
        "missed_max_age_seconds": 86_400,
        "enabled": False,
        "next_run_at": _two_o_clock_after(now),
        "default_for": service,
        "version": 1,
    }
    op.bulk_insert(jobs, [job | common])
    op.bulk_insert(schedules, [schedule | common])


def _free_name(table: Any, organization_id: UUID, name: str) -> str:
    here = sa.and_(table.c.organization_id == organization_id, table.c.deleted_at.is_(None))
    taken = set(op.get_bind().execute(sa.select(table.c.name).where(here)).scalars())
    candidates = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _two_o_clock_after(now: datetime) -> datetime:
    today = now.replace(hour=2, minute=0, second=0)
    return today if today > now else today + timedelta(days=1)


@contextmanager
def _unhindered() -> Iterator[None]:
    """Let the owner of the tables see every organization's rows, where policies hold it back like everybody else."""
    bind = op.get_bind()
    forced: list[str] = []
    if bind.dialect.name == "postgresql":
        query = sa.text("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relname = ANY(:names)")
        forced = list(bind.execute(query, {"names": list(HELD_BACK)}).scalars())
    for name in forced:
        op.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    yield
    for name in forced:
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
