"""Keeps the attempts of one worker: renews leases, writes what they say, passes on cancels. A thread of its own."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from app.core.clock import Clock
from app.core.db import OUTAGES, Database
from app.core.deadline import Deadline, boot_seconds
from app.core.scopes import ENGINE, Scope
from app.core.troubles import Trouble
from app.runs import claims, ledger, logs
from app.runs.attempts import LiveAttempt
from app.runs.claims import DoubtfulClaim, LeaseTerms
from app.runs.progress import write_progress

log = logging.getLogger(__name__)

# Lines reach the page about this fast.
WRITE_LOGS_SECONDS = 0.5
# How often it is looked whether attempts are to stop, are slow, or have come further. A little less than a second, so
# that it falls on every second pass.
LOOK_SECONDS = 0.9
# What ends sooner is never looked for. Whoever cancels waits for so long and one look at most.
YOUNG_SECONDS = 0.4


class Keeper:
    """Looks after every attempt that was handed in by `keeping`."""

    def __init__(self, *, database: Database, clock: Clock, terms: LeaseTerms, heartbeat_seconds: int) -> None:
        self._database = database
        self._clock = clock
        self._terms = terms
        self._heartbeat_seconds = heartbeat_seconds
        self._attempts: dict[UUID, LiveAttempt] = {}
        self._claiming: set[UUID] = set()
        self._doubts: list[DoubtfulClaim] = []
        # Not written when they were looked at first. They keep nobody from claiming those runs.
        self._late_doubts: list[DoubtfulClaim] = []
        self._lock = threading.Lock()
        self._stop_at: Deadline | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread. Attempts that still run learn from their own clock when to stop."""
        self._closed.set()
        self._thread.join()

    def stop_attempts_after(self, seconds: float) -> None:
        """From then on, attempts that still run are told to stop, so that their runs can be handed back."""
        self._stop_at = Deadline.after(seconds)

    @property
    def is_told_to_stop(self) -> bool:
        """Whether the worker is closing, be it that attempts may still go on for a while."""
        return self._stop_at is not None

    def is_stopping(self) -> bool:
        """Whether attempts should stop because the worker does."""
        return self._stop_at is not None and self._stop_at.has_passed

    @property
    def run_ids(self) -> list[UUID]:
        """The runs in hand."""
        return [attempt.run_id for attempt in self.attempts]

    @property
    def attempts(self) -> list[LiveAttempt]:
        """The attempts in hand, at this moment."""
        with self._lock:
            return list(self._attempts.values())

    @contextmanager
    def keeping(self, attempt: LiveAttempt) -> Iterator[None]:
        """Look after an attempt for as long as the block lasts."""
        self.take_up(attempt)
        try:
            yield
        finally:
            with self._lock:
                self._attempts.pop(attempt.run_id, None)

    def take_up(self, attempt: LiveAttempt) -> None:
        """Begin to look after an attempt, before its claim counts as over: nobody is to find it without an owner."""
        with self._lock:
            self._attempts[attempt.run_id] = attempt

    @contextmanager
    def claiming(self, run_id: UUID) -> Iterator[bool]:
        """One claim of a run at a time, and none while the last one goes on or is open. Says whether it may begin."""
        with self._lock:
            is_open = run_id in self._claiming or run_id in self._attempts
            may_claim = not is_open and all(doubt.run_id != run_id for doubt in self._doubts)
            if may_claim:
                self._claiming.add(run_id)
        try:
            yield may_claim
        finally:
            if may_claim:
                with self._lock:
                    self._claiming.discard(run_id)

    def settle_later(self, doubt: DoubtfulClaim) -> None:
        """Give a run back that may have been claimed, as soon as the database answers."""
        with self._lock:
            self._doubts.append(doubt)

    def settle_doubts(self) -> None:
        """Give back what was claimed without our hearing of it. Raises while the database is away; the rest stays."""
        for doubt in list(self._doubts):
            was_claimed = not doubt.forget_at.has_passed and self._settle(doubt)
            with self._lock:
                self._doubts.remove(doubt)
                if not was_claimed:
                    self._late_doubts.append(doubt)
        for doubt in list(self._late_doubts):
            if not doubt.look_again_at.has_passed:
                continue
            # Not while this worker has the run in hand, or is about to: then that claim is the one to be found.
            with self.claiming(doubt.run_id) as is_free:
                if is_free:
                    self._settle(doubt)
                    self._late_doubts.remove(doubt)

    def _settle(self, doubt: DoubtfulClaim) -> bool:
        with self._database.transaction(ENGINE) as session:
            was_claimed = claims.settle(session, doubt=doubt, now=self._clock.now(session))
        if was_claimed:
            log.warning("unanswered claim given back", extra={"run_id": str(doubt.run_id)})
        return was_claimed

    def renew_leases(self) -> bool:
        """Renew the leases in one transaction. An attempt whose run is no longer its own is told to stop.

        Says whether it got at all of them. A row that somebody keeps locked costs no lease but its own.
        """
        held = [(attempt, claim) for attempt in self.attempts if (claim := attempt.claim) is not None]
        if not held:
            return True
        terms, safe_until = self._terms, self._terms.safe_until()
        with self._database.transaction(ENGINE) as session:
            now = self._clock.now(session)
            free = claims.lock_free_ones(session, run_ids=[attempt.run_id for attempt, _ in held])
            renewed = [
                (attempt, claims.renew(session, claim=claim, terms=terms, safe_until=safe_until, now=now))
                for attempt, claim in held
                if attempt.run_id in free
            ]
        # Only a committed renewal counts.
        for attempt, claim in renewed:
            attempt.hold(claim)
        return len(renewed) == len(held)

    def write_logs(self) -> None:
        """Write the lines that wait."""
        for attempt in self.attempts:
            lines = attempt.take_lines()
            if not lines:
                continue
            started = attempt.started
            try:
                with self._database.transaction(Scope.tenant(started.organization_id)) as session:
                    were_written = logs.append_lines(
                        session,
                        organization_id=started.organization_id,
                        run_id=started.run_id,
                        token=started.token,
                        lines=lines,
                        may_wait=False,
                    )
            except OUTAGES:
                # The database is away: later. Anything else is in the lines themselves, and stays.
                attempt.give_back(lines)
                raise
            if not were_written and attempt.claim is not None:
                # Somebody keeps the run locked: those of the others are not to wait for it.
                attempt.give_back(lines)

    def pass_on_cancels(self) -> None:
        """Tell attempts to stop whose runs were cancelled. One read for all that have been going on for a moment."""
        ours = {
            (attempt.run_id, attempt.started.token): attempt
            for attempt in self.attempts
            if attempt.age_seconds >= YOUNG_SECONDS and not attempt.is_cancelled
        }
        if not ours:
            return
        with self._database.reading(ENGINE) as session:
            asked = claims.asked_to_stop(session, run_ids=[run_id for run_id, _ in ours])
        for key in asked & ours.keys():
            ours[key].cancel()

    def tell_slow_ones(self) -> None:
        """Say of attempts that they take longer than expected, each once."""
        for attempt in [attempt for attempt in self.attempts if attempt.is_newly_slow]:
            with self._database.transaction(ENGINE) as session:
                now, started = self._clock.now(session), attempt.started
                ledger.note_slow(session, run_id=started.run_id, token=started.token, now=now)
            attempt.note_slow()

    def write_progress(self) -> None:
        """Write how far attempts have come, where that is new."""
        for attempt in self.attempts:
            said = attempt.unwritten_progress()
            if said is None:
                continue
            started = attempt.started
            with self._database.transaction(Scope.tenant(started.organization_id)) as session:
                write_progress(session, run_id=started.run_id, token=started.token, progress=said)
            # Only now: should the run end meanwhile, this comes too late, and its end writes it.
            attempt.note_progress(said)

    def _look(self) -> None:
        self.pass_on_cancels()
        self.tell_slow_ones()
        self.write_progress()

    def _loop(self) -> None:
        trouble = Trouble(log, "keeping runs")
        next_beat = boot_seconds() + self._heartbeat_seconds
        next_look = boot_seconds() + LOOK_SECONDS
        while not self._closed.wait(WRITE_LOGS_SECONDS):
            # What fails is asked again in a moment; an attempt that cannot be renewed stops by its own clock.
            with trouble.absorbing() as go:
                go.was_made = bool(self.attempts or self._doubts)
                # Leases first: a log that comes late harms nobody.
                if boot_seconds() >= next_beat and self.renew_leases():
                    next_beat = boot_seconds() + self._heartbeat_seconds
                self.settle_doubts()
                if boot_seconds() >= next_look:
                    next_look = boot_seconds() + LOOK_SECONDS
                    self._look()
                self.write_logs()
