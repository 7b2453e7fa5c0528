"""A kind of job that does what its definition says, so that a test scripts the ends it needs."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import (
    DefinitionInvalid,
    JobKinds,
    KindName,
    Level,
    Outcome,
    OutcomeStatus,
    RunContext,
    StopWay,
)
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.policies import ErrorClass
from tests.fakes.vault import SEALER


class ScriptedKind:
    """Understands {"ends": status, "lines": [...], "may_repeat": bool, "may_retry": bool, "raises": text, …}."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        # Called by every run when its work is done and nobody was told yet.
        self.before_end: Callable[[], object] = lambda: None
        # What every run says of how far it has come.
        self.progress: tuple[int, int] | None = None

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        if "ends" not in definition:
            raise DefinitionInvalid({"ends": "Say how it ends."})
        return dict(definition)

    def check_arguments(self, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        if not all(isinstance(value, int) for value in arguments.values()):
            raise DefinitionInvalid({"arguments.rows": "Rows has to be a whole number."})
        return dict(arguments)

    def store(self, _session: Session, definition: Mapping[str, Any], **_job: object) -> dict[str, Any]:
        return dict(definition)

    def secret_ids(self, _definition: Mapping[str, Any]) -> frozenset[UUID]:
        return frozenset()

    def without_secrets(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return dict(definition)

    def describe(self, definition: Mapping[str, Any]) -> str:
        return f"Ends as {definition['ends']}"

    def is_for_platform(self, definition: Mapping[str, Any]) -> bool:
        return bool(definition.get("is_for_platform", False))

    def may_repeat(self, definition: Mapping[str, Any]) -> bool:
        return bool(definition.get("may_repeat", True))

    def why_not_startable(self, definition: Mapping[str, Any]) -> str | None:
        return definition.get("mistake")

    def stop_way(self, definition: Mapping[str, Any]) -> StopWay:
        return StopWay(definition.get("stop_way", "force"))

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        self.executed.append(str(context.run_id))
        for line in definition.get("lines", []):
            context.log(line, Level.INFO)
        if self.progress is not None:
            context.progress(*self.progress)
        if "raises" in definition:
            raise SystemExit(definition["raises"])
        self.before_end()
        status = OutcomeStatus(definition["ends"])
        message = "" if status is OutcomeStatus.SUCCEEDED else definition.get("message", "It went wrong.")
        result = {"rows": {1, 2}} if definition.get("returns_a_set") else {"rows": 3}
        return Outcome(
            status, message, may_retry=definition.get("may_retry", True), result=result,
            error_class=ErrorClass(definition["error_class"]) if "error_class" in definition else None,
            come_back_after=timedelta(seconds=seconds) if (seconds := definition.get("come_back_seconds")) else None,
        )  # fmt: skip


def scripted_kinds() -> JobKinds:
    """Every kind that people make jobs of is a scripted one."""
    kind = ScriptedKind()
    return {KindName.CODE: kind, KindName.WORKFLOW: kind, KindName.SYNC: SyncKind(SEALER, {})}
