"""Reports that are made while the caller asks how far they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.meta import refusals
from tests.fakes.providers.meta.insights import Query, Refused
from tests.fakes.providers.wire import Answer

KEPT = timedelta(days=30)


@dataclass
class Report:
    """One report. Its fate is decided when it is asked for; each look at its status brings it a step on."""

    id: str
    account_id: str
    query: Query
    made_at: datetime
    running_polls: int = 1
    missing_polls: int = 0
    end: str = "Job Completed"
    failure: dict[str, Any] | None = None
    is_stuck: bool = False
    is_empty: bool = False
    polls: int = 0

    def decide(self, fault: Fault) -> None:
        options = fault.options
        match fault.fault:
            case "async_running":
                self.running_polls = options.get("polls", 3)
            case "async_failed":
                self.end = "Job Failed"
                self.failure = {
                    "error_code": options.get("code", 2),
                    "error_subcode": options.get("subcode", 1504038),
                    "error_message": options.get("message", "The job timed out. Ask for less data."),
                    "error_user_title": "Report failed",
                    "error_user_msg": "Try a smaller date range.",
                }
            case "async_skipped":
                self.end = "Job Skipped"
            case "async_stuck":
                self.is_stuck = True
            case "async_empty":
                self.is_empty = True
            case "async_missing_once":
                self.missing_polls = 1

    def look(self) -> dict[str, Any]:
        """The status, as Meta writes it. Raises Refused while the report is not found yet."""
        self.polls += 1
        seen = self.polls - self.missing_polls
        if seen <= 0:
            raise Refused(refusals.unknown_object(self.id))
        is_done = seen > self.running_polls and not self.is_stuck
        said = {"id": self.id, "account_id": self.account_id, "time_ref": int(self.made_at.timestamp())}
        said |= {"date_start": self.query.since.isoformat(), "date_stop": self.query.until.isoformat()}
        if is_done:
            percent = 100 if self.end == "Job Completed" else 40
            return said | {"async_status": self.end, "async_percent_completion": percent} | (self.failure or {})
        # Just before its end a report is called completed without being so: the two have to be read together.
        is_early = seen == self.running_polls and self.end == "Job Completed"
        status = "Job Completed" if is_early and not self.is_stuck else "Job Running"
        return said | {"async_status": status, "async_percent_completion": 99 if self.is_stuck else 90}

    def refuse_rows_too_early(self) -> None:
        """Raises Refused while the report is not complete."""
        if self.end != "Job Completed" or self.is_stuck or self.polls <= self.running_polls + self.missing_polls:
            raise Refused(refusals.graph_error(2601, "(#2601) Loading Async Session Failed: the job is not complete"))

    def is_gone(self, now: datetime) -> bool:
        return now - self.made_at > KEPT


def started(report: Report) -> Answer:
    return Answer.of_json({"report_run_id": report.id})
