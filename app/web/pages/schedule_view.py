"""What somebody looks at on the page of a schedule, as its address says it: how far, by which clock, which run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.ops.schedule_timeline import Span
from app.web.clock_choice import Clock

FEW_NEXT_RUNS = 5
MORE_NEXT_RUNS = 20
_SPANS = {"24h": Span.DAY, "7d": Span.WEEK}


@dataclass(frozen=True)
class ScheduleView:
    """Parts of an address that cannot be read are left out, so that an old link still works."""

    span: Span = Span.DAY
    clock: Clock = Clock.MINE
    next_runs: int = FEW_NEXT_RUNS
    run_id: UUID | None = None

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "ScheduleView":
        clock = args.get("tz", "")
        return cls(
            span=_SPANS.get(args.get("t", ""), Span.DAY),
            clock=Clock(clock) if clock in set(Clock) else Clock.MINE,
            next_runs=MORE_NEXT_RUNS if args.get("next") == str(MORE_NEXT_RUNS) else FEW_NEXT_RUNS,
            run_id=_id(args.get("run", "")),
        )

    @property
    def args(self) -> dict[str, Any]:
        """The query string's parts, to build a link from: what is as usual is left out."""
        usual = ScheduleView()
        words = {span: word for word, span in _SPANS.items()}
        pairs = {
            "t": words[self.span] if self.span is not usual.span else "",
            "tz": self.clock.value if self.clock is not usual.clock else "",
            "next": str(self.next_runs) if self.next_runs != usual.next_runs else "",
            "run": str(self.run_id or ""),
        }
        return {name: value for name, value in pairs.items() if value}

    @property
    def has_more(self) -> bool:
        """Whether more than the usual number of coming runs is asked for."""
        return self.next_runs > FEW_NEXT_RUNS

    def of_span(self, span: Span) -> "ScheduleView":
        return replace(self, span=span)

    def by(self, clock: Clock) -> "ScheduleView":
        return replace(self, clock=clock)

    def with_other_count(self) -> "ScheduleView":
        """The same with twenty coming runs where there are five, and the other way round."""
        return replace(self, next_runs=FEW_NEXT_RUNS if self.has_more else MORE_NEXT_RUNS)

    def zone(self, *, viewer_zone: str, schedule_zone: str) -> str:
        """The zone of the clock that was chosen."""
        return {Clock.MINE: viewer_zone, Clock.SCHEDULE: schedule_zone, Clock.UTC: "UTC"}[self.clock]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
