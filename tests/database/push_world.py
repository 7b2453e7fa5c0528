"""An organization whose figures of Meta are pushed to a spreadsheet at the fake of Google Sheets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.jobs.kinds.base import KindName, RunContext
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.models import Job
from app.jobs.service import SYNC_RETRY
from app.runs.models import Run
from app.syncs.calls.client import Watch
from app.syncs.logins import TOKEN as TOKEN_FIELD
from app.syncs.sheets.door import SheetsDoor
from app.syncs.signs.key_files import clean_key_file
from app.vault.service import SecretOwner, seal
from tests.database.sync_world import SyncWorld, meta_sources
from tests.factories.figures import make_connection
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.google.keys import READER, key_file
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.sheets.book import Book
from tests.fakes.providers.sheets.fake import SheetsFake
from tests.fakes.providers.sheets.scenarios import BOOK
from tests.fakes.providers.world import World
from tests.fakes.vault import SEALER

PLAN: dict[str, Any] = {
    "level": "campaign", "metrics": ["spend", "clicks", "purchases"], "grain": "day", "days": 30, "tab": "Spend",
}  # fmt: skip


def make_push_world() -> World:
    google = GoogleFake()
    return World(MetaFake(), google, SheetsFake(google.email_of))


def sheets_door(world: World) -> SheetsDoor:
    return SheetsDoor(f"{BASE}/sheets", f"{BASE}/google/token", InsideClient(world), chance=lambda: 0.5)


@dataclass
class PushWorld(SyncWorld):
    """One organization, its worker, and a job that pushes what another one reads."""

    world: World = field(default_factory=make_push_world)
    spreadsheet: str = BOOK
    # The service account that writes.
    email: str = READER
    sheet_id: UUID = field(init=False)
    push_job_id: UUID = field(init=False)
    push_schedule_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sheet_id = self.connect_sheet(self.spreadsheet)
        self.push_job_id = self.make_push(self.sheet_id)
        with self.database.transaction() as session:
            job = session.get_one(Job, self.push_job_id)
            later = self.world.now + timedelta(hours=7)
            self.push_schedule_id = make_schedule(session, job, name="Push", next_run_at=later).id

    def kind(self, watch: Callable[[RunContext], Watch]) -> SyncKind:
        return SyncKind(SEALER, meta_sources(self.world), sheets=sheets_door(self.world), watch=watch)

    def connect_sheet(self, spreadsheet: str) -> UUID:
        """A connection to a spreadsheet, whether its service account may change it or not."""
        with self.database.transaction() as session:
            made = make_connection(
                session, self.organization_id, name=f"Sheet {spreadsheet[-4:]}", service="sheets",
                account_id=spreadsheet, zone=None, currency=None,
            )  # fmt: skip
            owner = SecretOwner.connection(self.organization_id, made.id)
            value = clean_key_file(key_file(self.email))
            made.secret_id = seal(
                session, sealer=SEALER, owner=owner, field=TOKEN_FIELD, value=value, now=self.world.now
            )
            made.secret_set_at = self.world.now
            return made.id

    def make_push(self, sheet_id: UUID, **plan: Any) -> UUID:
        with self.database.transaction() as session:
            name = f"Push {plan.get('tab', 'Spend')}"
            job = make_job(session, self.organization_id, name=name, kind=KindName.SYNC, retry=SYNC_RETRY)
            wanted = {**PLAN, "source": str(self.connection_id), **plan}
            job.service = "sheets"
            job.definition = {"service": "sheets", "connection_id": str(sheet_id), "push": wanted}
            job.time_limit_seconds = 3_600
            return job.id

    def ready_push(self, job_id: UUID | None = None, **plan: Any) -> UUID:
        job_id = job_id or self.push_job_id
        self.change_plan(job_id, **plan)
        with self.database.transaction() as session:
            return make_run(session, session.get_one(Job, job_id), now=self.world.now)

    def change_plan(self, job_id: UUID | None = None, **plan: Any) -> None:
        """Push something else from now on."""
        with self.database.transaction() as session:
            job = session.get_one(Job, job_id or self.push_job_id)
            job.definition = {**job.definition, "push": {**job.definition["push"], **plan}}

    def push(self, job_id: UUID | None = None, **plan: Any) -> Run:
        """One attempt of a new run."""
        return self.attempt(self.ready_push(job_id, **plan))

    @property
    def book(self) -> Book:
        found: SheetsFake = self.world.provider("sheets")
        return found.books[self.spreadsheet]

    def seen(self, tab: str = "Spend") -> list[list[Any]]:
        """What a person sees in a tab."""
        return self.book.tab(tab).table()

    @property
    def asked(self) -> list[str]:
        """What was asked of Google Sheets."""
        return [each.route for each in self.world.asked if each.provider == "sheets"]
