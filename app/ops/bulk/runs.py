"""What can be done to many runs of the queue at once. Each by the command that does it to one, with its own audit."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.events.service import Topic
from app.ops.bulk.kinds import BulkKind, Deed, Family, Outcome
from app.runs import service as runs
from app.runs.queries import run_names
from app.tenants.access import Permission

# More at once would be the next outage of whatever they call.
PACED_ABOVE = 50
PER_MINUTE = 10
# Nobody takes so many off the list by a slip of the hand.
TYPED_ABOVE = 100


def _names_of(session: Session, organization_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    return run_names(session, organization_id=organization_id, run_ids=ids)


RUNS = Family("runs", "run", "runs", Topic.RUNS, Permission.MANAGE_QUEUE, _names_of)


def _retry(session: Session, deed: Deed) -> Outcome:
    return Outcome(result_id=runs.retry_run(session, actor=deed.actor, run_id=deed.object_id, now=deed.now))


def _remove(session: Session, deed: Deed) -> Outcome:
    runs.remove_run(session, actor=deed.actor, run_id=deed.object_id, now=deed.now)
    return Outcome()


def _kind(name: str, button: str, past: str, **more: Any) -> BulkKind:
    facts: dict[str, Any] = {"permission": Permission.MANAGE_QUEUE, "makes_runs": True} | more
    title = f"{button} {{things}}"
    return BulkKind(f"runs.{name}", RUNS, button=button, title=title, past=f"{{things}} {past}", **facts)


RUN_KINDS = (
    _kind("retry", "Retry", "retried", do=_retry, paced_above=PACED_ABOVE, per_minute=PER_MINUTE),
    _kind("remove", "Remove", "removed", do=_remove, typed_above=TYPED_ABOVE),
)
