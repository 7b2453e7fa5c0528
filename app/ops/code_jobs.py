"""Functions for code jobs that look after the installation itself: clean-up of old runs, and a check of all parts."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.core.db import Database
from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import ENGINE, NOBODY, Scope
from app.jobs.kinds.base import Level
from app.jobs.kinds.code.catalog import job
from app.jobs.kinds.code.context import FunctionContext, JobFailed
from app.ops.heartbeats import GONE_AFTER, ProcessRow, list_processes
from app.ops.old_runs import delete_runs_in_batches
from app.vault.service import erase_retired

LEAST_FREE_SHARE = 0.05
MOST_CLOCK_DIFFERENCE = timedelta(seconds=2)

Check = Callable[[Settings, Database], str | None]


class CleanUpArguments(BaseModel):
    """How much of the past to keep."""

    days: int = Field(
        default=90, ge=1, le=3_650, title="Days to keep", description="Runs that ended before that are deleted."
    )


class NoArguments(BaseModel):
    """There is nothing to say."""


@job(
    "clean_up_runs",
    title="Clean up old runs",
    summary="Deletes this organization's finished runs that are older than a number of days, with their logs.",
    idempotent=True,
)
def clean_up_runs(context: FunctionContext, arguments: CleanUpArguments) -> dict[str, Any]:
    """Delete in small transactions until nothing is left to delete."""
    with _opened(context) as database:
        with database.reading(NOBODY) as session:
            now = DatabaseClock().now(session)
        before = now - timedelta(days=arguments.days)
        context.log(f"Deleting runs that ended before {before:%Y-%m-%d %H:%M} UTC.")
        deleted = delete_runs_in_batches(database, organization_id=context.organization_id, before=before, now=now).runs
        context.log(f"Deleted {deleted:,} runs.")
        _erase_secrets(database, context, before)
    return {"deleted": deleted}


def _erase_secrets(database: Database, context: FunctionContext, before: datetime) -> None:
    """Erase sealed values that were taken out of use before an instant. By then, no run waits that needs one."""
    with database.transaction(Scope.tenant(context.organization_id)) as session:
        erased = erase_retired(session, organization_id=context.organization_id, before=before)
    if erased:
        context.log(f"Sealed values out of use, erased: {erased:,}.")


@job(
    "self_check",
    title="Check this installation",
    summary="Looks at database, tables, scheduler, workers, disk and clock, and fails naming whatever is wrong.",
    idempotent=True,
    platform_only=True,
)
def self_check(context: FunctionContext, _arguments: NoArguments) -> dict[str, Any]:
    """Make every check, also after one that failed. Raises JobFailed with a sentence for each that did."""
    with _opened(context) as database:
        found = {name: _look(name, check, context, database) for name, check in CHECKS.items()}
    problems = [f"{name}: {problem.rstrip('.')}." for name, problem in found.items() if problem is not None]
    if problems:
        raise JobFailed(f"{len(problems)} of {len(CHECKS)} checks failed. {' '.join(problems)}")
    return {"checks": list(CHECKS)}


@contextmanager
def _opened(context: FunctionContext) -> Iterator[Database]:
    database = context.open_database()
    try:
        yield database
    finally:
        database.dispose()


def _look(name: str, check: Check, context: FunctionContext, database: Database) -> str | None:
    problem = _problem(check, context.settings, database)
    context.log(f"{name}: {problem or 'fine.'}", Level.INFO if problem is None else Level.ERROR)
    return problem


def _problem(check: Check, settings: Settings, database: Database) -> str | None:
    try:
        return check(settings, database)
    except SQLAlchemyError as error:
        return f"The database did not answer ({type(error).__name__})."
    except OSError as error:
        return f"It could not be looked at: {error.strerror}."


def _check_database(_settings: Settings, database: Database) -> str | None:
    with database.reading(NOBODY) as session:
        session.execute(text("SELECT 1"))
    return None


def _check_integrity(_settings: Settings, database: Database) -> str | None:
    if database.read.dialect.name != "sqlite":
        return None
    with database.reading(NOBODY) as session:
        found = session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    return None if found == "ok" else f"The database file is damaged: {found}. Restore it from a backup."


def _check_schema(_settings: Settings, database: Database) -> str | None:
    return SchemaGate(database, expected=newest_migration()).sentence()


def _check_scheduler(_settings: Settings, database: Database) -> str | None:
    if any(process.schedules for process in _heard_of_lately(database)):
        return None
    return _silence("scheduler")


def _check_workers(_settings: Settings, database: Database) -> str | None:
    if any(process.slots for process in _heard_of_lately(database)):
        return None
    return _silence("worker")


def _check_disk(settings: Settings, _database: Database) -> str | None:
    usage = shutil.disk_usage(settings.data_dir)
    share = usage.free / usage.total
    if share >= LEAST_FREE_SHARE:
        return None
    return f"Only {share:.1%} of the disk under {settings.data_dir} is free. Make room."


def _check_clock(_settings: Settings, database: Database) -> str | None:
    with database.reading(NOBODY) as session:
        difference = abs(DatabaseClock().now(session) - datetime.now(UTC))
    if difference <= MOST_CLOCK_DIFFERENCE:
        return None
    return f"This machine and the database differ by {difference.total_seconds():.1f} s. Synchronise their clocks."


def _heard_of_lately(database: Database) -> list[ProcessRow]:
    with database.reading(ENGINE) as session:
        now = DatabaseClock().now(session)
        return [row for row in list_processes(session, now=now) if now - row.beat_at <= GONE_AFTER]


def _silence(what: str) -> str:
    return f"No {what} has reported within {GONE_AFTER.total_seconds():.0f} seconds. Start one with: belfry {what}"


CHECKS: dict[str, Check] = {
    "Database": _check_database,
    "Integrity": _check_integrity,
    "Tables": _check_schema,
    "Scheduler": _check_scheduler,
    "Workers": _check_workers,
    "Disk": _check_disk,
    "Clock": _check_clock,
}
