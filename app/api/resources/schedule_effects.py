"""`/schedules/{id}/effects`: what an edit, a switch or a deletion would do, before anybody does it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from app.api.missed_shapes import MissedSlotsOut, MissedWhilePaused
from app.api.models import Answer, Moment, Query
from app.api.resource import resource
from app.api.resources.schedule_previews import Count, NextRun
from app.api.resources.schedule_versions import FieldChange, field_change
from app.api.schedule_shapes import ScheduleChanges
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session
from app.ops.schedule_effects import Action
from app.ops.schedule_foresight import (
    Foresight,
    Onlooker,
    foresee_deletion,
    foresee_edit,
    foresee_restore,
    foresee_switch,
)
from app.runs.foreseen import Foreseen
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.slot_accounts import MissedSlots
from app.schedules.versions import get_version
from app.tenants.access import Permission

_TAG = "Schedules"
_PATH = "/schedules/<uuid:schedule_id>/effects"
_NEXT_RUNS = 5


class EffectsQuery(Query):
    """How far to look ahead, and what would be said about missed slots."""

    count: Count = _NEXT_RUNS
    missed: MissedWhilePaused = Missed.SKIP


class ProposedChanges(ScheduleChanges):
    """The body that `PATCH` would get."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron": "30 2 * * 1-5"}]})


class ForeseenOut(Answer):
    """Slots and what would become of them."""

    slots: int
    first: Moment
    last: Moment
    runs: Annotated[list[Moment], Field(description="Those that would run, now or in their turn.")]
    skipped: Annotated[list[Moment], Field(description="Those that would be skipped; `why_skipped` says why.")]
    why_skipped: str | None
    lost: Annotated[MissedSlotsOut | None, Field(description="Those that would stay without a run, in a gap.")]


class EffectOut(Answer):
    """What one command would do. With `refused` it would do nothing."""

    action: Action
    refused: Annotated[str | None, Field(description="Why it would be refused; then everything else is empty.")]
    lines: Annotated[list[str], Field(description="All of it in words, as the pages say it.")]
    changes: Annotated[list[FieldChange], Field(description="What an edit would make another one.")]
    before: Annotated[list[NextRun], Field(description="Its next runs as it is; none where it is off.")]
    after: Annotated[list[NextRun], Field(description="Its next runs afterwards; none where it is off or gone.")]
    due: Annotated[ForeseenOut | None, Field(description="Slots that are due; they go by what it says until then.")]
    missed: Annotated[
        ForeseenOut | None,
        Field(
            description="Slots that passed while it was off, if this enables it; if it stays off and gets other times, "
            "those about which nobody can decide any more."
        ),
    ]
    unreadable: Annotated[
        MissedSlotsOut | None, Field(description="Slots that passed while it could not be read: recorded as missed.")
    ]
    waiting: Annotated[int, Field(description="Its runs that have not started.")]
    running: Annotated[int, Field(description="Its runs that go on; they end by themselves, or are `asked_to_stop`.")]
    cancelled: Annotated[int, Field(description="How many runs end with it before they start.")]
    asked_to_stop: Annotated[
        int, Field(description="How many runs that go on are asked to stop, because that of a slot takes their place.")
    ]


class EffectsOut(Answer):
    """What each of these commands would do."""

    resume: EffectOut
    pause: EffectOut
    delete: EffectOut


@resource("GET", _PATH, permission=Permission.VIEW, query=EffectsQuery, answer=EffectsOut, tag=_TAG)
def show_schedule_effects(schedule_id: UUID, query: EffectsQuery) -> EffectsOut:
    """Say what switching a schedule on or off, and deleting it, would do: what runs, what is skipped, what is lost."""
    session, row, by = request_session(), _schedule(schedule_id), _onlooker(query.count)
    return EffectsOut(
        resume=_shown(foresee_switch(session, row, is_on=True, by=by, missed=query.missed)),
        pause=_shown(foresee_switch(session, row, is_on=False, by=by)),
        delete=_shown(foresee_deletion(session, row, by=by)),
    )


@resource(
    "POST",
    _PATH,
    permission=Permission.VIEW,
    body=ProposedChanges,
    answer=EffectOut,
    is_reading=True,
    may_conflict=True,
    tag=_TAG,
)
def preview_schedule_changes(schedule_id: UUID, body: ProposedChanges) -> EffectOut:
    """Say what a change would do, without doing it. What the change would be refused for, this is refused for."""
    row = _schedule(schedule_id)
    found = foresee_edit(
        request_session(), row, draft=body.draft(row), version=body.seen_version(row), by=_onlooker(_NEXT_RUNS),
        missed=body.missed_while_paused, seen=body.seen,
    )  # fmt: skip
    return _shown(found)


@resource(
    "GET",
    "/schedules/<uuid:schedule_id>/versions/<int:number>/effects",
    permission=Permission.VIEW,
    answer=EffectOut,
    tag=_TAG,
)
def show_restore_effects(schedule_id: UUID, number: int) -> EffectOut:
    """Say what restoring a version would do: what it changes, its next runs now and then, and what becomes of runs."""
    session, row = request_session(), _schedule(schedule_id)
    version = get_version(session, organization_id=row.organization_id, schedule_id=row.id, number=number)
    return _shown(foresee_restore(session, row, version=version, by=_onlooker(_NEXT_RUNS)))


def _schedule(schedule_id: UUID) -> ScheduleRow:
    return get_schedule(request_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)


def _onlooker(count: int) -> Onlooker:
    return Onlooker(current_person().timezone, request_now(), count)


def _shown(found: Foresight) -> EffectOut:
    effect = found.effect
    standing = None if effect is None else effect.standing
    return EffectOut(
        action=found.action,
        refused=None if found.refused is None else found.refused.message,
        lines=list(found.lines),
        changes=[field_change(change, words) for change, words in found.changes],
        before=[] if effect is None else _runs(effect.before, effect.zone_before),
        after=[] if effect is None else _runs(effect.after, effect.zone_after),
        due=None if standing is None else _foreseen(standing.due),
        missed=None if effect is None else _foreseen(effect.missed),
        unreadable=None if effect is None or effect.unreadable is None else _slots(effect.unreadable),
        waiting=0 if standing is None else standing.waiting,
        running=0 if standing is None else standing.running,
        cancelled=0 if effect is None else effect.cancelled,
        asked_to_stop=0 if effect is None else effect.asked_to_stop,
    )


def _runs(found: tuple[datetime, ...], zone: str) -> list[NextRun]:
    return [NextRun(at=at, local=at.astimezone(ZoneInfo(zone)).isoformat()) for at in found]


def _slots(found: MissedSlots) -> MissedSlotsOut:
    return MissedSlotsOut(count=found.count, first=found.first, last=found.last)


def _foreseen(found: Foreseen | None) -> ForeseenOut | None:
    if found is None:
        return None
    return ForeseenOut(
        slots=found.count,
        first=found.first,
        last=found.last,
        runs=list(found.runs),
        skipped=list(found.skipped),
        why_skipped=found.why_skipped,
        lost=None if found.lost is None else _slots(found.lost),
    )
