"""`/schedules/{id}/slots`: what became of every slot of a schedule on one day."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, request
from pydantic import Field

from app.api.models import Answer, Moment, Query
from app.api.resource import resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.slots.csv_text import csv_text
from app.ops.slots.days import read_day
from app.ops.slots.ledger import SlotLedger, read_ledger
from app.ops.slots.outcomes import SlotOutcome, SlotRow
from app.runs.states import RunState, Trigger
from app.schedules.queries import get_schedule
from app.tenants.access import Permission

_LONGEST_DAY = 32


class SlotFormat(StrEnum):
    """How the answer is written."""

    JSON = "json"
    CSV = "csv"


class SlotQuery(Query):
    """Which day, which of its slots, and how they are written."""

    day: Annotated[
        str | None,
        Field(
            max_length=_LONGEST_DAY,
            description="By the schedule's own clock, as 2026-11-20; today up to now, unless given.",
            examples=["2026-11-20"],
        ),
    ] = None
    outcome: Annotated[
        SlotOutcome | None, Field(description="Only these slots; `expected` and `counts` stay those of the day.")
    ] = None
    format: Annotated[
        SlotFormat | None, Field(description="`csv` for a file of one slot a line, as with `Accept: text/csv`.")
    ] = None


class SlotRunOut(Answer):
    """The run of a slot."""

    id: UUID
    state: RunState
    trigger: Trigger
    attempt: int
    started_at: Moment | None
    finished_at: Moment | None
    late_seconds: Annotated[float | None, Field(description="How long after its time it started.")]
    duration_seconds: float | None


class SlotOut(Answer):
    """A slot and its one outcome."""

    slot_at: Moment
    local: Annotated[str, Field(description="ISO 8601 with the offset of that day.")]
    outcome: SlotOutcome
    reason: str
    run: SlotRunOut | None


class SlotsOut(Answer):
    """The slots of a day."""

    day: date
    timezone: str
    until: Annotated[Moment, Field(description="Up to when slots are listed: the end of the day, or now.")]
    expected: Annotated[int, Field(description="How many slots the rhythm had; the counts add up to it.")]
    counts: Annotated[dict[str, int], Field(description="How many slots have which outcome.")]
    is_sure: Annotated[
        bool,
        Field(description="False where what the schedule said then is not kept: only recorded slots are listed then."),
    ]
    slots: list[SlotOut]
    extra: Annotated[
        list[SlotOut], Field(description="Runs of other times, from before a clock or the rules of the zone changed.")
    ]


@resource(
    "GET",
    "/schedules/<uuid:schedule_id>/slots",
    permission=Permission.VIEW,
    query=SlotQuery,
    answer=SlotsOut,
    has_csv=True,
    tag="Schedules",
)
def show_schedule_slots(schedule_id: UUID, query: SlotQuery) -> SlotsOut | Response:
    """What became of every slot of a day: its run, or why there was none. All of them, however many."""
    session, now = request_session(), request_now()
    row = get_schedule(session, organization_id=current_actor().organization_id, schedule_id=schedule_id)
    day = read_day(query.day, zone=row.timezone, now=now)
    ledger = read_ledger(session, schedule=row, day=day, kept_days=runtime().settings.retention_days, now=now)
    if _wants_csv(query):
        return _csv_file(ledger, query.outcome, schedule_id)
    return _shown(ledger, query.outcome)


def _wants_csv(query: SlotQuery) -> bool:
    if query.format is not None:
        return query.format is SlotFormat.CSV
    accepted = request.accept_mimetypes
    return accepted.best_match(["application/json", "text/csv"], default="application/json") == "text/csv"


def _csv_file(ledger: SlotLedger, outcome: SlotOutcome | None, schedule_id: UUID) -> Response:
    response = Response(csv_text(ledger, outcome), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="slots-{schedule_id}-{ledger.day.on}.csv"'
    response.vary.add("Accept")
    return response


def _shown(ledger: SlotLedger, outcome: SlotOutcome | None) -> SlotsOut:
    zone = ZoneInfo(ledger.day.zone)
    return SlotsOut(
        day=ledger.day.on,
        timezone=ledger.day.zone,
        until=ledger.until,
        expected=len(ledger.rows),
        counts={outcome.value: count for outcome, count in ledger.counts.items()},
        is_sure=not ledger.unknown,
        slots=[_slot(row, zone) for row in ledger.chosen(outcome)],
        extra=[_slot(row, zone) for row in ledger.extras],
    )


def _slot(row: SlotRow, zone: ZoneInfo) -> SlotOut:
    local = row.slot_at.astimezone(zone).isoformat()
    return SlotOut(slot_at=row.slot_at, local=local, outcome=row.outcome, reason=row.reason, run=_run(row))


def _run(row: SlotRow) -> SlotRunOut | None:
    run = row.run
    if run is None:
        return None
    late, took = (None if each is None else each.total_seconds() for each in (run.lateness, run.duration))
    return SlotRunOut(
        id=run.id,
        state=run.state,
        trigger=run.trigger,
        attempt=run.attempt,
        started_at=run.started_at,
        finished_at=run.finished_at,
        late_seconds=late,
        duration_seconds=took,
    )
