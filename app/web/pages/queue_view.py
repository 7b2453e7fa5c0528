"""The queue page with one tab open: figures, queues, causes and runs, and the ways from here to its other views."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from app.core.instants import write_instant
from app.core.questions import Question, ask_together
from app.core.scopes import PLATFORM
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, working_as
from app.jobs.queries import names_of_jobs
from app.ops.bulk.kinds import BulkKind
from app.ops.bulk.registry import KINDS
from app.ops.heartbeats import at_work, processes
from app.ops.stuck_runs import StuckEvidence, read_evidence
from app.runs.cause_groups import CauseGroups, list_causes
from app.runs.queue_figures import figure_questions, figures_of
from app.runs.queue_filter import QueueFilter, QueueTab
from app.runs.queue_limits import limits_and_switches
from app.runs.queue_lists import LOOKED_AT_ONCE, Matches, QueuePage, list_queue_tab, matches
from app.runs.queue_minutes import minutes
from app.runs.states import RunState
from app.runs.switches import QueueSwitchRow
from app.schedules.names import names_of_schedules
from app.tenants.organizations import organization_names
from app.tenants.platform import require_platform_admin
from app.web.formatting import count
from app.web.page_size import rows_per_page
from app.web.pages.badges import Badge
from app.web.pages.queue_causes import GroupLine, group_lines, groups_note
from app.web.pages.queue_rows import WAITING, QueueLine, counted, queue_lines
from app.web.pages.queue_search import read_queue_search
from app.web.pages.queue_tiles import Standstill, Tile, queue_tiles, standstill
from app.web.pages.rights import refusals
from app.web.pages.run_rows import RunLine, run_lines
from app.web.pages.tabs import Tab

_TAB_LABELS = {
    QueueTab.WAITING: "Waiting",
    QueueTab.RUNNING: "Running",
    QueueTab.RETRYING: "Retrying",
    QueueTab.DEAD: "Dead letter",
    QueueTab.REMOVED: "Removed",
    QueueTab.ALL: "All",
}
_BULK_KINDS = {
    QueueTab.DEAD: ("runs.retry", "runs.remove"),
    QueueTab.WAITING: ("runs.remove",),
    QueueTab.RETRYING: ("runs.remove",),
}
_COUNTED_STATES = {
    QueueTab.WAITING: WAITING,
    QueueTab.RUNNING: (RunState.RUNNING,),
    QueueTab.RETRYING: (RunState.WAITING_RETRY,),
    QueueTab.DEAD: (RunState.FAILED,),
}


@dataclass(frozen=True)
class Narrowing:
    """“Queue: sync”, and where the list is without it."""

    text: str
    href: str


@dataclass(frozen=True)
class QueueView:
    """The whole page. `refusal` says why this person may not change anything. Where it is of all, nothing is linked."""

    wanted: QueueFilter
    # What of the address could not be read: the list shows more than was asked for, so nothing is done to all of it.
    problems: tuple[str, ...]
    is_of_all: bool
    tiles: list[Tile]
    standstill: Standstill | None
    queues: list[QueueLine]
    tabs: list[Tab]
    narrowings: list[Narrowing]
    groups: list[GroupLine]
    groups_note: str
    lines: list[RunLine]
    # Of all organizations: whose each run is.
    owners: Mapping[UUID, str]
    evidence: Mapping[UUID, StuckEvidence]
    refusal: str
    paused: list[QueueSwitchRow]
    is_first: bool
    older_href: str
    looked: str
    # What can be done to ticked runs of this tab, and the words of the button that selects all of the list.
    bulk_kinds: list[BulkKind]
    select_all_label: str

    @property
    def tab(self) -> QueueTab:
        return self.wanted.tab

    @property
    def args(self) -> dict[str, str]:
        """The query string of this list, without the place of the page."""
        return self.wanted.args | ({"of": "all"} if self.is_of_all else {})

    @property
    def href(self) -> str:
        """The address of this list from its beginning."""
        return _address(self.wanted, {"of": "all"} if self.is_of_all else {})

    @property
    def bare_args(self) -> dict[str, str]:
        """The same of the tab with nothing left out."""
        return QueueFilter(self.wanted.tab).args | ({"of": "all"} if self.is_of_all else {})

    def tab_args(self, tab: QueueTab) -> dict[str, str]:
        return QueueFilter(tab).args | ({"of": "all"} if self.is_of_all else {})

    @property
    def queue_choices(self) -> list[str]:
        """What the list can be narrowed to; the queue it is narrowed to, too, where there is none of this name."""
        names = [queue.name for queue in self.queues]
        return names if self.wanted.queue in ("", *names) else [*names, self.wanted.queue]

    @property
    def refusal_of_all(self) -> str:
        """Why nothing may be done to all that the list shows."""
        return self.refusal or ("Part of the filter was left out. Choose another one first." if self.problems else "")

    @property
    def retry_fields(self) -> dict[str, str]:
        """What the buttons beside the causes have in common: each retries all of its cause that the list would show."""
        narrowing = {name: value for name, value in self.wanted.args.items() if name != "cause"}
        return narrowing | {"all": "yes", "action": "runs.retry"}

    @property
    def stuck(self) -> list[StuckEvidence]:
        return [found for found in self.evidence.values() if found.is_stuck]


def is_of_all(args: Mapping[str, str]) -> bool:
    """Whether everybody's runs are asked for. Raises PlatformAdminNeeded for those who may not see them."""
    if args.get("of") != "all":
        return False
    require_platform_admin(current_actor())
    return True


@contextmanager
def overseeing(*, of_all: bool) -> Iterator[tuple[Session, UUID | None]]:
    """The session that reads, and of which organization; none where it reads everybody's."""
    if not of_all:
        yield request_session(), current_actor().organization_id
        return
    with working_as(PLATFORM) as session:
        yield session, None


def queue_view(args: Mapping[str, str]) -> QueueView:
    """The queue as a query string wants it. Parts of it that cannot be read are left out, and told of."""
    search, of_all, now = read_queue_search(args), is_of_all(args), request_now()
    wanted, after = search.filter, search.after
    with overseeing(of_all=of_all) as (session, organization_id):
        asked: dict[str, Any] = {"organization_id": organization_id, "now": now}
        counted_runs, waits, hours, queues, heard_of = ask_together(
            session, *figure_questions(**asked), minutes(**asked), limits_and_switches(),
            processes(now=now, with_ended=True),
        )  # fmt: skip
        figures = figures_of(counted_runs, waits)
        found = list_queue_tab(session, wanted=wanted, limit=rows_per_page(), after=after, **asked)
        # Names are those of one's own organization, whoever's runs are listed.
        all_of_list, *named = ask_together(
            session, _matches_to_ask(organization_id, wanted, found, is_first=after is None),
            *_names_to_ask(wanted),
        )  # fmt: skip
        causes = _causes(session, organization_id, wanted) if wanted.tab is QueueTab.DEAD and after is None else None
        running = [row.id for row in found.rows if row.state is RunState.RUNNING]
        evidence = read_evidence(session, run_ids=running, processes=heard_of, **asked) if running else {}
        owners = organization_names(session, {row.organization_id for row in found.rows}) if of_all else {}
    total = counted(figures, _COUNTED_STATES.get(wanted.tab, ()))
    more = {"of": "all"} if of_all else {}
    paused = [switch for _limits, switch in queues if switch is not None]
    workers = [row for row in heard_of if not row.has_ended]
    return QueueView(
        wanted=wanted,
        problems=search.problems,
        is_of_all=of_all,
        tiles=queue_tiles(figures, hours, workers, now=now),
        standstill=standstill(figures, workers, now=now),
        queues=queue_lines(queues, figures, hours, at_work(workers, now=now)),
        tabs=[_tab(each, wanted, more, counted(figures, _COUNTED_STATES.get(each, ()))) for each in QueueTab],
        narrowings=_narrowings(wanted, more, *named),
        groups=group_lines(causes, wanted, more),
        groups_note=groups_note(causes),
        lines=[_marked(line, {switch.name for switch in paused}) for line in run_lines(found.rows)],
        owners=owners,
        evidence=evidence,
        refusal="" if of_all else refusals().manage_queue,
        paused=paused,
        is_first=after is None,
        older_href=_older_href(found, wanted, more),
        looked=f"Looked through {LOOKED_AT_ONCE:,} runs." if found.was_cut else "",
        bulk_kinds=[KINDS[name] for name in _BULK_KINDS.get(wanted.tab, ())] if found.rows else [],
        select_all_label=_select_all_label(wanted, _matches(wanted, found, all_of_list, is_first=after is None), total),
    )


def _matches_to_ask(
    organization_id: UUID | None, wanted: QueueFilter, found: QueuePage, *, is_first: bool
) -> Question[Matches] | None:
    """How many a narrowed list has, where its first page does not have them all."""
    if _is_all_shown(found, is_first=is_first) or not _can_select_all(wanted):
        return None
    return matches(organization_id=organization_id, wanted=wanted, now=request_now())


def _matches(wanted: QueueFilter, found: QueuePage, asked: Matches | None, *, is_first: bool) -> Matches | None:
    """How many a narrowed list has; None where it is not narrowed, or nothing can be done to its runs."""
    if not _can_select_all(wanted):
        return None
    return Matches(len(found.rows), is_all=True) if _is_all_shown(found, is_first=is_first) else asked


def _can_select_all(wanted: QueueFilter) -> bool:
    return bool(wanted.narrowing) and wanted.tab in _BULK_KINDS


def _is_all_shown(found: QueuePage, *, is_first: bool) -> bool:
    return is_first and found.next is None


def _select_all_label(wanted: QueueFilter, matches: Matches | None, total: str) -> str:
    if matches is None:
        return f"Select all {total}"
    return f"Select all {count(matches.runs)}{'' if matches.is_all else '+'} matching"


def _causes(session: Session, organization_id: UUID | None, wanted: QueueFilter) -> CauseGroups | None:
    # A text is searched for in the runs of the list; the groups have no other words than their causes.
    return None if wanted.text else list_causes(session, organization_id=organization_id, wanted=wanted)


def _older_href(found: QueuePage, wanted: QueueFilter, more: Mapping[str, str]) -> str:
    if found.next is None:
        return ""
    return _address(wanted, more, after=f"{write_instant(found.next.at)}_{found.next.run_id}")


def _address(wanted: QueueFilter, more: Mapping[str, str], **rest: str) -> str:
    arguments: dict[str, Any] = {**wanted.args, **more, **rest}
    return url_for("web.queue", **arguments)


def _tab(tab: QueueTab, wanted: QueueFilter, more: Mapping[str, str], number: str) -> Tab:
    href = _address(wanted.with_tab(tab), more)
    return Tab(_TAB_LABELS[tab], href, tab is wanted.tab, number if number != "0" else 0)


def _marked(line: RunLine, paused: set[str]) -> RunLine:
    is_held = line.run.queue in paused and line.run.state is RunState.READY
    return replace(line, badge=Badge("paused")) if is_held else line


def _names_to_ask(wanted: QueueFilter) -> list[Question[dict[UUID, str]] | None]:
    """What schedule and job are called that the list is narrowed to, where it is."""
    here = {"organization_id": current_actor().organization_id}
    return [
        None if wanted.schedule_id is None else names_of_schedules(**here, schedule_ids=[wanted.schedule_id]),
        None if wanted.job_id is None else names_of_jobs(**here, job_ids=[wanted.job_id]),
    ]


def _narrowings(
    wanted: QueueFilter, more: Mapping[str, str], schedules: dict[UUID, str] | None, jobs: dict[UUID, str] | None
) -> list[Narrowing]:
    said: list[tuple[str, QueueFilter]] = []
    # The history of what was deleted stays, and so do links to it.
    unknown = "another one" if more else "a deleted one"
    if wanted.schedule_id is not None:
        name = (schedules or {}).get(wanted.schedule_id, unknown)
        said.append((f"Schedule: {name}", replace(wanted, schedule_id=None)))
    if wanted.job_id is not None:
        name = (jobs or {}).get(wanted.job_id, unknown)
        said.append((f"Job: {name}", replace(wanted, job_id=None)))
    if wanted.cause:
        said.append(("One cause", replace(wanted, cause="")))
    return [Narrowing(text, _address(without, more)) for text, without in said]
