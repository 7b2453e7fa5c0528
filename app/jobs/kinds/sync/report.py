"""What a run of a sync reports: what it saw and changed, what that cost, and how far its figures go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from app.syncs.calls.client import Spent
from app.syncs.doubts import doubt_words
from app.syncs.landing import Landed
from app.syncs.sources import AccountFacts, ReportShelf
from app.syncs.streams import Doubt

# For the next attempt alone, and not for people.
_REPORTS = "_reports"
_COUNTED = ("requests", "throttles", "bytes")


class Flag(StrEnum):
    """What is odd about a run that went well."""

    EMPTY = "empty"  # the service had no figures at all for what was asked
    SUSPICIOUS = "suspicious"  # most figures are gone, or there are far more or fewer than usual


def spent_before(left_behind: Mapping[str, Any]) -> Spent:
    """What the attempts before have cost. What cannot be read is counted from nothing."""
    try:
        requests, throttles, size = (int(left_behind.get(name, 0)) for name in _COUNTED)
    except (TypeError, ValueError):
        return Spent()
    return Spent(requests, throttles, size)


@dataclass
class StreamReport:
    """What became of one stream so far."""

    rows_seen: int = 0
    rows_changed: int = 0
    windows: int = 0
    data_through: date | None = None
    doubt: Doubt | None = None
    usual: str | None = None
    note: str = ""

    def add(self, landed: Landed) -> None:
        self.rows_seen += landed.rows_seen
        self.rows_changed += landed.rows_changed
        self.windows += 1
        self.data_through = landed.data_through
        if landed.doubt is not None:
            # One odd window is enough.
            self.doubt, self.usual = landed.doubt, None if landed.usual is None else str(landed.usual)
            self.note = doubt_words(landed)

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "rows_seen": self.rows_seen, "rows_changed": self.rows_changed, "windows": self.windows,
            "data_through": None if self.data_through is None else self.data_through.isoformat(),
        }  # fmt: skip
        if self.doubt is not None:
            said |= {"doubt": self.doubt.value, "usual": self.usual, "note": self.note}
        return said

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "StreamReport":
        through, doubt = said.get("data_through"), said.get("doubt")
        return cls(
            int(said.get("rows_seen", 0)), int(said.get("rows_changed", 0)), int(said.get("windows", 0)),
            None if through is None else date.fromisoformat(through),
            Doubt(doubt) if doubt in set(Doubt) else None, said.get("usual"), str(said.get("note", "")),
        )  # fmt: skip


@dataclass
class SyncReport:
    """A run's report so far. One that was put off goes on with that of the attempt before."""

    connection: str = ""
    account: AccountFacts | None = None
    streams: dict[str, StreamReport] = field(default_factory=dict)
    before: Spent = field(default_factory=Spent)
    spent: Spent = field(default_factory=Spent)
    shelf: ReportShelf = field(default_factory=ReportShelf)
    trouble: dict[str, str] | None = None
    # Whether an attempt before, of which nothing else is known, landed any figures.
    has_landed_before: bool = False

    @classmethod
    def after(cls, left_behind: Mapping[str, Any]) -> "SyncReport":
        """One that goes on where an attempt left off. What cannot be read is counted from nothing."""
        try:
            streams = {said["name"]: StreamReport.read(said) for said in left_behind.get("streams", [])}
        except (AttributeError, KeyError, TypeError, ValueError):
            streams = {}
        before = spent_before(left_behind)
        return cls(streams=streams, before=before, shelf=ReportShelf.read(left_behind.get(_REPORTS, {})))

    def of(self, stream: str) -> StreamReport:
        return self.streams.setdefault(stream, StreamReport())

    @property
    def rows_seen(self) -> int:
        return sum(stream.rows_seen for stream in self.streams.values())

    @property
    def rows_changed(self) -> int:
        return sum(stream.rows_changed for stream in self.streams.values())

    @property
    def data_through(self) -> date | None:
        """The last day that is complete in every stream."""
        days = [stream.data_through for stream in self.streams.values()]
        return None if not days or None in days else min(day for day in days if day is not None)

    @property
    def flag(self) -> Flag | None:
        if any(stream.doubt is not None for stream in self.streams.values()):
            return Flag.SUSPICIOUS
        is_empty = self.rows_seen == 0 and not self.has_landed_before
        return Flag.EMPTY if self.streams and is_empty else None

    @property
    def note(self) -> str:
        """What the flag means here, and what to do."""
        odd = [f"{name}: {stream.note}" for name, stream in self.streams.items() if stream.note]
        return " ".join(odd) or "Look whether the account is the right one, if there should be some."

    def as_json(self, *, is_over: bool, is_good: bool = False) -> dict[str, Any]:
        """As the attempt keeps it. Reports that wait are of use only to an attempt that goes on.

        A run that did not end well is not empty: what it could not read is not known.
        """
        said: dict[str, Any] = {
            "connection": self.connection,
            "rows_seen": self.rows_seen,
            "rows_changed": self.rows_changed,
            "requests": self.before.requests + self.spent.requests,
            "throttles": self.before.throttles + self.spent.throttles,
            "bytes": self.before.bytes + self.spent.bytes,
            "data_through": None if self.data_through is None else self.data_through.isoformat(),
            "streams": [{"name": name} | stream.as_json() for name, stream in self.streams.items()],
        }
        if self.spent.quota is not None:
            quota = self.spent.quota
            told = {
                "used_percent": round(quota.percent, 1),
                "cost_percent": round(quota.cost, 1),
                "at": quota.at.isoformat(),
                "refills_at": (quota.at + quota.refills).isoformat(),
            }
            said |= {"quota": told}
        if self.account is not None:
            said |= {"zone": self.account.zone, "currency": self.account.currency}
        if is_over and self.flag is not None and (is_good or self.flag is not Flag.EMPTY):
            said |= {"flag": self.flag.value, "note": self.note}
        if self.trouble is not None:
            said["trouble"] = self.trouble
        if not is_over and self.shelf.waiting:
            said[_REPORTS] = self.shelf.as_json()
        return said
