"""What somebody looks for among the runs: read from an address, and written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import url_for

from app.core.text import quoted
from app.edge.identity import request_now
from app.runs.filters import RunFilter
from app.runs.states import RunState, Source
from app.web.pages.typed_times import NO_TIME, TypedTime, read_time

# As people say them, and how far back they reach.
SPANS = {"1h": ("1 h", timedelta(hours=1)), "24h": ("24 h", timedelta(hours=24)), "7d": ("7 days", timedelta(days=7))}
SOURCE_LABELS = {
    Source.SCHEDULE: "On schedule",
    Source.CATCH_UP: "Catch-up",
    Source.MANUAL: "By hand",
    Source.AGAIN: "Run again",
    Source.RETRY: "Retry",
    Source.API: "API",
    Source.TERMINAL: "Command line",
    Source.CHAIN: "After another job",
    Source.GROUP: "With its group",
}
_LONGEST_TIME = 40
# What an address narrows the list by, beside its times.
NARROWING = ("state", "trigger", "schedule", "job")


@dataclass(frozen=True)
class RunSearch:
    """A filter with the words it was read from. `problems` say what could not be read and was left out."""

    filter: RunFilter
    # One of SPANS, or times from and to.
    last: str = ""
    since: TypedTime = NO_TIME
    until: TypedTime = NO_TIME
    problems: tuple[str, ...] = ()

    @property
    def args(self) -> dict[str, str]:
        """The query string's parts, to build a link from."""
        times = {"last": self.last, "since": self.since.address, "until": self.until.address}
        return self.filter.args | {name: text for name, text in times.items() if text}

    @property
    def is_empty(self) -> bool:
        return not self.args

    @property
    def has_own_times(self) -> bool:
        return bool(self.since.address or self.until.address)

    @property
    def is_on_own_clock(self) -> bool:
        """Whether its address would mean other times to somebody else."""
        return self.since.is_plain or self.until.is_plain

    def href(self, **more: Any) -> str:
        """The list as it is narrowed here."""
        arguments: dict[str, Any] = {**self.args, **more}
        return url_for("web.runs", **arguments)

    def with_state(self, state: RunState | None) -> "RunSearch":
        return self._with(replace(self.filter, state=state))

    def without_schedule(self) -> "RunSearch":
        return self._with(replace(self.filter, schedule_id=None))

    def without_job(self) -> "RunSearch":
        return self._with(replace(self.filter, job_id=None))

    def with_span(self, span: str) -> "RunSearch":
        """One of the spans up to now, or any time, in the place of the times."""
        return replace(self, last=span, since=NO_TIME, until=NO_TIME)

    def _with(self, run_filter: RunFilter) -> "RunSearch":
        return replace(self, filter=run_filter)


def read_run_search(args: Mapping[str, str]) -> RunSearch:
    """What an address asks for. A time without an offset is on the clock of whoever looks; times stand above a span."""
    wanted = RunFilter.from_args(args)
    problems = _unread(args, wanted)
    last, typed_since, typed_until = (_clean(args.get(name, "")) for name in ("last", "since", "until"))
    if not (typed_since or typed_until):
        if last not in SPANS:
            left_out = [f"{quoted(last)} is no span of time."] if last else []
            return RunSearch(wanted, problems=(*problems, *left_out))
        since_then = replace(wanted, since=request_now() - SPANS[last][1])
        return RunSearch(since_then, last=last, problems=tuple(problems))
    since = read_time(typed_since, "From")
    until = read_time(typed_until, "To", is_end=True)
    problems += [one.problem for one in (since, until) if one.problem]
    wanted = replace(wanted, since=since.at, until=until.at)
    return RunSearch(wanted, since=since, until=until, problems=tuple(problems))


def _unread(args: Mapping[str, str], wanted: RunFilter) -> list[str]:
    """What the filter has left out, because it could not be read."""
    parts = {
        "state": (wanted.state, "is no state of a run."),
        "trigger": (wanted.source, "is no trigger."),
        "schedule": (wanted.schedule_id, "is not the id of a schedule."),
        "job": (wanted.job_id, "is not the id of a job."),
    }
    return [f"{quoted(args[name])} {words}" for name, (read, words) in parts.items() if args.get(name) and read is None]


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:_LONGEST_TIME]
