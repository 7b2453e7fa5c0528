"""Answers “why?” for one schedule or one run: the facts are read, and judged. Writes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ops.heartbeats import ProcessRow, list_processes
from app.ops.why.crew import Crew
from app.ops.why.facts import RunFacts, Traffic
from app.ops.why.of_runs import why_run_waits
from app.ops.why.of_schedules import why_schedule_waits
from app.ops.why.reasons import Telling, Why
from app.ops.why.run_reads import columns_of_run, facts_of_run, with_surroundings
from app.ops.why.schedule_reads import read_schedule_facts
from app.ops.why.traffic import read_traffic
from app.runs.models import Run
from app.runs.queries import RunNotFound
from app.runs.states import RunState


def why_run(session: Session, *, organization_id: UUID, run_id: UUID, telling: Telling) -> Why:
    """Why a run waits, or what became of it. Raises RunNotFound, also for a run of somebody else."""
    run = _read_run(session, organization_id, run_id, telling.now)
    crew = Crew(list_processes(session, now=telling.now, with_ended=True), telling.now)
    traffic = read_traffic(session, queues=_queues_of([run]), now=telling.now)
    return why_run_waits(run, crew, _traffic_around(run, traffic), telling)


def why_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID, telling: Telling) -> Why:
    """Why a schedule did not run, or when it will. Raises ScheduleNotFound, also for one of somebody else."""
    found = why_schedules(session, organization_id=organization_id, schedule_ids=[schedule_id], telling=telling)
    return found[schedule_id]


def why_schedules(
    session: Session,
    *,
    organization_id: UUID,
    schedule_ids: Sequence[UUID],
    telling: Telling,
    processes: Sequence[ProcessRow] | None = None,
) -> dict[UUID, Why]:
    """The same of a few; a long list is not to be asked about.

    `processes` are those heard of, with those that signed off, where they are known already.
    """
    now = telling.now
    heard_of = list_processes(session, now=now, with_ended=True) if processes is None else processes
    crew = Crew(heard_of, now)
    facts = read_schedule_facts(session, organization_id=organization_id, schedule_ids=schedule_ids, now=now)
    traffic = read_traffic(session, queues=_queues_of([each.run for each in facts.values()]), now=now)
    return {
        schedule_id: why_schedule_waits(each, crew, _traffic_around(each.run, traffic), telling)
        for schedule_id, each in facts.items()
    }


def _read_run(session: Session, organization_id: UUID, run_id: UUID, now: datetime) -> RunFacts:
    query = select(*columns_of_run(now)).select_from(Run)
    query = query.where(Run.id == run_id, Run.organization_id == organization_id)
    found = session.execute(with_surroundings(query)).one_or_none()
    if found is None:
        raise RunNotFound("There is no such run here. It may have been cleaned up.")
    return facts_of_run(found)


def _queues_of(runs: Sequence[RunFacts | None]) -> list[str]:
    # Only what is in line depends on what others do.
    return sorted({run.queue for run in runs if run is not None and run.state is RunState.READY})


def _traffic_around(run: RunFacts | None, traffic: Mapping[str, Traffic]) -> Traffic:
    return Traffic() if run is None or run.state is not RunState.READY else traffic[run.queue]
