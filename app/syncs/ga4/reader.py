"""Whole windows of a property's figures, page by page. Knows no database.

A report that changes while it is read begins anew; one that lacks rows fails. Nothing is handed on that is not whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.syncs.calls.troubles import TroubleClass, failed
from app.syncs.days import DayRange, split_days
from app.syncs.figures import FetchedWindow, FigureInvalid, Stream
from app.syncs.ga4.assembly import assemble, keys_of
from app.syncs.ga4.days import MOST_DAYS
from app.syncs.ga4.properties import API_VERSION, Property, PropertyCalls, date_range
from app.syncs.ga4.rows import FIELDS, ReportPage, dimensions_of, metrics_of, read_page

PAGE_ROWS = 10_000
# So often a window is begun before somebody else has a try at it later.
MOST_STARTS = 3


@dataclass
class Ga4Reader:
    """Reads one stream of one property."""

    calls: PropertyCalls
    found: Property
    stream: Stream
    page_rows: int = PAGE_ROWS

    def read(self, days: DayRange) -> Iterator[FetchedWindow]:
        """The windows of these days, each complete, oldest first.

        Raises SyncFailed and ReadStopped: what was handed on before is whole, and of the rest nothing is.
        """
        for part in split_days(days, MOST_DAYS):
            yield self._window(part)

    def _window(self, days: DayRange) -> FetchedWindow:
        watch = self.calls.session.client.watch
        for _ in range(MOST_STARTS):
            started = watch.now()
            try:
                pages = self._pages(days)
                if pages is not None:
                    return assemble(
                        pages, stream=self.stream, days=days, name=self.found.name, fetched_at=started,
                        api_version=API_VERSION,
                    )  # fmt: skip
            except FigureInvalid as error:
                raise self.calls.unreadable(error) from None
            watch.log("The report changed while it was read. Reading it again from the beginning.")
        message = f"Google Analytics changed its report {MOST_STARTS} times while it was read. Nothing of it was kept."
        raise failed(TroubleClass.TRANSIENT, message)

    def _pages(self, days: DayRange) -> list[ReportPage] | None:
        """All pages of a report; None when they are not of one report. Raises SyncFailed when rows are missing."""
        pages: list[ReportPage] = []
        came = 0
        while not pages or came < pages[0].total:
            page = read_page(self.calls.report(self._request(days, came)), stream=self.stream)
            pages.append(page)
            if page.frame != pages[0].frame:
                return None
            came += page.came
            if came > page.total:
                # More rows than the report has: whichever of the two is wrong, nobody knows what is missing or odd.
                return None
            self._refuse_short(page, came)
        # As many came as there are, which the totals that one may ask for would not tell better: of people and of
        # sampled reports they are no sums. If one of them came twice, another one did not come.
        keys = keys_of(pages)
        return pages if len(set(keys)) == len(keys) else None

    def _refuse_short(self, page: ReportPage, came: int) -> None:
        if page.came == self.page_rows or came == page.total:
            return
        message = (
            f"Google Analytics left rows out: a page ended after {came:,} of {page.total:,}. Nothing of it was kept."
        )
        raise failed(TroubleClass.TRANSIENT, message)

    def _request(self, days: DayRange, offset: int) -> dict[str, Any]:
        dimensions = dimensions_of(self.stream)
        return {
            "dateRanges": [date_range(days)],
            "dimensions": [{"name": name} for name in dimensions],
            "metrics": [{"name": FIELDS[metric]} for metric in metrics_of(self.stream)],
            # Over all dimensions: of rows that are alike in the order, pages could show one twice and another never.
            "orderBys": [{"dimension": {"dimensionName": name}} for name in dimensions],
            "limit": str(self.page_rows),
            "offset": str(offset),
            "keepEmptyRows": False,
        }
