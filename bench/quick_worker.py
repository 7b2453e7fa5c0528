"""A worker whose jobs do nothing, so that what is left is the ledger. Runs until it is told to stop."""

import argparse
import time
from collections.abc import Mapping
from typing import Any

from app.core.config import Settings, read_settings
from app.core.log import set_up_logging
from app.jobs.kinds.base import JobKinds, KindName, Outcome, OutcomeStatus, RunContext
from app.jobs.kinds.code.supply import GuardSupply
from app.ops.kinds import job_kinds
from app.schedules import slot_accounts
from app.worker import parts
from app.worker.processes import run_worker
from tests.fakes.kind import ScriptedKind


class QuickKind(ScriptedKind):
    """Says when it began, and has ended."""

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        return Outcome(OutcomeStatus.SUCCEEDED, result={"began_at": time.time()})


def quick_kinds(settings: Settings, functions: GuardSupply) -> JobKinds:
    """Workflows that do nothing; functions stay what they are."""
    return {**job_kinds(settings, functions), KindName.WORKFLOW: QuickKind()}


def main() -> None:
    """The worker process as it is, but for its kinds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-scheduler", action="store_true")
    options = parser.parse_args()
    settings = read_settings()
    set_up_logging()
    parts.job_kinds = quick_kinds
    # Lateness is measured by slots between whole minutes, which otherwise are mended instead of run.
    slot_accounts.may_have_been_slot = lambda when, cursor: True
    run_worker(settings, with_scheduler=not options.no_scheduler)


if __name__ == "__main__":
    main()
