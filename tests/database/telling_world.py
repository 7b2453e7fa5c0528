"""An organization whose runs fail and succeed, a teller, and what it wrote."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.schema import SchemaGate
from app.events.service import Topic, append_event
from app.jobs.models import Job
from app.jobs.policies import ErrorClass
from app.notifications.incident_models import Incident, IncidentEntry
from app.notifications.models import BadEvent, Delivery, Telling
from app.notifications.teller import Teller
from app.notifications.types import Facts
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from app.schedules.models import Schedule
from tests.factories.notifications import make_channel, make_rule
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

START = "2027-01-05 12:00"


class AlwaysCurrent(SchemaGate):
    """A database whose tables are as they should be."""

    def __init__(self) -> None:
        """Nothing is asked."""

    def is_current(self) -> bool:
        return True


class TellingWorld:
    """One organization with a job, one channel and a rule for everything that goes wrong."""

    def __init__(self, database: OpenDatabase, **rule: Any) -> None:
        self.database = database
        self.clock = ManualClock(START)
        self.teller = Teller(database, self.clock, AlwaysCurrent())
        with database.transaction() as session:
            self.organization_id = make_organization(session)
            self.job = make_job(session, self.organization_id)
            self.schedule = make_schedule(session, self.job, name="Orders", tags=["revenue"])
            self.channel_id = make_channel(session, self.organization_id)
            self.rule_id = make_rule(session, self.organization_id, self.channel_id, **rule)
        self.teller.tell()

    def fail(
        self, *, schedule: Schedule | None = None, job: Job | None = None, error: str = "It broke",
        error_class: ErrorClass | None = ErrorClass.JOB, then: Next | None = None,
    ) -> UUID:  # fmt: skip
        """A run that fails for good, or is followed by another try."""
        after = then or Next(RunState.FAILED, Reason.ERROR)
        with self.database.transaction() as session:
            run_id = self._begin(session, schedule, job)
            end = AttemptEnd(AttemptState.FAILED, error, None, {}, error_class)
            assert ledger.put_down(session, run_id=run_id, token=1, end=end, then=after, now=self.clock.moment)
        return run_id

    def succeed(self, *, schedule: Schedule | None = None, job: Job | None = None) -> UUID:
        with self.database.transaction() as session:
            run_id = self._begin(session, schedule, job)
            end = AttemptEnd(AttemptState.SUCCEEDED, None, None, {}, None)
            assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=self.clock.moment)
        return run_id

    def append(self, kind: str, subject_id: UUID, *, topic: Topic = Topic.NOTIFICATIONS, **data: Any) -> None:
        with self.database.transaction() as session:
            append_event(
                session, organization_id=self.organization_id, topic=topic, kind=kind, subject_id=subject_id,
                now=self.clock.moment, data=data,
            )  # fmt: skip

    def tell(self, **later: float) -> list[Facts]:
        """What is written now, or after some time. The teller looks at everything, however short that is."""
        self.clock.advance(**later)
        before = {row.id for row in self.deliveries()}
        self.teller.tell()
        self.teller.look_again()
        return [Facts.of_json(row.facts) for row in self.deliveries() if row.id not in before]

    def say(self, **later: float) -> list[tuple[str, str]]:
        """The same as kind and title."""
        return [(facts.kind.value, facts.title) for facts in self.tell(**later)]

    def deliveries(self) -> Sequence[Delivery]:
        with self.database.reading() as session:
            return session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)).all()

    def tellings_of(self, channel_id: UUID) -> Sequence[Telling]:
        with self.database.reading() as session:
            return session.scalars(select(Telling).where(Telling.channel_id == channel_id)).all()

    def incidents(self) -> Sequence[Incident]:
        with self.database.reading() as session:
            return session.scalars(select(Incident).order_by(Incident.opened_at, Incident.id)).all()

    def entries(self) -> list[str]:
        with self.database.reading() as session:
            found = session.scalars(select(IncidentEntry).order_by(IncidentEntry.at, IncidentEntry.id))
            return [entry.kind for entry in found]

    def bad_events(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(BadEvent.kind)))

    def sent(self) -> None:
        """All that was written was sent as well."""
        with self.database.transaction() as session:
            for row in session.scalars(select(Delivery)):
                row.state = "sent"

    def _begin(self, session: Session, schedule: Schedule | None, job: Job | None) -> UUID:
        now = self.clock.moment
        if job is None:
            schedule = schedule or self.schedule
            job = session.get_one(Job, schedule.job_id)
        ids = {} if schedule is None else {"schedule_id": schedule.id, "slot_at": None}
        run_id = make_run(session, job, now=now, **ids)
        until = now + timedelta(minutes=1)
        assert ledger.start(session, run_id=run_id, worker="w", lease_until=until, now=now) is not None
        return run_id
