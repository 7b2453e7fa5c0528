"""What every kind of job promises, and what it is given to work with. A kind knows no other kind, and no run."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.deadline import Deadline
from app.core.errors import Conflict, Invalid
from app.core.http import OutboundClient
from app.jobs.policies import ErrorClass
from app.syncs.calls.troubles import TroubleClass
from app.vault.service import SecretOwner


class KindName(StrEnum):
    """The kinds of job there are."""

    WORKFLOW = "workflow"  # steps that call HTTP APIs
    SYNC = "sync"  # reads what a service knows
    CODE = "code"  # a Python function found by name, in a process of its own


class OutcomeStatus(StrEnum):
    """How an attempt ended, as its kind saw it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"  # the time limit was reached
    STOPPED = "stopped"  # told to stop: the lease is gone or the worker is closing
    WAITING = "waiting"  # it goes on later, perhaps with another worker: its message says why; costs no try
    SUSPENDED = "suspended"  # goes on when the runs that it started have ended; costs no try
    CANCELLED = "cancelled"  # told to stop, because somebody cancelled the run


class StopReason(StrEnum):
    """Why an attempt has to stop now."""

    TIME_LIMIT = "time_limit"
    LEASE_LOST = "lease_lost"
    WORKER_STOPPING = "worker_stopping"
    CANCELLED = "cancelled"


class StopWay(StrEnum):
    """How work is stopped that has to stop, because somebody cancelled it or its time is over."""

    FORCE = "force"  # from outside: its processes are killed
    NEXT_CALL = "next_call"  # by itself, before its next call of somebody else's server
    CHECK = "check"  # by itself, where it looks whether it has to; nobody can make it look
    CHILDREN = "children"  # with the runs that it started, for it does nothing but wait for them


class Level(StrEnum):
    """How loud a log line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class LoginRefused:
    """The service no longer lets a connection read. Until somebody reconnects it, no other run is to try.

    `set_at` is since when it has had the login that was refused.
    """

    connection_id: UUID
    trouble_class: TroubleClass
    reason: str
    set_at: datetime | None = None


@dataclass(frozen=True)
class AccountRests:
    """The service takes no calls of the account for so long: no other run of the connection is to start until then.

    `words` say why, for people.
    """

    lasts: timedelta
    words: str


class AttemptLost(Conflict):
    """The run is no longer this attempt's: its lease was lost, or somebody ended it."""


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt. `message` is one plain sentence; `detail` may hold a trace for engineers.

    `error_class` says what kind of trouble it was, and `come_back_after` how long the other side asked to be left
    alone: that long from now, and not as long as the job's policy says, its next try waits. With WAITING it is no
    next try: the run goes on then. `login_refused` and `account_rests` are written down in the transaction that ends
    the attempt.
    """

    status: OutcomeStatus
    message: str = ""
    detail: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    may_retry: bool = True
    error_class: ErrorClass | None = None
    come_back_after: timedelta | None = None
    login_refused: LoginRefused | None = None
    account_rests: AccountRests | None = None


@dataclass(frozen=True)
class ChildCounts:
    """How the runs stand that a run started, and the jobs of those that failed or could not be started.

    `running` are all without an end.
    """

    total: int
    succeeded: int
    failed: int
    cancelled: int
    running: int
    failed_names: tuple[str, ...] = ()
    skipped_names: tuple[str, ...] = ()


class DefinitionInvalid(Invalid):
    """A definition cannot be used. `problems` maps a field of the definition to its message."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()), field=next(iter(problems), None))
        self.problems = dict(problems)


class RunContext(Protocol):
    """What an attempt may use. Implemented by the executor, and by a fake in tests."""

    @property
    def run_id(self) -> UUID: ...

    @property
    def organization_id(self) -> UUID: ...

    @property
    def job_id(self) -> UUID: ...

    @property
    def idempotency_key(self) -> str:
        """Stable over all attempts of a run: what an outside service gets to recognise a repetition."""

    @property
    def deadline(self) -> Deadline:
        """When the time limit ends the attempt."""

    @property
    def safe_until(self) -> Deadline:
        """Until when the attempt may go on as things are. Moves on with its lease; has passed once that is lost."""

    @property
    def http(self) -> OutboundClient: ...

    def open_secret(self, secret_id: UUID, field: str) -> str:
        """A sealed value of the run's job. Raises SecretNotFound, KeyUnknown or SealBroken."""

    def now(self, session: Session | None = None) -> datetime:
        """The time that decides, which is the database's. Whoever has a session with it hands that in."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction as the run's organization, committed when the block ends. Never around an outside call."""

    def hold_run(self, session: Session) -> None:
        """Keep the run this attempt's until the transaction ends. Raises AttemptLost when it no longer is.

        To be called just before the commit: a lease is not renewed while its run is held.
        """

    def left_behind(self) -> Mapping[str, Any]:
        """The result of the attempt before, where that ended as WAITING; empty elsewhere."""

    def start_children(self, group: str | None) -> int:
        """Open a run of every function of the code in this group, or of all functions. Says how many there are.

        That of a job that cannot start, because it has a mistake, is recorded as skipped, with the reason.
        None are opened when the run has started some before, be it in an earlier try. What waits for them ends its
        attempt as SUSPENDED, and is called again when all have ended.
        """

    def children(self) -> ChildCounts | None:
        """How the runs stand that this one started; None when there are none."""

    def log(self, text: str, level: Level = Level.INFO) -> None:
        """Add one line to the attempt's log."""

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far it has come. Shown about once a second; only the newest counts."""

    def stop_reason(self) -> StopReason | None:
        """Why to stop now, or None. To be asked before every outside call and at least once a second."""


class JobKind(Protocol):
    """One kind of job."""

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The definition in its checked form. Raises DefinitionInvalid; unknown keys are refused."""

    def store(
        self,
        session: Session,
        definition: Mapping[str, Any],
        *,
        owner: SecretOwner,
        before: Mapping[str, Any] | None,
        now: datetime,
    ) -> dict[str, Any]:
        """A checked definition as it is stored: its secrets are sealed for the job, and only their ids remain.

        `before` is what is stored now; what the definition leaves out of its secrets is kept from there.
        Raises DefinitionInvalid when there is nothing to keep.
        """

    def check_arguments(self, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments in their checked form, which one run gets in the place of those in the definition.

        Raises DefinitionInvalid, also when the kind takes none.
        """

    def secret_ids(self, definition: Mapping[str, Any]) -> frozenset[UUID]:
        """The sealed values that a stored definition uses."""

    def without_secrets(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """A definition without the values that should have been sealed; unchanged when there are none.

        That may be kept where nothing runs it again. Raises DefinitionInvalid when it cannot be read.
        """

    def describe(self, definition: Mapping[str, Any]) -> str:
        """One line that says what a definition does, for lists and pages. Never shows a secret."""

    def is_for_platform(self, definition: Mapping[str, Any]) -> bool:
        """Whether only platform admins may use it, because it concerns the whole installation."""

    def may_repeat(self, definition: Mapping[str, Any]) -> bool:
        """Whether an attempt whose end is unknown may be followed by another."""

    def why_not_startable(self, definition: Mapping[str, Any]) -> str | None:
        """Why a run of it could only fail, as far as is known without starting one, and what to do; None elsewhere."""

    def stop_way(self, definition: Mapping[str, Any]) -> StopWay:
        """How an attempt that goes on is stopped."""

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        """Do it. Failures are outcomes; an exception that escapes is a defect of the kind."""


JobKinds = Mapping[KindName, JobKind]
