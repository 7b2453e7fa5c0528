"""Making, changing and finding jobs."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.jobs.kinds.base import DefinitionInvalid, KindName
from app.jobs.models import Job
from app.jobs.policies import Backoff, Priority, RetryPolicy, WhenLost, read_not_on
from app.jobs.queries import JobNotFound, get_job, list_jobs
from app.jobs.service import (
    DEFAULT_RETRY,
    SYNC_RETRY,
    JobChanged,
    JobDraft,
    JobNameTaken,
    PlatformAdminNeeded,
    create_job,
    revise_job,
)
from app.tenants.access import Actor, PermissionMissing
from app.tenants.roles import Role
from tests.factories.work import actor_in, load_run, make_organization, make_run
from tests.fakes.clock import utc
from tests.fakes.kind import scripted_kinds

NOW = utc("2027-01-05 12:00")
KINDS = scripted_kinds()


@pytest.fixture
def actor(session: Session) -> Actor:
    return actor_in(make_organization(session))


def draft(name: str = "Nightly", **changes: object) -> JobDraft:
    values = {"name": name, "kind": KindName.CODE, "definition": {"ends": "succeeded"}}
    return JobDraft(**(values | changes))  # type: ignore[arg-type]


def create(session: Session, actor: Actor, **changes: object) -> UUID:
    return create_job(session, actor=actor, kinds=KINDS, draft=draft(**changes), now=NOW)  # type: ignore[arg-type]


class TestCreating:
    def test_makes_a_job_that_its_organization_finds(self, session: Session, actor: Actor) -> None:
        job_id = create(session, actor)

        found = get_job(session, organization_id=actor.organization_id, job_id=job_id)

        assert (found.name, found.revision, found.definition) == ("Nightly", 1, {"ends": "succeeded"})

    def test_refuses_a_name_in_use(self, session: Session, actor: Actor) -> None:
        create(session, actor)

        with pytest.raises(JobNameTaken) as refused:
            create(session, actor)

        assert refused.value.field == "name"

    def test_lets_two_organizations_use_one_name(self, session: Session, actor: Actor) -> None:
        other = actor_in(make_organization(session, "Other"))

        create(session, actor)
        create(session, other)

        assert len(list_jobs(session, organization_id=other.organization_id)) == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": "  "}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"name": "Night\x1b[2Jly"}, "name"),
            ({"name": "Night\u202ely"}, "name"),
            ({"description": "x" * 2_001}, "description"),
            ({"description": "Night\x00ly"}, "description"),
            ({"retry": RetryPolicy(0, 5, Backoff.FIXED)}, "tries"),
            ({"retry": RetryPolicy(21, 5, Backoff.FIXED)}, "tries"),
            ({"retry": RetryPolicy(3, 3601, Backoff.FIXED)}, "retry_delay_seconds"),
            ({"time_limit_seconds": 0}, "time_limit_seconds"),
            ({"time_limit_seconds": 86_401}, "time_limit_seconds"),
            ({"retry": replace(DEFAULT_RETRY, longest_delay_seconds=0)}, "retry_longest_delay_seconds"),
            ({"retry": replace(DEFAULT_RETRY, longest_delay_seconds=86_401)}, "retry_longest_delay_seconds"),
            ({"retry": replace(SYNC_RETRY, longest_delay_seconds=599)}, "retry_longest_delay_seconds"),
            ({"soft_limit_seconds": 0}, "soft_limit_seconds"),
            ({"soft_limit_seconds": 60, "time_limit_seconds": 60}, "soft_limit_seconds"),
            ({"queue": "express"}, "queue"),
            ({"concurrency": 0}, "concurrency"),
            ({"concurrency": 1_001}, "concurrency"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, session: Session, actor: Actor, changes: dict[str, object], field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            create(session, actor, **changes)

        assert refused.value.field == field

    def test_names_the_queues_there_are_for_one_that_is_not(self, session: Session, actor: Actor) -> None:
        with pytest.raises(Invalid, match="There are: code, sync, workflow"):
            create(session, actor, queue="express")

    def test_keeps_its_policies_and_gives_them_to_its_runs(self, session: Session, actor: Actor) -> None:
        retry = RetryPolicy(4, 7, Backoff.FIXED, WhenLost.FAIL, 90, has_jitter=True, not_on=read_not_on("server,job"))
        limits = {"soft_limit_seconds": 30, "queue": "sync", "priority": Priority.HIGH, "concurrency": 2}
        job_id = create(session, actor, retry=retry, **limits)
        run_id = make_run(session, session.get_one(Job, job_id), now=NOW)

        found = get_job(session, organization_id=actor.organization_id, job_id=job_id)

        assert {name: getattr(found, name) for name in limits} == limits
        run = load_run(session, run_id)
        assert (run.soft_limit_seconds, run.queue, run.priority) == (30, "sync", Priority.HIGH)
        assert RetryPolicy.stored_in(run) == found.retry == retry

    def test_keeps_the_lines_of_a_description(self, session: Session, actor: Actor) -> None:
        job_id = create(session, actor, description="One\r\n\ttwo\r\n")

        found = get_job(session, organization_id=actor.organization_id, job_id=job_id)

        assert found.description == "One\n\ttwo"

    def test_asks_the_kind_about_the_definition(self, session: Session, actor: Actor) -> None:
        with pytest.raises(DefinitionInvalid):
            create(session, actor, definition={})

    def test_is_for_admins(self, session: Session, actor: Actor) -> None:
        operator = actor_in(actor.organization_id, Role.OPERATOR)

        with pytest.raises(PermissionMissing, match="needs admin"):
            create(session, operator)

    def test_keeps_what_concerns_the_installation_to_platform_admins(self, session: Session, actor: Actor) -> None:
        with pytest.raises(PlatformAdminNeeded):
            create(session, actor, definition={"ends": "succeeded", "is_for_platform": True})


class TestRevising:
    def test_counts_the_revision(self, session: Session, actor: Actor) -> None:
        job_id = create(session, actor)

        revise_job(session, actor=actor, kinds=KINDS, job_id=job_id, draft=draft("Daily"), revision=1, now=NOW)

        session.expire_all()
        found = get_job(session, organization_id=actor.organization_id, job_id=job_id)
        assert (found.name, found.revision) == ("Daily", 2)

    def test_is_refused_when_somebody_else_was_faster(self, session: Session, actor: Actor) -> None:
        job_id = create(session, actor)
        revise_job(session, actor=actor, kinds=KINDS, job_id=job_id, draft=draft("Daily"), revision=1, now=NOW)

        with pytest.raises(JobChanged):
            revise_job(session, actor=actor, kinds=KINDS, job_id=job_id, draft=draft("Weekly"), revision=1, now=NOW)

    def test_does_not_find_what_belongs_to_others(self, session: Session, actor: Actor) -> None:
        job_id = create(session, actor)
        other = actor_in(make_organization(session, "Other"))

        with pytest.raises(JobNotFound):
            revise_job(session, actor=other, kinds=KINDS, job_id=job_id, draft=draft("Mine"), revision=1, now=NOW)
