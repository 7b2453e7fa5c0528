"""Runs that are stuck, by evidence: a silent worker, or a run far longer than it ever was. Never by age alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.core.lengths import duration
from app.core.questions import Question, ask_together, is_postgres
from app.ops.heartbeats import FORGET_AFTER, GONE_AFTER, ProcessRow, silence
from app.ops.models import Heartbeat
from app.runs.queues import Outcome, act_on_each
from app.runs.stuck_reads import Held, HeldRun, JobLength, held_runs, lengths_of_held
from app.runs.taking_away import TakenAway, take_run_away
from app.tenants.access import Actor

# Nobody is surprised by less.
LEAST_LONG = timedelta(minutes=10)
_TIMES_LONGER = 3
# Nobody is remembered for more than a day.
_ALL_BEATS = Question(select(Heartbeat.name, Heartbeat.beat_at), lambda rows: {row.name: row.beat_at for row in rows})
FREES_THE_SLOT = "Removing frees the slot; it does not stop code that may still run on {worker}."


class RunNotStuck(Conflict):
    """Nothing speaks for it that the run is stuck."""


@dataclass(frozen=True)
class StuckEvidence:
    """What speaks for and against it that a run is stuck. `beat_at` is the worker's last report, if one is known."""

    held: HeldRun
    ran: timedelta
    length: JobLength | None
    beat_at: datetime | None
    # For how long nothing was heard of the worker; None where it never reported and could not have yet.
    silent: timedelta | None

    @property
    def is_silent(self) -> bool:
        return self.silent is not None and self.silent > GONE_AFTER

    @property
    def is_long(self) -> bool:
        """Whether it takes far longer than its job ever does; never where nobody knows how long that is."""
        return self.length is not None and self.ran > max(_TIMES_LONGER * self.length.p95, LEAST_LONG)

    @property
    def is_stuck(self) -> bool:
        return self.is_silent or self.is_long

    @property
    def words(self) -> str:
        """“It has run 3 h 12 min (typical 40 s). Worker w-2 last reported 2 h 58 min ago.”"""
        typical = "typical length not known yet" if self.length is None else f"typical {duration(self.length.typical)}"
        return f"It has run {duration(self.ran)} ({typical}). Worker {self.held.worker} {self._beat_words()}."

    @property
    def caution(self) -> str:
        """What removing it does not do."""
        return FREES_THE_SLOT.format(worker=self.held.worker)

    def _beat_words(self) -> str:
        if self.beat_at is None:
            return f"has not reported within {duration(FORGET_AFTER)}" if self.is_silent else "has not reported yet"
        return f"last reported {duration(self.silent or timedelta())} ago"


def read_evidence(
    session: Session,
    *,
    organization_id: UUID | None,
    now: datetime,
    run_ids: Collection[UUID] | None = None,
    processes: Collection[ProcessRow] | None = None,
) -> dict[UUID, StuckEvidence]:
    """What is known of runs that a worker holds: of one organization or, as PLATFORM, of all. One statement.

    Of these ids, or of the thousand that run the longest. `processes` are all that were heard of within the last day,
    also those that ended, for whoever has them at hand.
    """
    asked = stuck_questions(
        organization_id=organization_id, now=now, run_ids=run_ids, asks_postgres=is_postgres(session)
    )
    *found, beats = ask_together(session, *asked, _ALL_BEATS if processes is None else None)
    return evidence_of(*found, beats=beats, processes=processes or (), now=now)


def stuck_questions(
    *, organization_id: UUID | None, now: datetime, asks_postgres: bool, run_ids: Collection[UUID] | None = None
) -> tuple[Question[list[HeldRun]], Question[dict[UUID, JobLength]]]:
    """The same as questions, whose answers `evidence_of` takes."""
    # What runs for a few minutes is not long, however short its job is.
    which = Held(organization_id, run_ids, long_since=now - LEAST_LONG if run_ids is None else None)
    return held_runs(which), lengths_of_held(which, asks_postgres=asks_postgres)


def evidence_of(
    held: Collection[HeldRun],
    lengths: Mapping[UUID, JobLength],
    *,
    processes: Collection[ProcessRow],
    now: datetime,
    beats: Mapping[str, datetime] | None = None,
) -> dict[UUID, StuckEvidence]:
    """What speaks for and against it of each of these, the longest first. `beats`, where processes are not at hand."""
    known = {row.name: row.beat_at for row in processes} if beats is None else beats
    return {run.run_id: _evidence(run, known.get(run.worker), lengths.get(run.job_id), now) for run in held}


def remove_stuck_runs(
    session: Session, *, actor: Actor, run_ids: Sequence[UUID], is_retried: bool, now: datetime
) -> tuple[Outcome, dict[UUID, TakenAway]]:
    """Take runs that are stuck from their workers; those that are not are skipped, with the reason.

    Whoever calls it dispatches after the commit. Raises RunNotFound, before anything is changed, when one of them is
    unknown or somebody else's.
    """
    taken: dict[UUID, TakenAway] = {}

    def remove(one: Actor, run_id: UUID) -> None:
        taken[run_id] = _remove(session, one, run_id, is_retried=is_retried, now=now)

    outcome = act_on_each(session, actor=actor, run_ids=run_ids, act=remove)
    return outcome, {run_id: taken[run_id] for run_id in outcome.done}


def remove_stuck_run(session: Session, *, actor: Actor, run_id: UUID, is_retried: bool, now: datetime) -> TakenAway:
    """The same with one run of the actor's own organization. Raises RunNotStuck, RunNotFound and RunMovedOn."""
    return _remove(session, actor, run_id, is_retried=is_retried, now=now)


def _remove(session: Session, actor: Actor, run_id: UUID, *, is_retried: bool, now: datetime) -> TakenAway:
    found = read_evidence(session, organization_id=actor.organization_id, now=now, run_ids=[run_id]).get(run_id)
    if found is None:
        raise RunNotStuck("This run is not running, so it is not stuck. Reload the page to see where it stands.")
    if not found.is_stuck:
        raise RunNotStuck(f"This run does not look stuck. {found.words} To stop it, cancel it.")
    return take_run_away(
        session, actor=actor, run_id=run_id, token=found.held.token, evidence=found.words, is_retried=is_retried,
        now=now,
    )  # fmt: skip


def _evidence(run: HeldRun, beat_at: datetime | None, length: JobLength | None, now: datetime) -> StuckEvidence:
    ran = max(now - run.began_at, timedelta())
    # One that never reported has been silent since it took the run.
    return StuckEvidence(run, ran, length, beat_at, ran if beat_at is None else silence(beat_at, now))
