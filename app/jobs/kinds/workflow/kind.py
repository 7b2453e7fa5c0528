"""Runs workflows: each step's call, its log line and its verdict. What a workflow is lives in steps.py."""

from collections.abc import Mapping
from typing import Any

from app.core.http import OutboundFailed, OutboundLimits, OutboundRefused, OutboundResponse
from app.jobs.kinds.base import DefinitionInvalid, Level, Outcome, OutcomeStatus, RunContext, StopReason
from app.jobs.kinds.definitions import parse_definition
from app.jobs.kinds.expectations import parse_expected_status
from app.jobs.kinds.http_words import answer_line, body_beginning, shown_url, status_words
from app.jobs.kinds.stops import stopped
from app.jobs.kinds.workflow.hiding import Cleaner, make_cleaner
from app.jobs.kinds.workflow.steps import HttpStep, Workflow, request_of

# Asking again with the same refused credential locks accounts and changes nothing.
REFUSED_CREDENTIAL = frozenset({401, 403})


class WorkflowKind:
    """The kind of job whose steps call HTTP APIs."""

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return parse_definition(Workflow, definition).model_dump(mode="json")

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

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        try:
            workflow = parse_definition(Workflow, definition)
        except DefinitionInvalid as error:
            return Outcome(OutcomeStatus.FAILED, error.message, may_retry=False)
        finished: list[dict[str, Any]] = []
        for step in workflow.steps:
            outcome = _run_step(step, context)
            if outcome.status is not OutcomeStatus.SUCCEEDED:
                return outcome
            finished.append(dict(outcome.result))
        return Outcome(OutcomeStatus.SUCCEEDED, result={"steps": finished})


def _run_step(step: HttpStep, context: RunContext) -> Outcome:
    reason = context.stop_reason()
    if reason is not None:
        return stopped(reason)
    # Never zero: a step that starts in the last moment still gets an honest time-out.
    seconds = max(0.1, min(step.timeout_seconds, context.deadline.seconds_left))
    request = request_of(step, idempotency_key=context.idempotency_key)
    # Servers repeat what they were sent, and whoever may see a run is not meant to see the job's keys.
    clean = make_cleaner(header.value for header in step.headers)
    called = f"{step.method} {shown_url(step.url)}"
    try:
        response = context.http.send(request, limits=OutboundLimits(total_seconds=seconds))
    except OutboundRefused as error:
        return _failed(context, clean(f"{called} was not sent. {error.message}"), may_retry=False)
    except OutboundFailed as error:
        if context.deadline.has_passed:
            return stopped(StopReason.TIME_LIMIT)
        return _failed(context, clean(f"{called} got no answer. {error.message}"), may_retry=True)
    return _judge(step, response, context, clean)


def _failed(context: RunContext, message: str, *, may_retry: bool) -> Outcome:
    context.log(message, Level.ERROR)
    return Outcome(OutcomeStatus.FAILED, message, may_retry=may_retry)


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
            may_retry=response.status not in REFUSED_CREDENTIAL,
        )
    result = {
        "name": step.name,
        "status": response.status,
        "duration_ms": round(response.elapsed_seconds * 1000),
        "bytes": len(response.body),
    }
    return Outcome(OutcomeStatus.SUCCEEDED, result=result)
