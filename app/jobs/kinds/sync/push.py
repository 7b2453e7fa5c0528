"""One attempt of a push: the figures of an account are read here, and put into a tab of a spreadsheet as a whole.

Figures are read without a call, and written out without a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.core.sealing import Sealer
from app.jobs.kinds.base import Level, RunContext
from app.jobs.kinds.sync.push_jobs import jobs_no_more
from app.jobs.kinds.sync.report import spent_before
from app.syncs.calls.client import Spent, Watch
from app.syncs.calls.troubles import TroubleClass, failed
from app.syncs.days import DayRange, day_of, last_whole_day
from app.syncs.figure_sources import FigureSource, list_sources
from app.syncs.logins import Login, note_used, open_login
from app.syncs.sheets.door import SheetsDoor
from app.syncs.sheets.layout import Layout
from app.syncs.sheets.plan import PushPlan
from app.syncs.sheets.push import Pushed, SheetPush
from app.syncs.sheets.table import PushTable
from app.syncs.wide_rows import WideFigure, read_wide


@dataclass
class PushReport:
    """What a push found and did, and what that cost. One that was put off counts with the attempts before."""

    connection: str = ""
    source: str = ""
    data_through: date | None = None
    done: Pushed | None = None
    before: Spent = field(default_factory=Spent)
    spent: Spent = field(default_factory=Spent)
    trouble: dict[str, str] | None = None

    @classmethod
    def after(cls, left_behind: Mapping[str, Any]) -> "PushReport":
        return cls(before=spent_before(left_behind))

    def as_json(self, *, is_over: bool, is_good: bool = False) -> dict[str, Any]:
        """As the attempt keeps it."""
        said: dict[str, Any] = {
            "connection": self.connection,
            "source": self.source,
            "requests": self.before.requests + self.spent.requests,
            "throttles": self.before.throttles + self.spent.throttles,
            "bytes": self.before.bytes + self.spent.bytes,
            "data_through": None if self.data_through is None else self.data_through.isoformat(),
        }
        if self.done is not None:
            said |= {
                "spreadsheet": self.done.book,
                "tab": self.done.tab,
                "rows_pushed": self.done.rows,
                "cells_changed": self.done.cells_changed,
            }
        if self.trouble is not None:
            said["trouble"] = self.trouble
        return said


@dataclass
class PushRun:
    """Pushes what a plan names into a spreadsheet."""

    plan: PushPlan
    connection_id: UUID
    door: SheetsDoor
    sealer: Sealer
    context: RunContext
    watch: Watch
    report: PushReport
    login: Login | None = field(default=None, init=False)

    def go(self) -> None:
        """Read and push. Raises what these raise; then the tab says what it said before."""
        self.watch.go_on()
        login = self.login = self._open_login()
        self.report.connection = login.name
        table = self._table(self._source())
        calls = self.door.calls(login.secret, watch=self.watch)
        self.report.spent = calls.spent
        # A run keeps its number over all of its attempts; no two attempts go on at once.
        push = SheetPush(
            calls, login.account_id, str(self.context.job_id), self.plan.tab, str(self.context.run_id), self._no_more
        )  # fmt: skip
        self.context.progress(1, 2, "pushing")
        self._say(push.push(table))
        self.context.progress(2, 2, "pushed")
        self._note_used()

    def _open_login(self) -> Login:
        with self.context.transaction() as session:
            return open_login(
                session, sealer=self.sealer, organization_id=self.context.organization_id,
                connection_id=self.connection_id, run_id=self.context.run_id, now=self.context.now(session),
            )  # fmt: skip

    def _source(self) -> FigureSource:
        """The account whose figures are pushed. Raises SyncFailed where it is gone."""
        with self.context.transaction() as session:
            found = list_sources(
                session, organization_id=self.context.organization_id, connection_ids=[self.plan.source]
            )
        if not found:
            words = "The account whose figures this pushes is gone. Choose another one in the job."
            raise failed(TroubleClass.SETUP_ERROR, words)
        self.report.source = found[0].name
        if not found[0].is_connected:
            self.context.log(f"“{found[0].name}” was disconnected: its figures are no longer new.", Level.WARNING)
        return found[0]

    def _table(self, source: FigureSource) -> PushTable:
        """All rows. Raises SyncFailed where nothing landed: a tab is not emptied because a sync was not run yet."""
        through = self.report.data_through = source.data_through(self.plan.level)
        if through is None or source.zone is None:
            words = (
                f"Nothing of “{source.name}” has landed by {self.plan.level} yet. Run its sync first, or choose "
                "figures that it has."
            )
            raise failed(TroubleClass.SETUP_ERROR, words)
        now = self.watch.now()
        layout = Layout(self.plan, source.name, source.zone, source.currency, through)
        portions = list(self.plan.portions(day_of(now, source.zone)))
        for number, periods in enumerate(portions):
            self.watch.go_on()
            # Reading is the smaller half of it.
            self.context.progress(number, 2 * len(portions), "reading figures")
            # The day that goes on is no whole one, wherever the week or month ends.
            last = min(periods[-1].last, last_whole_day(now, source.zone))
            layout.add(periods, self._figures(DayRange(periods[0].first, last)))
        return layout.table()

    def _figures(self, days: DayRange) -> list[WideFigure]:
        with self.context.transaction() as session:
            return read_wide(
                session, organization_id=self.context.organization_id, connection_id=self.plan.source,
                level=self.plan.level, metrics=self.plan.metrics, days=days,
            )  # fmt: skip

    def _no_more(self, job_ids: frozenset[str]) -> frozenset[str]:
        with self.context.transaction() as session:
            return jobs_no_more(
                session, organization_id=self.context.organization_id, connection_id=self.connection_id,
                job_ids=job_ids,
            )  # fmt: skip

    def _say(self, done: Pushed) -> None:
        self.report.done = done
        if done.was_edited:
            words = (
                f"“{done.tab}” had been changed by hand since the last push. Belfry's own figures stand there again."
            )
            self.context.log(words, Level.WARNING)
        changed = f"{done.cells_changed:,} cells changed" if done.cells_changed else "nothing had changed"
        self.context.log(f"“{done.tab}” of “{done.book}”: {done.rows:,} rows, {changed}.")

    def _note_used(self) -> None:
        with self.context.transaction() as session:
            note_used(
                session, organization_id=self.context.organization_id, connection_id=self.connection_id,
                now=self.context.now(session),
            )  # fmt: skip
