"""Landing: a whole window becomes the truth of its days in one transaction, or nothing of it does.

Rows are written only where they say something new, so that the same window again changes and logs nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.syncs import loss, writing
from app.syncs.connections import Account, lock_for_landing
from app.syncs.days import DayRange
from app.syncs.differences import Change, Differences, find_differences
from app.syncs.figures import FetchedWindow, Figure, Stream
from app.syncs.models import StreamState
from app.syncs.streams import Doubt, find_stream, record_landing, refuse_older
from app.syncs.volume import Band
from app.syncs.writing import OVERTAKEN, NewerFigures, Place

# Figures that are compared at once: what a landing takes in memory, however long its window. One day at least.
PIECE = 5_000

# Keeps the run its attempt's until the transaction ends, or raises. Asked last, just before the commit, for its lease
# could not be renewed while it is held.
HoldRun = Callable[[Session], None]


class LedgerWindow(Protocol):
    """What a service told of single events, such as sales, whose sums are figures: the rows are kept, and summed here.

    Figures of a day are then always those of all rows of that day, however many windows told of them.
    """

    @property
    def zone(self) -> str: ...

    @property
    def currency(self) -> str | None: ...

    @property
    def fetched_at(self) -> datetime: ...

    @property
    def stream(self) -> Stream: ...

    def settle(self, session: Session, place: Place, *, believes_losses: bool, now: datetime) -> FetchedWindow:
        """Write the rows, and say what they make of every day that they touch, in the transaction of the landing.

        For whoever has the connection locked. Rows that the same window told before are written as little as figures.
        """


@dataclass(frozen=True)
class Landed:
    """What a landing did. `data_through` is the last day that is complete, with all days before it.

    `is_newly_doubted` is true the first time a stream is in doubt, until it is as usual again or called normal.
    """

    days: DayRange
    rows_seen: int
    appeared: int
    changed: int
    vanished: int
    data_through: date | None
    usual: Band | None
    doubt: Doubt | None
    is_newly_doubted: bool

    @property
    def rows_changed(self) -> int:
        return self.appeared + self.changed + self.vanished


def land_window(
    session: Session,
    *,
    organization_id: UUID,
    connection_id: UUID,
    run_id: UUID,
    window: FetchedWindow | LedgerWindow,
    hold_run: HoldRun,
    now: datetime,
) -> Landed:
    """Land a window in the caller's transaction, which is to be committed at once or taken back as a whole.

    1. Wait for whoever lands the same connection; refuse what is older than what is there. Settle a ledger's rows.
    2. Write what is new or different, and log what changed of days that had been complete.
    3. Mark what vanished, unless so much is missing that the login is more likely to lack a right.
    4. Record the landing, raise the watermark, judge the volume.
    5. Make sure that the run is still this attempt's.

    Raises ConnectionNotFound, ConnectionEnded, AccountChanged, NewerFigures, FigureInvalid, and what `hold_run` raises.
    """
    account = Account(window.zone, window.currency)
    lock_for_landing(session, organization_id=organization_id, connection_id=connection_id, account=account)
    place = Place(organization_id, connection_id, run_id)
    stream = find_stream(session, place, window.stream)
    settled = _settled(session, place, window, stream, now)
    refuse_older(session, place, settled)
    landed = _Landing(session, place, settled, stream, now).land()
    hold_run(session)
    return landed


def _settled(
    session: Session, place: Place, window: FetchedWindow | LedgerWindow, stream: StreamState, now: datetime
) -> FetchedWindow:
    if isinstance(window, FetchedWindow):
        return window
    # It speaks of whatever was changed since the one before, and not of certain days: only its order tells its age.
    if stream.fetched_at is not None and stream.fetched_at > window.fetched_at:
        raise NewerFigures(OVERTAKEN)
    return window.settle(session, place, believes_losses=_believes_losses(stream, now), now=now)


def _believes_losses(stream: StreamState, now: datetime) -> bool:
    """Whether somebody said of late that it is normal when most of what was there is missing."""
    return stream.losses_until is not None and now < stream.losses_until


@dataclass
class _Tally:
    had: int = 0
    unseen: int = 0
    appeared: int = 0
    changed: int = 0

    def add(self, found: Differences) -> None:
        appeared = sum(change.old_value is None for change in found.changes)
        self.appeared += appeared
        self.changed += len(found.writes) - appeared
        self.unseen += len(found.unseen)


@dataclass(frozen=True)
class _Piece:
    """Some days in a row, and what was fetched of them."""

    days: DayRange
    figures: list[Figure] = field(default_factory=list)


@dataclass(frozen=True)
class _Landing:
    session: Session
    place: Place
    window: FetchedWindow
    stream: StreamState
    now: datetime

    def land(self) -> Landed:
        days = DayRange(self.window.first_day, self.window.last_day)
        kept = writing.count_kept(self.session, self.place, self.window.stream, days)
        pieces = list(_pieces(self.window, kept))
        tally = _Tally(had=sum(live for _, live in kept.values()))
        for piece in pieces:
            tally.add(self._write(piece))
        self._write_names()
        is_loss = self._is_short(tally) and not _believes_losses(self.stream, self.now)
        vanished = 0 if is_loss else tally.unseen
        if vanished:
            for piece in pieces:
                self._let_vanish(piece)
        changed = tally.appeared + tally.changed + vanished
        judged = record_landing(
            self.session, self.place, self.stream, self.window, rows_changed=changed, is_loss=is_loss, now=self.now
        )
        return Landed(
            days, len(self.window.figures), tally.appeared, tally.changed, vanished,
            judged.data_through, judged.usual, judged.doubt, judged.is_newly_doubted,
        )  # fmt: skip

    def _is_short(self, tally: _Tally) -> bool:
        # Rows of a ledger that went are gone from it: were their figures kept, nobody would sum those days again.
        if self.window.is_short is not None:
            return self.window.is_short
        return loss.is_suspicious(had=tally.had, unseen=tally.unseen)

    def _write(self, piece: _Piece) -> Differences:
        found = self._compare(piece)
        writing.write_figures(self.session, self.place, self.window, found.writes, now=self.now)
        self._log(found.changes)
        return found

    def _let_vanish(self, piece: _Piece) -> None:
        found = self._compare(piece)
        writing.mark_vanished(
            self.session, self.place, self.window, [change.key for change in found.unseen], now=self.now
        )
        self._log(found.unseen)

    def _compare(self, piece: _Piece) -> Differences:
        kept = writing.read_kept(self.session, self.place, self.window.stream, piece.days)
        return find_differences(kept, piece.figures, flags=self.window.flags)

    def _log(self, changes: Iterable[Change]) -> None:
        """Of days that were complete before. That figures of a day under way grow is no news."""
        complete = self.stream.high_water
        if complete is None:
            return
        told = (change for change in changes if change.key.day <= complete)
        writing.log_changes(self.session, self.place, self.window, told, now=self.now)

    def _write_names(self) -> None:
        entities = {figure.entity.id: figure.entity for figure in self.window.figures}
        # Days that are landed late are not to bring old names back.
        is_newest = self.stream.fetched_at is None or self.window.fetched_at >= self.stream.fetched_at
        writing.write_names(self.session, self.place, entities.values(), are_newest=is_newest)


def _pieces(window: FetchedWindow, kept: Mapping[date, tuple[int, int]]) -> Iterator[_Piece]:
    """The days of the window that have any figures, fetched or kept, so many together that they can be compared."""
    fetched: dict[date, list[Figure]] = defaultdict(list)
    for figure in window.figures:
        fetched[figure.day].append(figure)
    days: list[date] = []
    size = 0
    for day in sorted(fetched.keys() | kept.keys()):
        weight = len(fetched.get(day, ())) + kept.get(day, (0, 0))[0]
        if days and size + weight > PIECE:
            yield _piece(days, fetched)
            days, size = [], 0
        days.append(day)
        size += weight
    if days:
        yield _piece(days, fetched)


def _piece(days: list[date], fetched: Mapping[date, list[Figure]]) -> _Piece:
    figures = [figure for day in days for figure in fetched.get(day, ())]
    return _Piece(DayRange(days[0], days[-1]), figures)
