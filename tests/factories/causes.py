"""The causes that keep a schedule from running, each put there as it comes about, with what is to be said of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops.models import Heartbeat
from app.runs.models import Run
from app.runs.queue_models import ConnectionLimit, Queue
from app.schedules.models import Schedule, SchedulingStop
from app.tenants.models import Organization
from tests.factories.outcomes import make_running
from tests.factories.work import make_job, make_run, make_schedule

WORKER, ACCOUNT = "tower:7", "meta:7"
HALF_AN_HOUR = timedelta(minutes=30)

Tell = Callable[[datetime], str]


@dataclass(frozen=True)
class Held:
    """What somebody may ask about, and what they have to be told: a code with its facts, and words.

    `waits` is the run that waits, where there is one: it and its schedule then have the same answer. Where the words
    name a moment, they have a gap for it, `{since}` or `{until}`.
    """

    schedule_id: UUID
    code: str
    words: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    waits: UUID | None = None

    def said(self, tell: Tell) -> str:
        """The words as somebody reads them who tells moments like this."""
        moments = {name: tell(value) for name, value in self.facts.items() if isinstance(value, datetime)}
        return self.words.format_map(moments)


class Scene:
    """A schedule of one organization, with a worker that serves its queue and keeps time unless that is the cause."""

    def __init__(self, session: Session, organization_id: UUID, now: datetime) -> None:
        self.session, self.now = session, now
        self.ago = now - HALF_AN_HOUR
        self.job = make_job(session, organization_id)
        self.schedule = make_schedule(session, self.job, next_run_at=now + timedelta(hours=1), name="Nightly")

    def report(self, **columns: Any) -> None:
        """A process that was heard of just now, and keeps time."""
        usual = {"version": "1.0", "slots": 5, "schedules": True, "started_at": self.ago}
        heard = columns.get("beat_at", self.now)
        values = usual | {"name": WORKER, "beat_at": heard, "ticked_at": heard} | columns
        self.session.add(Heartbeat(process_id=new_id(), **values))

    def run(self, **columns: Any) -> UUID:
        """A run of the schedule that is in line."""
        slot_at = self.now - timedelta(minutes=5)
        run_id = make_run(self.session, self.job, now=slot_at, schedule_id=self.schedule.id, slot_at=slot_at)
        return self.change(run_id, **columns)

    def running(self, job: Job, **columns: Any) -> UUID:
        """A run of some job that has been going on for half an hour."""
        return self.change(make_running(self.session, job, now=self.ago), **columns)

    def change(self, run_id: UUID, **columns: Any) -> UUID:
        if columns:
            self.session.execute(update(Run).where(Run.id == run_id).values(**columns))
        return run_id

    def other_job(self) -> Job:
        """One of the same organization, in another queue."""
        return make_job(self.session, self.job.organization_id, name="Other", kind=KindName.WORKFLOW)

    def limit_queue(self, **columns: Any) -> None:
        self.session.execute(update(Queue).where(Queue.name == "code").values(**columns))

    def held(self, code: str, words: str, *, waits: UUID | None = None, **facts: Any) -> Held:
        self.session.flush()
        return Held(self.schedule.id, code, words, facts, waits)


def paused(scene: Scene) -> Held:
    scene.report()
    off = {"enabled": False, "switched_at": scene.ago, "switched_by": "ana@example.com"}
    scene.session.execute(update(Schedule).where(Schedule.id == scene.schedule.id).values(**off))
    words = "It is off: ana@example.com switched it off at {since}."
    return scene.held("paused", words, since=scene.ago, by="ana@example.com")


def previous_run(scene: Scene) -> Held:
    scene.report()
    slot = {"schedule_id": scene.schedule.id, "slot_at": scene.ago}
    going = make_running(scene.session, scene.job, now=scene.ago, **slot)
    waiting = scene.run(state="waiting", reason="overlap")
    words = f"The previous run ({going}) is still going, for 30 min"
    return scene.held("previous_run", words, waits=waiting, since=scene.ago, run_id=going)


def queue_limit(scene: Scene) -> Held:
    scene.report()
    scene.limit_queue(concurrency=2)
    theirs = make_job(scene.session, _stranger(scene), name="Theirs")
    for _ in range(2):
        scene.running(theirs)
    make_run(scene.session, scene.job, now=scene.ago)
    words = (
        "At most 2 runs of the queue “code” may go on at once, and 2 do. It starts when one ends. "
        "In your organization's line it is number 2; about 1 run starts before it. "
        "A platform admin can raise that limit on the page of the queue, or with: "
        "belfry queue set code --at-once NUMBER"
    )
    return scene.held("queue_limit", words, waits=scene.run(), limit=2, taken=2, position=2, before=1)


def job_limit(scene: Scene) -> Held:
    scene.report()
    scene.job.concurrency = 1
    scene.running(scene.job)
    # It went out of the way of other jobs, not of its own.
    scene.change(make_run(scene.session, scene.job, now=scene.ago), aside_at=scene.ago)
    words = (
        "At most 1 run of its job may go on at once, and 1 does. It starts when one ends. "
        "In your organization's line it is number 2; about 1 run starts before it. "
        "An admin of the organization can raise that limit: “Runs at once” in the form of the job, or "
        f"belfry jobs edit {scene.job.id} --concurrency NUMBER"
    )
    return scene.held("job_limit", words, waits=scene.run(), limit=1, taken=1, position=2, before=1)


def connection_limit(scene: Scene) -> Held:
    scene.report()
    _limit_account(scene, concurrency=1)
    scene.running(scene.other_job(), connection_key=ACCOUNT)
    words = (
        "At most 1 run of its connection may go on at once, and 1 does. It starts when one ends. It is one of the next."
    )
    run_id = scene.run(connection_key=ACCOUNT)
    return scene.held("connection_limit", words, waits=run_id, limit=1, taken=1, position=1, before=0)


def organization_limit(scene: Scene) -> Held:
    scene.report()
    scene.session.get_one(Organization, scene.job.organization_id).concurrency = 2
    other = scene.other_job()
    for _ in range(2):
        scene.running(other)
    for minutes in (9, 8):
        make_run(scene.session, scene.job, now=scene.now - timedelta(minutes=minutes))
    words = (
        "At most 2 runs of your organization may go on at once, and 2 do. It starts when one ends. "
        "In your organization's line it is number 3; about 2 runs start before it. "
        "A platform admin can raise that limit on the Queue page under “Limits of organizations”, or with: "
        "belfry organizations limit NAME NUMBER"
    )
    return scene.held("organization_limit", words, waits=scene.run(), limit=2, taken=2, position=3, before=2)


def rate_limited(scene: Scene) -> Held:
    scene.report()
    until = scene.now + HALF_AN_HOUR
    _limit_account(scene, limited_until=until, explanation="Too many calls.")
    words = "The account that it calls takes no calls until {until}; then it goes on. It says: Too many calls."
    run_id = scene.run(connection_key=ACCOUNT)
    return scene.held("connection_rate_limited", words, waits=run_id, until=until)


def no_worker(scene: Scene) -> Held:
    scene.report(name="gone:1", beat_at=scene.ago)
    scene.report(queues="sync")
    words = "No worker serves its queue “code” since {since}. Start one: belfry worker --queues code"
    return scene.held("no_worker", words, waits=scene.run(), since=scene.ago)


def scheduling_stopped(scene: Scene) -> Held:
    scene.report()
    stop = {"stopped_at": scene.ago, "stopped_by": "root@example.com", "reason": "Moving house", "is_open": True}
    scene.session.add(SchedulingStop(id=new_id(), **stop))
    words = "All scheduling is stopped: root@example.com stopped it at {since} and said “Moving house”"
    return scene.held("scheduling_stopped", words, since=scene.ago, by="root@example.com")


def scheduler_silent(scene: Scene) -> Held:
    scene.report(name="gone:1", beat_at=scene.ago)
    scene.report(schedules=False, ticked_at=None)
    words = "No scheduler has kept time since {since}."
    return scene.held("scheduler_silent", words, since=scene.ago)


CAUSES = [
    paused, previous_run, queue_limit, job_limit, connection_limit, organization_limit, rate_limited, no_worker,
    scheduling_stopped, scheduler_silent,
]  # fmt: skip


def _limit_account(scene: Scene, **columns: Any) -> None:
    owner = {"organization_id": scene.job.organization_id, "connection_key": ACCOUNT}
    scene.session.add(ConnectionLimit(**owner, **columns))


def _stranger(scene: Scene) -> UUID:
    organization = Organization(name="Stranger", timezone="UTC", created_at=scene.ago)
    scene.session.add(organization)
    scene.session.flush()
    return organization.id
