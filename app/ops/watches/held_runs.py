"""Runs in the hands of workers that take longer than usual, or look stuck."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.questions import ask_together, is_postgres
from app.events.service import Topic
from app.ops.heartbeats import ProcessRow
from app.ops.stuck_runs import StuckEvidence, evidence_of
from app.ops.watches.marks import Happening, Look, Subject, Watch
from app.runs.stuck_reads import MOST_HELD, Held, held_runs, lengths_of_held

# Nobody is told of less, and of no run that takes less than twice what nearly all runs of its job took.
LEAST_LONGER = timedelta(minutes=2)
_TIMES_LONGER = 2


def look_at_held(session: Session, processes: Collection[ProcessRow], *, now: datetime) -> tuple[Look, Look]:
    """Those that take longer, and those that look stuck. One statement.

    `processes` are all that were heard of within the last day, also those that ended.
    """
    which = Held(None, None, long_since=now - LEAST_LONGER)
    held, lengths = ask_together(session, held_runs(which), lengths_of_held(which, asks_postgres=is_postgres(session)))
    found = evidence_of(held, lengths, processes=processes, now=now)
    is_all = len(held) < MOST_HELD
    stuck = [one for one in found.values() if one.is_stuck]
    longer = [one for one in found.values() if not one.is_stuck and is_longer(one)]
    return (
        Look(Watch.LONGER, {_subject(one): _told_longer(one) for one in longer}, is_all),
        Look(Watch.STUCK, {_subject(one): _told(one, "run.stuck") for one in stuck}, is_all),
    )


def is_longer(one: StuckEvidence) -> bool:
    """Whether it takes longer than usual; never where nobody knows what is."""
    return one.length is not None and one.ran > max(_TIMES_LONGER * one.length.p95, LEAST_LONGER)


def _subject(one: StuckEvidence) -> Subject:
    # A second try of the same run may be stuck anew.
    return Subject(one.held.organization_id, f"{one.held.run_id}:{one.held.token}")


def _told(one: StuckEvidence, kind: str, **more: float) -> Happening:
    return Happening(Topic.RUNS, kind, one.held.run_id, {"text": one.words, **more})


def _told_longer(one: StuckEvidence) -> Happening:
    assert one.length is not None
    usual, took = one.length.typical.total_seconds(), one.ran.total_seconds()
    return _told(one, "run.longer", usual_seconds=round(usual, 3), seconds=round(took, 3))
