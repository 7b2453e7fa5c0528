"""A run to work for, without a ledger behind it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.core.addresses import parse_networks
from app.core.deadline import Deadline
from app.core.http import OutboundClient
from app.jobs.kinds.base import ChildCounts, Level, StopReason
from app.vault.service import SecretNotFound


class FakeRunContext:
    """A RunContext that keeps its lines. `stop_when` decides, from the lines so far, when to give `stop_with`.

    It is safe for `safe_seconds`: from its beginning, or with `is_renewed` from each time it is asked.
    """

    def __init__(
        self,
        *,
        seconds: float = 60,
        safe_seconds: float = 60,
        is_renewed: bool = False,
        stop_with: StopReason | None = None,
        stop_when: Callable[[list[str]], bool] = bool,
        http: OutboundClient | None = None,
    ) -> None:
        self.run_id: UUID = uuid4()
        self.organization_id: UUID = uuid4()
        self.job_id: UUID = uuid4()
        self.idempotency_key = str(self.run_id)
        self.deadline = Deadline.after(seconds)
        self.http = http or OutboundClient(allowed_private=parse_networks("127.0.0.1"))
        self.secrets: dict[tuple[UUID, str], str] = {}
        # What start_children says, the groups it was asked for, and how those runs stand.
        self.functions_in_group = 0
        self.started_groups: list[str | None] = []
        self.child_counts: ChildCounts | None = None
        self.lines: list[str] = []
        self.levels: list[Level] = []
        self.said_progress: list[tuple[int, int | None, str]] = []
        self._safe_seconds = safe_seconds
        self._is_renewed = is_renewed
        self._first_safe_until = Deadline.after(safe_seconds)
        self._stop_with = stop_with
        self._stop_when = stop_when

    @property
    def safe_until(self) -> Deadline:
        return Deadline.after(self._safe_seconds) if self._is_renewed else self._first_safe_until

    def open_secret(self, secret_id: UUID, field: str) -> str:
        if (secret_id, field) not in self.secrets:
            raise SecretNotFound("A sealed value is gone. Enter it again.")
        return self.secrets[secret_id, field]

    def now(self, session: Session | None = None) -> datetime:
        return datetime.now(UTC)

    def transaction(self) -> AbstractContextManager[Session]:
        raise AssertionError("There is no database here.")

    def hold_run(self, session: Session) -> None:
        """Nobody else has it."""

    def left_behind(self) -> Mapping[str, Any]:
        return {}

    def start_children(self, group: str | None) -> int:
        self.started_groups.append(group)
        return self.functions_in_group

    def children(self) -> ChildCounts | None:
        return self.child_counts

    def log(self, text: str, level: Level = Level.INFO) -> None:
        self.lines.append(text)
        self.levels.append(level)

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        self.said_progress.append((done, total, text))

    def stop_reason(self) -> StopReason | None:
        if self._stop_with is not None and self._stop_when(self.lines):
            return self._stop_with
        return StopReason.TIME_LIMIT if self.deadline.has_passed else None
