"""Executes runs: claim, do, finish. The leases meanwhile are the keeper's."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import OUTAGES, Database
from app.core.deadline import Deadline, boot_seconds
from app.core.failures import explain, is_out_of_room
from app.core.http import OutboundClient
from app.core.lane import is_unanswered, was_refused
from app.core.patience import patiently
from app.core.scopes import ENGINE, Scope
from app.core.sealing import Sealer
from app.jobs.kinds.base import (
    AccountRests,
    AttemptLost,
    JobKinds,
    KindName,
    Level,
    LoginRefused,
    Outcome,
    OutcomeStatus,
)
from app.jobs.kinds.code.said import kind_and_words
from app.runs import chains, claims, interventions, ledger, logs
from app.runs.account_turns import key_of, let_rest, take_turns
from app.runs.attempts import LiveAttempt
from app.runs.children import ChildRuns
from app.runs.claims import Claim, LeaseTerms
from app.runs.express import Express
from app.runs.facts import ANYTHING, AttemptEnd, Started, Taking
from app.runs.holding import hold_run
from app.runs.keeper import Keeper
from app.runs.logs import NewLine
from app.runs.own_data import OwnData
from app.runs.pausing import note_login_refused
from app.runs.progress import Progress, write_progress
from app.runs.tally import Tally
from app.runs.verdicts import end_of, judge
from app.vault.service import SecretOwner, open_secret

log = logging.getLogger(__name__)

# How long to wait before asking a database again that did not take an outcome.
RETRY_WRITE_SECONDS = 0.5


@dataclass(frozen=True)
class Executor:
    """The hands of one worker process. `execute` is called from many threads at once."""

    database: Database
    kinds: JobKinds
    clock: Clock
    http: OutboundClient
    sealer: Sealer
    worker: str
    terms: LeaseTerms
    keeper: Keeper
    tally: Tally = field(default_factory=Tally)
    # From 0 to 1: where a wait falls that is spread.
    chance: Callable[[], float] = random.random
    taking: Taking = ANYTHING

    def execute(self, run_id: UUID) -> bool:
        """Claim a run and see it through. False when it was not to be had."""
        try:
            with self.keeper.claiming(run_id) as may_claim:
                attempt = self._begin(run_id) if may_claim else None
        except SQLAlchemyError:
            raise
        except Exception as error:
            # Not the database but the row: its JSON or a word in it means nothing to this version.
            log.exception("run given up", extra={"run_id": str(run_id)})
            self._give_up(run_id, error)
            return True
        if attempt is None:
            return False
        began = boot_seconds()
        with self.keeper.keeping(attempt):
            outcome = self._do(attempt)
            self.tally.note(outcome.status, seconds=boot_seconds() - began)
            self._finish(attempt, outcome)
        return True

    def _begin(self, run_id: UUID) -> LiveAttempt | None:
        claim = self._claim(run_id)
        if claim is None:
            return None
        attempt = LiveAttempt(
            claim,
            http=self.http,
            open_secret=self._open_secret,
            start_children=self._children.start,
            count_children=self._children.count,
            data=OwnData(self.database, self.clock, claim.started, patience_seconds=self.terms.seconds),
            is_stopping=self.keeper.is_stopping,
        )
        self.keeper.take_up(attempt)
        return attempt

    def hand_back(self) -> None:
        """Put down what still runs in threads, because the process ends now. What they write after that is refused.

        A function's process may take a moment longer to die than this one: were its run given away now, it could run
        twice at once. Its run waits for the end of the lease, before which the guard has ended it.
        """
        outcome = Outcome(OutcomeStatus.STOPPED, "The worker was stopped before this had ended.")
        for attempt in self.keeper.attempts:
            if attempt.started.kind is KindName.CODE:
                continue
            try:
                self._write(attempt.started, outcome, attempt.take_lines())
            except SQLAlchemyError as error:
                # A stop does not wait for a database that is away, and asking for each run would be waiting. Their
                # leases run out, and the sweep takes over.
                log.error("runs not handed back", extra={"problem": explain(error) or repr(error)})
                return

    @cached_property
    def _express(self) -> Express | None:
        """The short way, where there is one."""
        lane, lease = self.database.lane, self.terms.seconds
        if lane is None:
            return None
        return Express(lane, clock=self.clock, worker=self.worker, lease_seconds=lease, taking=self.taking)

    @cached_property
    def _children(self) -> ChildRuns:
        return ChildRuns(self.database, self.clock, self.kinds, patience_seconds=self.terms.seconds)

    def _claim(self, run_id: UUID) -> Claim | None:
        # Without an answer it is open whether the claim was written. Then the run is not started, and the keeper gives
        # it back as soon as the database answers; should the worker end before that, the sweep moves it on.
        if self._express is None:
            return self._claim_in_session(run_id)
        try:
            return claims.take_at_once(self._express, run_id=run_id, terms=self.terms)
        except DBAPIError as error:
            if is_unanswered(error):
                self._settle_later(run_id)
            raise

    def _claim_in_session(self, run_id: UUID) -> Claim | None:
        has_begun = False
        terms, safe_until = self.terms, self.terms.safe_until()
        try:
            with self.database.transaction(ENGINE) as session:
                now = self.clock.now(session)
                has_begun = True
                return claims.take(
                    session, run_id=run_id, worker=self.worker, terms=terms, safe_until=safe_until, now=now,
                    taking=self.taking,
                )  # fmt: skip
        except SQLAlchemyError:
            if has_begun:
                self._settle_later(run_id)
            raise

    def _settle_later(self, run_id: UUID) -> None:
        self.keeper.settle_later(claims.doubtful(run_id=run_id, worker=self.worker, terms=self.terms))

    def _give_up(self, run_id: UUID, error: Exception) -> None:
        # A run that cannot even be claimed would stand in the way of others for ever.
        with self.database.transaction(ENGINE) as session:
            explanation = f"This run cannot be read: {error}"
            now = self.clock.now(session)
            if interventions.give_up(session, run_id=run_id, explanation=explanation, now=now):
                chains.follow(session, run_id=run_id, now=now)

    def _do(self, attempt: LiveAttempt) -> Outcome:
        started = attempt.started
        kind = self.kinds.get(started.kind)
        if kind is None:
            return Outcome(OutcomeStatus.FAILED, f"This worker does not know jobs of kind {started.kind.value}.")
        try:
            self._take_turns(started)
            return kind.run(started.definition, attempt)
        except OUTAGES:
            # Its text holds statements and names that are nobody's business who looks at a run.
            log.exception("database away while a job ran", extra={"run_id": str(started.run_id)})
            return Outcome(OutcomeStatus.FAILED, "The database did not answer while this ran.")
        except BaseException as error:
            # Whatever a job raises, SystemExit included, costs one run and never the worker's thread.
            log.exception("job raised", extra={"run_id": str(started.run_id)})
            return Outcome(OutcomeStatus.FAILED, kind_and_words(error))

    def _finish(self, attempt: LiveAttempt, outcome: Outcome) -> None:
        lines = attempt.take_lines()
        progress = attempt.unwritten_progress(at_the_end=outcome.status is OutcomeStatus.SUCCEEDED)
        extra = {"run_id": str(attempt.run_id)}
        patience = Deadline.after(self.terms.seconds)
        # Whether the database may have taken the outcome without our hearing of it.
        is_open = False
        while True:
            try:
                if not self._write(attempt.started, outcome, lines, progress) and not is_open:
                    self.tally.note_refused()
                    log.warning("outcome refused: the lease was lost", extra=extra)
                return
            except OUTAGES as error:
                is_open = True
                # The database is away. One lease long asking again makes sense; then the sweep takes over.
                if patience.has_passed:
                    log.error("outcome not written", extra=extra | {"problem": explain(error) or repr(error)})
                    return
                if is_out_of_room(error) and len(lines) > 1:
                    # How the run ended fits where its log does not.
                    lines = [_let_go(lines)]
                time.sleep(RETRY_WRITE_SECONDS)
            except Exception as error:
                # The outcome itself cannot be stored. That it cannot is an outcome too, and one that can.
                log.exception("outcome cannot be stored", extra=extra)
                if patience.has_passed:
                    return
                outcome, lines, progress = _unstorable(error), [], None
                time.sleep(RETRY_WRITE_SECONDS)

    def _write(
        self, started: Started, outcome: Outcome, lines: list[NewLine], progress: Progress | None = None
    ) -> bool:
        end = end_of(outcome)
        is_short = outcome.status is OutcomeStatus.SUCCEEDED and not lines and progress is None
        is_short = is_short and outcome.account_rests is None
        if is_short and self._succeed_at_once(started, end):
            return True
        try:
            return self._write_in_session(started, outcome, lines, progress, end)
        except AttemptLost:
            return False

    def _write_in_session(
        self, started: Started, outcome: Outcome, lines: list[NewLine], progress: Progress | None, end: AttemptEnd
    ) -> bool:
        run_id, token = started.run_id, started.token
        with self.database.transaction(Scope.tenant(started.organization_id)) as session:
            now = self.clock.now(session)
            if outcome.login_refused is not None:
                self._refuse_login(session, started, outcome.login_refused, now)
            if outcome.account_rests is not None:
                self._let_account_rest(session, started, outcome.account_rests, now)
            if lines:
                tenant = started.organization_id
                logs.append_lines(session, organization_id=tenant, run_id=run_id, token=token, lines=lines)
            if progress is not None:
                write_progress(session, run_id=run_id, token=token, progress=progress)
            if outcome.status is OutcomeStatus.SUCCEEDED:
                was_written = ledger.succeed(session, run_id=run_id, token=token, end=end, now=now)
                return was_written and chains.follow(session, run_id=run_id, now=now)
            if outcome.status is OutcomeStatus.SUSPENDED:
                return ledger.suspend(session, run_id=run_id, token=token, end=end, now=now)
            verdict = judge(started, outcome, kind=self.kinds.get(started.kind), chance=self.chance, now=now)
            was_written = ledger.put_down(
                session, run_id=run_id, token=token, end=verdict.end, then=verdict.then, now=now,
                refund=verdict.refund,
            )  # fmt: skip
            return was_written and chains.follow(session, run_id=run_id, now=now)

    def _refuse_login(self, session: Session, started: Started, refused: LoginRefused, now: datetime) -> None:
        # Schedules before runs, as whoever plans locks them; and of a run that is lost nothing is said.
        note_login_refused(session, refused, organization_id=started.organization_id, now=now)
        hold_run(session, run_id=started.run_id, token=started.token)

    def _take_turns(self, started: Started) -> None:
        key = key_of(started.kind, started.definition)
        if key is not None:
            with self.database.transaction(Scope.tenant(started.organization_id)) as session:
                take_turns(session, organization_id=started.organization_id, key=key)

    def _let_account_rest(self, session: Session, started: Started, rests: AccountRests, now: datetime) -> None:
        key = key_of(started.kind, started.definition)
        if key is not None:
            # Also of a run that is lost: the service said it all the same.
            let_rest(session, organization_id=started.organization_id, key=key, rests=rests, now=now)

    def _succeed_at_once(self, started: Started, end: AttemptEnd) -> bool:
        """By the short way, where there is one. False where the long one has to be taken."""
        if self._express is None:
            return False
        try:
            return self._express.succeed(started, end)
        except DBAPIError as error:
            if not was_refused(error):
                raise
            # Somebody holds the row for a while, which the long way waits for.
            return False

    def _open_secret(self, started: Started, secret_id: UUID, field: str) -> str:
        owner = SecretOwner.job(started.organization_id, started.job_id)

        def ask() -> str:
            with self.database.reading(Scope.tenant(started.organization_id)) as session:
                return open_secret(session, sealer=self.sealer, owner=owner, secret_id=secret_id, field=field)

        return patiently(ask, seconds=self.terms.seconds)


def _let_go(lines: list[NewLine]) -> NewLine:
    text = f"{len(lines)} lines of the log were let go, because the database found no room on its disk."
    return NewLine(text, Level.WARNING, lines[-1].at)


def _unstorable(error: Exception) -> Outcome:
    message = f"The job ended, but what it reported cannot be stored: {type(error).__name__}."
    return Outcome(OutcomeStatus.FAILED, message, may_retry=False)
