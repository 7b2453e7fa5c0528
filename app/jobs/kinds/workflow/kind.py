"""Runs workflows: each step's call, its log line and its verdict. What a workflow is lives in steps.py."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.hiding import Cleaner, make_cleaner
from app.core.http import OutboundFailed, OutboundLimits, OutboundRefused, OutboundResponse
from app.core.retry_after import break_asked_for
from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.jobs.kinds.base import DefinitionInvalid, Level, Outcome, OutcomeStatus, RunContext, StopReason, StopWay
from app.jobs.kinds.definitions import parse_definition, refuse_arguments
from app.jobs.kinds.error_classes import class_of_status
from app.jobs.kinds.expectations import parse_expected_status
from app.jobs.kinds.http_words import answer_line, body_beginning, shown_url, status_words
from app.jobs.kinds.stops import stopped
from app.jobs.kinds.workflow.header_secrets import HeaderVault, open_headers, sealed_ids, without_values
from app.jobs.kinds.workflow.steps import HttpStep, Workflow, request_of
from app.jobs.policies import ErrorClass
from app.vault.service import SecretNotFound, SecretOwner


class WorkflowKind:
    """The kind of job whose steps call HTTP APIs."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return _plain(parse_definition(Workflow, definition))

    def check_arguments(self, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        return refuse_arguments(arguments, "A workflow takes no parameters. Leave them out.")

    def store(
        self,
        session: Session,
        definition: Mapping[str, Any],
        *,
        owner: SecretOwner,
        before: Mapping[str, Any] | None,
        now: datetime,
    ) -> dict[str, Any]:
        header_vault = HeaderVault(session, self._sealer, owner, now)
        return _plain(header_vault.store(parse_definition(Workflow, definition), _readable(before)))

    def secret_ids(self, definition: Mapping[str, Any]) -> frozenset[UUID]:
        return sealed_ids(parse_definition(Workflow, definition))

    def without_secrets(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        workflow = parse_definition(Workflow, definition)
        cleared = without_values(workflow)
        return dict(definition) if cleared == workflow else _plain(cleared)

    def describe(self, definition: Mapping[str, Any]) -> str:
        try:
            step = parse_definition(Workflow, definition).steps[0]
        except DefinitionInvalid:
            return "A workflow that this version of Belfry cannot read"
        return f"{step.method} {shown_url(step.url)}"

    def is_for_platform(self, definition: Mapping[str, Any]) -> bool:
        return False

    def may_repeat(self, definition: Mapping[str, Any]) -> bool:
        # It goes on at its first unfinished step, and that one carries the same idempotency key again.
        return True

    def why_not_startable(self, definition: Mapping[str, Any]) -> str | None:
        return None

    def stop_way(self, definition: Mapping[str, Any]) -> StopWay:
        return StopWay.NEXT_CALL

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        try:
            workflow = parse_definition(Workflow, definition)
        except DefinitionInvalid as error:
            return Outcome(OutcomeStatus.FAILED, error.message, may_retry=False)
        finished: list[dict[str, Any]] = []
        for number, step in enumerate(workflow.steps):
            context.progress(number, len(workflow.steps), step.name)
            outcome = _run_step(step, context)
            if outcome.status is not OutcomeStatus.SUCCEEDED:
                return outcome
            finished.append(dict(outcome.result))
            context.progress(number + 1, len(workflow.steps), step.name)
        return Outcome(OutcomeStatus.SUCCEEDED, result={"steps": finished})


def _plain(workflow: Workflow) -> dict[str, Any]:
    # Of a header, either the value or the id of the sealed one is said, not that the other is missing.
    return workflow.model_dump(mode="json", exclude_none=True)


def _readable(definition: Mapping[str, Any] | None) -> Workflow | None:
    """What is stored, if this version can read it. From what it cannot, nothing is kept."""
    try:
        return None if definition is None else parse_definition(Workflow, definition)
    except DefinitionInvalid:
        return None


def _run_step(step: HttpStep, context: RunContext) -> Outcome:
    reason = context.stop_reason()
    if reason is not None:
        return stopped(reason)
    try:
        headers = open_headers(step, context)
    except KeyUnknown as error:
        # Another worker may have the key, and this one may get it.
        return Outcome(OutcomeStatus.WAITING, error.message)
    except (SecretNotFound, SealBroken) as error:
        return _failed(context, f"{step.name} was not called. {error.message}", may_retry=False)
    return _call(step, headers, context)


def _call(step: HttpStep, headers: list[tuple[str, str]], context: RunContext) -> Outcome:
    # Never zero: a step that starts in the last moment still gets an honest time-out.
    seconds = max(0.1, min(step.timeout_seconds, context.deadline.seconds_left))
    request = request_of(step, headers, idempotency_key=context.idempotency_key)
    # Servers repeat what they were sent, and whoever may see a run is not meant to see the job's keys.
    clean = make_cleaner(value for _, value in headers)
    called = f"{step.method} {shown_url(step.url)}"
    try:
        response = context.http.send(request, limits=OutboundLimits(total_seconds=seconds))
    except OutboundRefused as error:
        return _failed(context, clean(f"{called} was not sent. {error.message}"), may_retry=False)
    except OutboundFailed as error:
        if context.deadline.has_passed:
            return stopped(StopReason.TIME_LIMIT)
        return _failed(context, clean(f"{called} got no answer. {error.message}"), error_class=ErrorClass.NETWORK)
    return _judge(step, response, context, clean)


def _failed(
    context: RunContext, message: str, *, may_retry: bool = True, error_class: ErrorClass = ErrorClass.JOB
) -> Outcome:
    context.log(message, Level.ERROR)
    return Outcome(OutcomeStatus.FAILED, message, may_retry=may_retry, error_class=error_class)


def _judge(step: HttpStep, response: OutboundResponse, context: RunContext, clean: Cleaner) -> Outcome:
    is_expected = response.status in parse_expected_status(step.expected_status)
    line = clean(answer_line(step.method, step.url, response))
    context.log(line, Level.INFO if is_expected else Level.ERROR)
    if not is_expected:
        answered = f"{step.method} {shown_url(step.url)} answered {status_words(response.status)}"
        return Outcome(
            OutcomeStatus.FAILED,
            clean(f"{answered}; expected {step.expected_status}."),
            detail=body_beginning(response, clean=clean),
            # Asking again with the same refused credential locks accounts and changes nothing: its class says so.
            error_class=class_of_status(response.status),
            # Only for a server that does not say what time it has, ours is asked for.
            come_back_after=break_asked_for(response.status, response.headers, now=datetime.now(UTC)),
        )
    result = {
        "name": step.name,
        "status": response.status,
        "duration_ms": round(response.elapsed_seconds * 1000),
        "bytes": len(response.body),
    }
    return Outcome(OutcomeStatus.SUCCEEDED, result=result)
