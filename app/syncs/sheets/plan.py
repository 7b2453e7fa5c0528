"""What a push puts into a spreadsheet: figures of which account and days, and in which tab. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from app.syncs.days import ONE_DAY, DayRange
from app.syncs.figures import METRIC_FACTS, Level, Metric
from app.syncs.periods import Grain, first_of, next_first
from app.syncs.sheets.marks import refuse_title

# As far back as any service reads.
MOST_DAYS = 1_130
DEFAULT_DAYS = 90
FIELDS = frozenset({"source", "level", "metrics", "grain", "days", "tab"})
# So many days are read from the database at once.
_DAYS_AT_ONCE = 7
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True)
class PushPlan:
    """The last `days` whole days of the source's zone; weeks and months begin with the one in which these begin."""

    source: UUID
    metrics: tuple[Metric, ...]
    tab: str
    level: Level = Level.ACCOUNT
    grain: Grain = Grain.DAY
    days: int = DEFAULT_DAYS

    def as_json(self) -> dict[str, Any]:
        return {
            "source": str(self.source), "level": self.level.value, "metrics": [one.value for one in self.metrics],
            "grain": self.grain.value, "days": self.days, "tab": self.tab,
        }  # fmt: skip

    def periods(self, today: date) -> Iterator[DayRange]:
        """The days, weeks or months that make rows, the oldest first. The last one may lie ahead in part."""
        first = first_of(today - timedelta(days=self.days), self.grain)
        while first < today:
            after = next_first(first, self.grain)
            yield DayRange(first, after - ONE_DAY)
            first = after

    def portions(self, today: date) -> Iterator[list[DayRange]]:
        """The same, as many together as are read at once."""
        found: list[DayRange] = []
        for period in self.periods(today):
            found.append(period)
            if self.grain is not Grain.DAY or len(found) == _DAYS_AT_ONCE:
                yield found
                found = []
        if found:
            yield found


def read_plan(said: Any, problems: dict[str, str]) -> PushPlan | None:
    """The plan that JSON describes. None where it has problems, which are noted by field: `push.tab`."""
    if not isinstance(said, Mapping):
        problems["push"] = "“push” has to say what is pushed: source, level, metrics, grain, days and tab."
        return None
    before = len(problems)
    for name in sorted(map(str, set(said) - FIELDS)):
        problems[f"push.{name}"] = f"“{name}” is not known here. Take it out."
    source = _source(said.get("source"), problems)
    metrics = _metrics(said.get("metrics"), problems)
    level = _word(Level, "level", said.get("level"), Level.ACCOUNT, problems)
    grain = _word(Grain, "grain", said.get("grain"), Grain.DAY, problems)
    days = _days(said.get("days", DEFAULT_DAYS), problems)
    tab = said.get("tab")
    trouble = refuse_title(tab) if isinstance(tab, str) else "Say what the tab is called."
    if trouble:
        problems["push.tab"] = trouble
    _refuse_sums(metrics, grain, problems)
    if len(problems) > before or source is None:
        return None
    return PushPlan(source, metrics, str(tab), level, grain, days)


def _source(said: Any, problems: dict[str, str]) -> UUID | None:
    try:
        return UUID(said)
    except (ValueError, AttributeError, TypeError):
        problems["push.source"] = "Choose the account whose figures are pushed."
        return None


def _metrics(said: Any, problems: dict[str, str]) -> tuple[Metric, ...]:
    known = {metric.value for metric in Metric}
    if not isinstance(said, list) or not said or any(not isinstance(one, str) or one not in known for one in said):
        problems["push.metrics"] = f"Choose the figures that are pushed, one or more of: {', '.join(Metric)}."
        return ()
    return tuple(Metric(one) for one in dict.fromkeys(said))


def _word(values: type[Word], name: str, said: Any, usual: Word, problems: dict[str, str]) -> Word:
    if said is None or said == "":
        return usual
    if isinstance(said, str) and said in {value.value for value in values}:
        return values(said)
    problems[f"push.{name}"] = f"“{name}” has to be one of: {', '.join(values)}."
    return usual


def _days(said: Any, problems: dict[str, str]) -> int:
    if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= MOST_DAYS:
        return said
    problems["push.days"] = f"“days” has to be a whole number from 1 to {MOST_DAYS:,}."
    return DEFAULT_DAYS


def _refuse_sums(metrics: tuple[Metric, ...], grain: Grain, problems: dict[str, str]) -> None:
    people = [METRIC_FACTS[metric].name for metric in metrics if not METRIC_FACTS[metric].is_additive]
    if people and grain is not Grain.DAY:
        problems["push.grain"] = (
            f"{' and '.join(people)} count people, who come on several days: their numbers by day make none by "
            f"{grain}. Push them by day."
        )
