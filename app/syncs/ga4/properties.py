"""Calls about one property: reports of it, and what it says of itself, which stands beside any report."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.days import ONE_DAY, DayRange, day_of
from app.syncs.figures import FigureInvalid, Metric
from app.syncs.ga4.dialect import Ga4Dialect, resting
from app.syncs.ga4.rows import ACCOUNT, FIELDS, ReportPage, read_page
from app.syncs.google.session import GoogleSession

API_VERSION = "v1beta"
# A report of so many days shows that figures can be read; the test says how many sessions they had.
_GLANCE_DAYS = 28
_ID = re.compile(r"[0-9]{1,20}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Property:
    """A property. Its days are days of `zone` (IANA), its money is in `currency` (ISO 4217), in major units."""

    id: str
    zone: str
    currency: str

    @property
    def name(self) -> str:
        """What it is called here: the Data API does not tell its name."""
        return f"Google Analytics {self.id}"

    def today(self, now: datetime) -> date:
        return day_of(now, self.zone)


@dataclass(frozen=True)
class Glance:
    """A property as a short report showed it: its sessions of four weeks, and what the login may not see."""

    found: Property
    sessions: int
    hidden: frozenset[Metric]


@dataclass
class PropertyCalls:
    """Asks about one property with one sign-in."""

    session: GoogleSession
    dialect: Ga4Dialect

    def report(self, request: dict[str, Any]) -> Any:
        """A page of a report. Raises SyncFailed and ReadStopped; without a call while the property rests."""
        now = self.session.client.watch.now()
        property_id = self.dialect.property_id
        free_at = self.dialect.free_at(now)
        if free_at is not None:
            raise SyncFailed(resting(free_at - now, None), until=free_at)
        return self.session.post_json(
            f"/{API_VERSION}/properties/{property_id}:runReport", {**request, "returnPropertyQuota": True}
        )

    def glance(self) -> Glance:
        """The property, by a report of its last four weeks. Raises SyncFailed and ReadStopped."""
        if not _ID.fullmatch(self.dialect.property_id):
            raise failed(TroubleClass.SETUP_ERROR, "The id of a property consists of digits.")
        today = self.session.client.watch.now().date()
        said = self.report(
            {
                "dateRanges": [date_range(DayRange(today - (_GLANCE_DAYS - 1) * ONE_DAY, today))],
                "dimensions": [{"name": "date"}],
                "metrics": [{"name": name} for name in FIELDS.values()],
                "limit": str(_GLANCE_DAYS),
            }
        )
        try:
            page = read_page(said, stream=ACCOUNT)
        except FigureInvalid as error:
            raise self.unreadable(error) from None
        found = self._property(page)
        self.dialect.zone = found.zone
        sessions = sum(int(row.values[Metric.SESSIONS]) for row in page.rows)
        return Glance(found, sessions, page.hidden)

    def unreadable(self, error: FigureInvalid) -> SyncFailed:
        """The end of a report that cannot be read."""
        # It may quote what Google wrote.
        said = self.session.client.clean(str(error))
        message = f"What Google Analytics reports cannot be read: {said}. Nothing of it landed."
        return failed(TroubleClass.INTERNAL, message)

    def _property(self, page: ReportPage) -> Property:
        if page.zone is None or page.zone not in available_timezones():
            message = "Google Analytics names a time zone for the property that Belfry does not know."
            raise failed(TroubleClass.INTERNAL, message)
        if page.currency is None or not _CURRENCY.fullmatch(page.currency):
            raise failed(TroubleClass.INTERNAL, "Google Analytics does not say in which currency the property is.")
        return Property(self.dialect.property_id, page.zone, page.currency)


def date_range(days: DayRange) -> dict[str, str]:
    """Absolute days: words such as “yesterday” would mean the day of whoever answers."""
    return {"startDate": days.first.isoformat(), "endDate": days.last.isoformat()}
