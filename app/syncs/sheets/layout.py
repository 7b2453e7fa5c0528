"""From figures to the rows of a push: one for each day, week or month and what it is of, metrics side by side. Pure.

Days are texts such as 2026-11-05: a text means the same in every country's settings, sorts as days do, and formulas
take it for a date with DATEVALUE. Ids are texts as well, for they have more digits than a spreadsheet keeps.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from app.syncs.amounts import LEVEL_WORDS, flag_words, metric_name
from app.syncs.calls.troubles import TroubleClass, failed
from app.syncs.days import DayRange
from app.syncs.figures import Level
from app.syncs.periods import Grain
from app.syncs.sheets.cells import NotExact, encode_row, number_cell, text_cell
from app.syncs.sheets.plan import PushPlan
from app.syncs.sheets.table import PushTable
from app.syncs.wide_rows import WideFigure

MOST_ROWS = 100_000
NOT_COMPLETE = "not complete yet"
_FIRST_HEADINGS = {Grain.DAY: "Day", Grain.WEEK: "Week from", Grain.MONTH: "Month from"}


@dataclass
class Layout:
    """Makes the table of a push, portion by portion."""

    plan: PushPlan
    account: str
    zone: str
    currency: str | None
    data_through: date
    rows: list[str] = field(default_factory=list)

    @property
    def headings(self) -> tuple[str, ...]:
        metrics = (metric_name(metric) for metric in self.plan.metrics)
        first = _FIRST_HEADINGS[self.plan.grain]
        return (first, *_entity_headings(self.plan.level), "Account", *metrics, "Currency", "Time zone", "Remarks")

    def add(self, periods: Sequence[DayRange], figures: Iterable[WideFigure]) -> None:
        """Add the rows of some periods. Raises SyncFailed for more rows than any tab of ours has, and for other money.

        A figure that its service did not tell leaves its cell empty.
        """
        found: dict[tuple[date, str], list[WideFigure]] = defaultdict(list)
        first_of_day = dict(_days_of(periods))
        for figure in figures:
            found[first_of_day[figure.day], figure.entity_id].append(figure)
        ends = {period.first: period.last for period in periods}
        for first, entity_id in sorted(found):
            self.rows.append(self._row(first, ends[first], entity_id, found[first, entity_id]))
        if len(self.rows) > MOST_ROWS:
            words = f"That makes more than {MOST_ROWS:,} rows. Push fewer days, or weeks or months."
            raise failed(TroubleClass.SETUP_ERROR, words)

    def table(self) -> PushTable:
        return PushTable(self.headings, self.rows, self.data_through, self.zone)

    def _row(self, first: date, last: date, entity_id: str, figures: Sequence[WideFigure]) -> str:
        return encode_row(
            [
                first.isoformat(),
                *self._entity(entity_id, figures),
                text_cell(self.account),
                *self._numbers(figures),
                self._currency(figures) or "",
                self.zone,
                self._remarks(last, figures),
            ]
        )

    def _entity(self, entity_id: str, figures: Sequence[WideFigure]) -> Iterator[str]:
        name = next((figure.name for figure in figures if figure.name), entity_id)
        match self.plan.level:
            case Level.ACCOUNT:
                return
            case Level.CHANNEL:
                yield text_cell(name)
            case _:
                yield from (text_cell(entity_id), text_cell(name))

    def _numbers(self, figures: Sequence[WideFigure]) -> Iterator[str | int | float]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for figure in figures:
            sums[figure.metric] += figure.value
        for metric in self.plan.metrics:
            try:
                yield number_cell(sums[metric]) if metric in sums else ""
            except NotExact as error:
                words = f"{metric_name(metric)} cannot be pushed: {error}. Nothing was pushed."
                raise failed(TroubleClass.DATA_QUALITY, words) from None

    def _currency(self, figures: Sequence[WideFigure]) -> str | None:
        found = {figure.currency for figure in figures if figure.currency is not None}
        if len(found) > 1:
            money = " and ".join(sorted(found))
            words = f"Money of “{self.account}” is in {money}, which are not added up. Nothing was pushed."
            raise failed(TroubleClass.DATA_QUALITY, words)
        return next(iter(found), self.currency)

    def _remarks(self, last: date, figures: Sequence[WideFigure]) -> str:
        flags = sorted({flag for figure in figures for flag in figure.flags})
        said = [flag_words(flag) for flag in flags]
        return "; ".join([NOT_COMPLETE, *said] if last > self.data_through else said)


def _entity_headings(level: Level) -> tuple[str, ...]:
    word = LEVEL_WORDS[level].capitalize()
    match level:
        case Level.ACCOUNT:
            return ()
        case Level.CHANNEL:
            return (word,)
    return (f"{word} id", word)


def _days_of(periods: Sequence[DayRange]) -> Iterator[tuple[date, date]]:
    """Each day, with the first day of its period."""
    for period in periods:
        for number in range(period.days):
            yield date.fromordinal(period.first.toordinal() + number), period.first
