"""What goes on while the pictures are taken: runs in every state, a team, views, and people who have or may little.

What the queue shows is held by two workers of this module's own: one reports all the time, one has fallen silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.jobs.kinds.base import KindName, Level
from app.jobs.models import Job
from app.ops.bulk import service as bulk
from app.ops.heartbeats import ProcessFacts, beat
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.logs import NewLine, append_lines
from app.runs.models import Run
from app.runs.progress import Progress, write_progress
from app.runs.retries import Next
from app.runs.service import delete_schedule
from app.runs.states import AttemptState, Reason, RunState
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.invitations import invite
from app.tenants.roles import Role
from app.tenants.saved_views import ListName, save_view
from app.tenants.tokens import TokenDraft, create_token
from bench.installation import Installation
from tests.factories.outcomes import make_failed
from tests.factories.tenants import Member, make_member, make_organization
from tests.factories.work import make_job, make_run

BUSY, SILENT = "belfry-2:90", "belfry-3:77"
LONG = timedelta(hours=2)
TRACEBACK = """Traceback (most recent call last):
  File "shop/catalogue.py", line 88, in copy_page
    rows = [clean(row) for row in answer["rows"]]
  File "shop/rows.py", line 31, in clean
    return Row(row["sku"], Decimal(row["price"]))
KeyError: 'price'"""
# As people do type and paste them.
NAMES = (
    '<script>alert(1)</script> & "quotes" \' <b>bold</b>',
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft_" + "x" * 38,
    "مزامنة الطلبات اليومية من المتجر",
    "毎日の注文を倉庫に同期する 🚚📦 Ünïcödé",
    "-",
)


@dataclass(frozen=True)
class People:
    """Who looks: the owner, who looks after the installation as well, and others, by their emails."""

    ana: Member
    viewer: Member
    newcomer: Member
    edges: Member


def make_people(session: Session) -> People:
    """A team with its members, one organization with nothing in it, and one with everything that is too long."""
    team = make_organization(session, name="Northwind Trading", timezone="Europe/Berlin")
    ana, _ben, viewer = (
        make_member(
            session, role=role, organization_id=team, email=f"{name.split()[0].lower()}@example.com", name=name,
            timezone="Europe/Berlin", is_platform_admin=role is Role.OWNER,
        )
        for name, role in (("Ana Silva", Role.OWNER), ("Ben Okafor", Role.ADMIN), ("Chloe Martin", Role.VIEWER))
    )  # fmt: skip
    newcomer = make_member(session, email="newcomer@example.com", name="Noor Aziz")
    long = make_organization(session, name="Handelsgesellschaft für außergewöhnlich lange Namen & <b>Söhne</b> mbH")
    edges = make_member(
        session, organization_id=long, email=f"{'long' * 12}@subdomain.of.a.very.long.example.com", name=NAMES[0]
    )
    return People(ana, viewer, newcomer, edges)


def begin(place: Installation, people: People) -> None:
    """All that is going on."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        _team_up(session, people, now)
        job = _make_job(session, people.ana, "Catalogue copy")
        # The two that run now are all that may, so that the next one waits.
        job.concurrency = 2
        _run_everything(session, job, now)
        _tidy(session, people.ana, job, now)
        _go_to_the_edges(session, people.edges, now)
    keep_reporting(place)
    with place.database.transaction() as session:
        silent_since = DatabaseClock().now(session) - timedelta(minutes=4)
        beat(session, _process(SILENT), now=silent_since, ticked_at=None, tick_ms=None, running=1)


def keep_reporting(place: Installation) -> None:
    """The worker that is alive says so again."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        beat(session, _process(BUSY), now=now, ticked_at=None, tick_ms=None, running=1, memory_mib=71)


def _process(name: str) -> ProcessFacts:
    host, pid = name.split(":")
    return ProcessFacts(UUID(int=int(pid)), name, "0.1.0", 4, schedules=False, host=host, pid=int(pid))


def _make_job(session: Session, owner: Member, name: str) -> Job:
    """A call of an API, under a name that nobody checks."""
    job = make_job(session, owner.organization_id, name=name, kind=KindName.WORKFLOW)
    job.definition = {"steps": [{"name": "Call", "method": "POST", "url": "https://api.example.com/catalogue"}]}
    return job


def _team_up(session: Session, people: People, now: datetime) -> None:
    ana = people.ana.actor
    invite(session, actor=ana, email="dmitri@example.com", role=Role.OPERATOR, now=now - timedelta(days=2))
    draft = TokenDraft("Deploy pipeline", ("view", "run"))
    create_token(session, actor=ana, user_id=people.ana.user_id, draft=draft, now=now - timedelta(days=9))
    views = {"Shop, failing": {"tag": "shop", "status": "failing"}, "Warehouse": {"tag": "warehouse"}}
    for name, query in views.items():
        save_view(session, actor=ana, list_name=ListName.SCHEDULES, name=name, query=query, is_shared=True, now=now)
    kept = {"name": "Failed this week", "query": {"state": "failed", "last": "7d"}, "is_shared": False}
    save_view(session, actor=ana, list_name=ListName.RUNS, now=now, **kept)


def _run_everything(session: Session, job: Job, now: datetime) -> None:
    """A dead letter after three tries, and runs that go on, are stuck, wait for their next try, or for a slot."""
    first, lines = now - timedelta(minutes=52), _lines(320)
    run_id = make_run(session, job, now=first)
    for number, minutes in enumerate((0, 2, 7), 1):
        begun = first + timedelta(minutes=minutes)
        held = _start(session, run_id, BUSY, begun)
        _log(session, job, held, lines if number == 3 else lines[:40], begun)
        end = AttemptEnd(AttemptState.FAILED, "KeyError: 'price' in row 1,204 of page 7", TRACEBACK)
        next_at = begun + timedelta(minutes=1)
        then = (
            Next(RunState.WAITING_RETRY, Reason.ERROR, next_at) if number < 3 else Next(RunState.FAILED, Reason.ERROR)
        )
        ledger.put_down(session, **held, end=end, then=then, now=begun + timedelta(seconds=41))
        ledger.make_ready(session, run_ids=[run_id], now=next_at)
    for worker, ago in ((BUSY, timedelta(seconds=50)), (SILENT, timedelta(minutes=26))):
        held = _start(session, make_run(session, job, now=now - ago), worker, now - ago)
        _log(session, job, held, lines[:60], now - ago)
        write_progress(session, **held, progress=Progress(1_240, 3_000, "rows copied"))
    held = _start(session, make_run(session, job, now=now - timedelta(minutes=3)), BUSY, now - timedelta(minutes=3))
    end = AttemptEnd(AttemptState.FAILED, "POST https://api.example.com/catalogue answered 429 Too Many Requests")
    later = Next(RunState.WAITING_RETRY, Reason.ERROR, now + LONG)
    ledger.put_down(session, **held, end=end, then=later, now=now - timedelta(minutes=2))
    make_run(session, job, now=now - timedelta(seconds=20))


def _start(session: Session, run_id: UUID, worker: str, at: datetime) -> dict[str, object]:
    session.expire_all()
    started = ledger.start(session, run_id=run_id, worker=worker, lease_until=at + LONG, now=at)
    assert started is not None
    return {"run_id": run_id, "token": started.token}


def _lines(number: int) -> list[tuple[str, Level]]:
    """What a long job says."""
    said = [(f"Page {at // 40 + 1}: row {at * 12:,} of 3,840 copied", Level.INFO) for at in range(number)]
    said[25] = ("Row 300 has no picture, which is left out", Level.WARNING)
    where = "a very long line of the export " * 6
    said[-1] = (f"KeyError: 'price' in row 1,204 of page 7, which came from {where}", Level.ERROR)
    return said


def _log(session: Session, job: Job, held: dict, lines: Sequence[tuple[str, Level]], at: datetime) -> None:
    written = [
        NewLine(text, level, at + timedelta(milliseconds=120 * number)) for number, (text, level) in enumerate(lines)
    ]
    append_lines(session, organization_id=job.organization_id, lines=written, **held)


def _tidy(session: Session, ana: Member, job: Job, now: datetime) -> None:
    """One schedule is deleted, and several get a tag at once, which the worker carries out."""
    draft = ScheduleDraft("Old catalogue", job.id, "0 4 * * *", "Europe/Berlin", "old")
    old = create_schedule(session, actor=ana.actor, draft=draft, now=now - timedelta(days=1))
    delete_schedule(session, actor=ana.actor, schedule_id=old, now=now - timedelta(hours=2))
    alive = Schedule.organization_id == ana.organization_id, Schedule.deleted_at.is_(None)
    ids = list(session.scalars(select(Schedule.id).where(*alive).order_by(Schedule.id).limit(3)))
    made = bulk.select_objects(session, actor=ana.actor, family="schedules", object_ids=ids, now=now)
    bulk.start(session, actor=ana.actor, bulk_id=made, kind="schedules.add_tag", parameters={"tag": "europe"}, now=now)


def _go_to_the_edges(session: Session, edges: Member, now: datetime) -> None:
    """Names and errors that no page expects, and sixty runs that are retried ten a minute."""
    error = "The answer was " + "<html><body>" + "0123456789abcdef" * 24
    for number, name in enumerate(NAMES):
        job = _make_job(session, edges, name)
        zone, tags = "America/Argentina/ComodRivadavia", (f"tag-{number}",)
        draft = ScheduleDraft(name, job.id, "*/7 3-5,9 1-7 * MON", zone, str(new_id()), tags=tags)
        made = create_schedule(session, actor=replace(edges.actor, label=edges.email), draft=draft, now=now)
        for back in range(12):
            make_failed(session, job, now=now - timedelta(minutes=9 * back + 1), error=error, schedule_id=made)
    mine = Run.organization_id == edges.organization_id
    ids = list(session.scalars(select(Run.id).where(mine)))
    retried = bulk.select_objects(session, actor=edges.actor, family="runs", object_ids=ids, now=now)
    bulk.start(session, actor=edges.actor, bulk_id=retried, kind="runs.retry", parameters={}, per_minute=10, now=now)
