"""The header values of workflows: what is sealed, kept, replaced and retired when a job is saved."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.sealing import SealContext
from app.jobs.kinds.base import DefinitionInvalid, KindName
from app.jobs.kinds.workflow.kind import WorkflowKind
from app.jobs.models import Job
from app.jobs.queries import get_job
from app.jobs.service import JobDraft, create_job, revise_job
from app.runs import service as runs
from app.vault.models import Secret
from tests.factories.work import actor_in, make_organization
from tests.fakes.clock import utc
from tests.fakes.vault import SEALER

NOW = utc("2027-01-05 12:00")
KINDS = {KindName.WORKFLOW: WorkflowKind(SEALER)}
CANARY = "canary-7f3a"


def header(name: str = "Authorization", **more: str) -> dict[str, str]:
    return {"name": name, **more}


def draft(*headers: dict[str, str], url: str = "https://api.example.com/a", **step: Any) -> JobDraft:
    return JobDraft("Call", KindName.WORKFLOW, {"steps": [{"url": url, "headers": list(headers), **step}]})


class Shelf:
    """One organization that saves a workflow."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.actor = actor_in(make_organization(session))
        self.job_id = UUID(int=0)
        self.revision = 1

    def create(self, *headers: dict[str, str], **step: Any) -> None:
        self.job_id = create_job(self.session, actor=self.actor, kinds=KINDS, draft=draft(*headers, **step), now=NOW)

    def revise(self, *headers: dict[str, str], **step: Any) -> None:
        made = draft(*headers, **step)
        revise_job(
            self.session, actor=self.actor, kinds=KINDS, job_id=self.job_id, draft=made, revision=self.revision, now=NOW
        )
        self.revision += 1

    @property
    def headers(self) -> list[dict[str, str]]:
        self.session.expire_all()
        found = get_job(self.session, organization_id=self.actor.organization_id, job_id=self.job_id)
        stored: list[dict[str, str]] = found.definition["steps"][0]["headers"]
        return stored

    def values(self, *, retired: bool = False) -> list[str]:
        """What is sealed for the job, opened."""
        self.session.expire_all()
        rows = self.session.scalars(select(Secret).order_by(Secret.id)).all()
        return [self._open(row) for row in rows if (row.retired_at is not None) == retired]

    def value(self, secret_id: UUID) -> str:
        return self._open(self.session.get_one(Secret, secret_id))

    def _open(self, row: Secret) -> str:
        place = SealContext(self.actor.organization_id, row.id, "job", self.job_id, row.field)
        return SEALER.open(row.sealed, place)


@pytest.fixture
def shelf(session: Session) -> Shelf:
    return Shelf(session)


class TestSaving:
    def test_seals_what_may_be_secret_and_leaves_what_everybody_sends(self, shelf: Shelf) -> None:
        shelf.create(header(value=f"Bearer {CANARY}"), header("Accept", value="text/csv"), header("X-Any", value="7"))

        secret, plain, unknown = shelf.headers
        assert (set(secret), set(unknown)) == ({"name", "secret_id"}, {"name", "secret_id"})
        assert plain == {"name": "Accept", "value": "text/csv"}
        assert sorted(shelf.values()) == ["7", f"Bearer {CANARY}"]

    @pytest.mark.parametrize("is_named", [True, False])
    def test_keeps_a_value_that_is_left_out(self, shelf: Shelf, is_named: bool) -> None:
        shelf.create(header(value=CANARY))
        before = shelf.headers

        shelf.revise(before[0] if is_named else header("AUTHORIZATION"), method="POST")

        assert [one["secret_id"] for one in shelf.headers] == [one["secret_id"] for one in before]
        assert shelf.values() == [CANARY]

    def test_keeps_values_of_one_name_in_their_order(self, shelf: Shelf) -> None:
        shelf.create(header("X-Key", value="one"), header("X-Key", value="two"))
        before = shelf.headers

        shelf.revise(header("X-Other", value="new"), header("X-Key"), header("X-Key"))

        assert shelf.headers[1:] == before
        assert [shelf.value(UUID(one["secret_id"])) for one in shelf.headers] == ["new", "one", "two"]

    def test_puts_a_new_value_under_the_same_id_for_runs_that_wait(self, shelf: Shelf) -> None:
        shelf.create(header(value="old"))
        before = shelf.headers

        shelf.revise(header(value="new"))

        assert shelf.headers == before
        assert (shelf.values(), shelf.values(retired=True)) == (["new"], [])

    @pytest.mark.parametrize(
        "url", ["https://evil.example.com/a", "http://api.example.com/a", "https://api.example.com:8443/a"]
    )
    def test_never_hands_a_kept_value_to_another_server(self, shelf: Shelf, url: str) -> None:
        shelf.create(header(value=CANARY))

        with pytest.raises(DefinitionInvalid, match="Enter the value of Authorization") as refused:
            shelf.revise(header(), url=url)

        assert list(refused.value.problems) == ["steps.0.headers.0.value"]

    def test_never_hands_the_next_servers_value_to_runs_that_wait_for_this_one(self, shelf: Shelf) -> None:
        shelf.create(header(value="for a"))

        shelf.revise(header(value="for b"), url="https://b.example.com/")

        assert (shelf.values(), shelf.values(retired=True)) == (["for b"], ["for a"])

    def test_retires_what_is_taken_out(self, shelf: Shelf) -> None:
        shelf.create(header(value="out"), header("X-Stays", value="in"))

        shelf.revise(header("X-Stays"))

        assert (shelf.values(), shelf.values(retired=True)) == (["in"], ["out"])

    def test_retires_everything_when_the_job_is_deleted(self, shelf: Shelf) -> None:
        shelf.create(header(value="out"))

        runs.delete_job(shelf.session, actor=shelf.actor, job_id=shelf.job_id, now=NOW)

        assert (shelf.values(), shelf.values(retired=True)) == ([], ["out"])

    @pytest.mark.parametrize("given", [header(), header(secret_id=str(uuid4()))])
    def test_keeps_nothing_where_nothing_is_stored(self, shelf: Shelf, given: dict[str, str]) -> None:
        with pytest.raises(DefinitionInvalid, match="Enter the value of Authorization"):
            shelf.create(given)

    def test_does_not_take_the_secret_of_another_job(self, session: Session, shelf: Shelf) -> None:
        other = Shelf(session)
        other.create(header(value=CANARY))
        shelf.create(header(value="mine"))

        with pytest.raises(DefinitionInvalid, match="Enter the value of Authorization"):
            shelf.revise(other.headers[0])

    def test_takes_a_value_or_an_id_and_not_both(self, shelf: Shelf) -> None:
        with pytest.raises(DefinitionInvalid, match="not both"):
            shelf.create(header(value="x", secret_id=str(uuid4())))

    def test_seals_what_an_earlier_version_left_in_the_open(self, session: Session, shelf: Shelf) -> None:
        shelf.create()
        bare = {"steps": [{"url": "https://api.example.com/a", "headers": [header(value=CANARY)]}]}
        session.get_one(Job, shelf.job_id).definition = bare
        session.flush()

        shelf.revise(header())

        assert [set(one) for one in shelf.headers] == [{"name", "secret_id"}]
        assert shelf.values() == [CANARY]
