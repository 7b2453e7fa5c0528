"""The kind of job that reads a service and lands its figures, or pushes them to one. What it does is in run.py and
push.py, what its troubles mean in endings.py."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.jobs.kinds.base import (
    AttemptLost,
    DefinitionInvalid,
    Level,
    Outcome,
    OutcomeStatus,
    RunContext,
    StopReason,
    StopWay,
)
from app.jobs.kinds.definitions import refuse_arguments
from app.jobs.kinds.stops import stopped
from app.jobs.kinds.sync.choices import refuse_other_connections
from app.jobs.kinds.sync.connection import push_words, service_name, what_to_connect
from app.jobs.kinds.sync.definition import Sources, SyncDefinition, read_sync
from app.jobs.kinds.sync.endings import ending_of, rest_after, trouble_facts
from app.jobs.kinds.sync.push import PushReport, PushRun
from app.jobs.kinds.sync.push_jobs import refuse_taken_tab
from app.jobs.kinds.sync.report import SyncReport
from app.jobs.kinds.sync.run import SyncRun
from app.jobs.kinds.sync.watch import RunWatch
from app.jobs.policies import ErrorClass
from app.jobs.services import Service
from app.syncs.calls.client import ReadStopped, Watch
from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.connections import (
    AccountChanged,
    ConnectionEnded,
    ConnectionNotFound,
    ConnectionRefused,
    hold_connection,
)
from app.syncs.figures import FigureInvalid
from app.syncs.sheets.door import SheetsDoor
from app.syncs.writing import NewerFigures
from app.vault.service import SecretNotFound, SecretOwner

# What may end a sync beside troubles of the service.
_CLASSES: dict[type[AppError], ErrorClass] = {
    ConnectionNotFound: ErrorClass.REJECTED,
    ConnectionEnded: ErrorClass.REJECTED,
    ConnectionRefused: ErrorClass.REFUSED,
    AccountChanged: ErrorClass.REJECTED,
    SecretNotFound: ErrorClass.REJECTED,
    SealBroken: ErrorClass.REJECTED,
    NewerFigures: ErrorClass.JOB,
}
_ENDS: tuple[type[AppError | FigureInvalid], ...] = (*_CLASSES, FigureInvalid)


Doing = SyncRun | PushRun


class SyncKind:
    """Knows what a sync is, and does it. `sources` are the services that this version can read.

    `sheets` is where spreadsheets answer that figures are pushed to.
    """

    def __init__(
        self,
        sealer: Sealer,
        sources: Sources,
        *,
        sheets: SheetsDoor | None = None,
        watch: Callable[[RunContext], Watch] = RunWatch,
    ) -> None:
        self._sealer = sealer
        self._sources = sources
        self._sheets = sheets
        self._watch = watch

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return read_sync(definition, sources=self._sources).as_json()

    def check_arguments(self, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        return refuse_arguments(arguments, "A sync takes no parameters. Leave them out.")

    def store(
        self,
        session: Session,
        definition: Mapping[str, Any],
        *,
        owner: SecretOwner,
        before: Mapping[str, Any] | None,
        now: datetime,
    ) -> dict[str, Any]:
        wanted = read_sync(definition, sources=self._sources)
        refuse_other_connections(session, wanted, owner.organization_id)
        if wanted.push is not None and wanted.connection_id is not None:
            hold_connection(session, organization_id=owner.organization_id, connection_id=wanted.connection_id)
            refuse_taken_tab(
                session, organization_id=owner.organization_id, job_id=owner.id, connection_id=wanted.connection_id,
                tab=wanted.push.tab,
            )  # fmt: skip
        return wanted.as_json()

    def secret_ids(self, definition: Mapping[str, Any]) -> frozenset[UUID]:
        # What signs a sync in belongs to its connection.
        return frozenset()

    def without_secrets(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return dict(definition)

    def describe(self, definition: Mapping[str, Any]) -> str:
        if "push" in definition:
            return push_words(definition["push"])
        streams = definition.get("streams")
        which = f": {', '.join(map(str, streams))}" if isinstance(streams, list) and streams else ""
        return f"Reads {service_name(definition)}{which}"

    def streams_of(self, service: str) -> dict[str, str]:
        """What can be read of a service, and what each brings, in words; nothing of one that cannot be read here."""
        source = self._sources.get(Service(service)) if service in set(Service) else None
        return {} if source is None else {name: stream.brings for name, stream in source.streams.items()}

    def is_for_platform(self, definition: Mapping[str, Any]) -> bool:
        return False

    def may_repeat(self, definition: Mapping[str, Any]) -> bool:
        # What it lands or pushes is put again in the same place.
        return True

    def why_not_startable(self, definition: Mapping[str, Any]) -> str | None:
        return None

    def stop_way(self, definition: Mapping[str, Any]) -> StopWay:
        return StopWay.NEXT_CALL

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        try:
            wanted = read_sync(definition, sources=self._sources)
        except DefinitionInvalid as error:
            return Outcome(OutcomeStatus.FAILED, error.message, may_retry=False)
        if wanted.connection_id is None:
            return Outcome(OutcomeStatus.FAILED, what_to_connect(definition), may_retry=False)
        watch = self._watch(context)
        doing = self._doing(wanted, wanted.connection_id, context, watch)
        if doing is None:
            message = f"This version of Belfry cannot read {service_name(definition)} yet."
            return Outcome(OutcomeStatus.FAILED, message, may_retry=False)
        return _ending(doing, context, watch)

    def _doing(self, wanted: SyncDefinition, connection_id: UUID, context: RunContext, watch: Watch) -> Doing | None:
        """What does it; None where this version cannot."""
        before = context.left_behind()
        source = self._sources.get(wanted.service)
        if wanted.push is not None and self._sheets is not None:
            pushed = PushReport.after(before)
            return PushRun(wanted.push, connection_id, self._sheets, self._sealer, context, watch, pushed)
        if wanted.push is None and source is not None:
            read = SyncReport.after(before)
            return SyncRun(wanted, connection_id, source, self._sealer, context, watch, read)
        return None


def _ending(run: Doing, context: RunContext, watch: Watch) -> Outcome:
    """Do it, and say how it went. Whatever ends it, what it saw and what that cost is reported."""
    try:
        run.go()
    except ReadStopped:
        return stopped(context.stop_reason() or StopReason.LEASE_LOST)
    except AttemptLost:
        return stopped(StopReason.LEASE_LOST)
    except KeyUnknown as error:
        # Another worker may have the key, and this one may get it.
        return Outcome(OutcomeStatus.WAITING, error.message)
    except SyncFailed as error:
        return _troubled(run, error, context, now=watch.now())
    except _ENDS as error:
        return _failed(run, error, context)
    return Outcome(
        OutcomeStatus.SUCCEEDED, result=run.report.as_json(is_over=True, is_good=True),
        account_rests=rest_after(run.report.spent),
    )  # fmt: skip


def _troubled(run: Doing, error: SyncFailed, context: RunContext, *, now: datetime) -> Outcome:
    is_over = error.until is None
    run.report.trouble = trouble_facts(error)
    context.log(error.message, Level.ERROR if is_over else Level.WARNING)
    # Nothing was asked of the service before its login was open.
    assert run.login is not None
    return ending_of(error, login=run.login, result=run.report.as_json(is_over=is_over), now=now)


def _failed(run: Doing, error: AppError | FigureInvalid, context: RunContext) -> Outcome:
    if isinstance(error, AppError):
        message, error_class = error.message, _CLASSES[type(error)]
    else:
        message, error_class = f"What was read cannot be landed: {error}. Nothing of it was.", ErrorClass.JOB
    if isinstance(error, AccountChanged):
        run.report.trouble = {"class": TroubleClass.DATA_QUALITY.value}
    context.log(message, Level.ERROR)
    return Outcome(
        OutcomeStatus.FAILED,
        message,
        result=run.report.as_json(is_over=True),
        # Somebody else was faster, and the next try sees what they landed. The rest a person has to put right.
        may_retry=isinstance(error, NewerFigures),
        error_class=error_class,
    )
