"""The form of a sync job: which connection it reads from."""

from uuid import UUID

import pytest

from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from tests.factories.figures import make_connection
from tests.factories.work import make_job, make_organization
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser
from tests.web.filled_form import filled_form


@pytest.fixture
def job_id(database: OpenDatabase, organization_id: UUID, real_kinds: None) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Meta sync", kind=KindName.SYNC)
        job.service, job.definition = "meta", {"service": "meta", "streams": ["account"]}
        return job.id


def connect(database: OpenDatabase, organization_id: UUID, name: str, **columns: str) -> str:
    with database.transaction() as session:
        return str(make_connection(session, organization_id, name=name, **columns).id)


def save(owner: Browser, job_id: UUID, connection_id: str) -> tuple[int, str]:
    form = filled_form(owner.visit(f"/jobs/{job_id}/edit").text, "job-form")
    answer = owner.send(f"/jobs/{job_id}", form | {"connection_id": [connection_id]})
    return answer.status_code, answer.text


def save_streams(owner: Browser, job_id: UUID, *streams: str) -> tuple[int, str]:
    form = filled_form(owner.visit(f"/jobs/{job_id}/edit").text, "job-form")
    answer = owner.send(f"/jobs/{job_id}", form | {"streams": list(streams)})
    return answer.status_code, answer.text


def ticked(owner: Browser, job_id: UUID) -> list[str]:
    return filled_form(owner.visit(f"/jobs/{job_id}/edit").text, "job-form").get("streams", [])


def definition(database: OpenDatabase, job_id: UUID) -> dict[str, object]:
    with database.reading() as session:
        return session.get_one(Job, job_id).definition


def test_offers_the_accounts_of_its_service(owner: Browser, database, organization_id: UUID, job_id: UUID) -> None:
    connect(database, organization_id, "Acme EU")
    connect(database, organization_id, "Acme GA", service="ga4")
    connect(database, organization_id, "Acme Old", state="disconnected")

    text = owner.visit(f"/jobs/{job_id}/edit").text

    assert [name in text for name in ("Acme EU", "Acme GA", "Acme Old")] == [True, False, False]


def test_takes_one_and_keeps_the_rest(owner: Browser, database, organization_id: UUID, job_id: UUID) -> None:
    connection_id = connect(database, organization_id, "Acme EU")

    save(owner, job_id, connection_id)

    assert definition(database, job_id) == {
        "service": "meta", "connection_id": connection_id, "streams": ["account"],
    }  # fmt: skip


def test_refuses_one_of_somebody_else(owner: Browser, database, job_id: UUID) -> None:
    with database.transaction() as session:
        foreign = str(make_connection(session, make_organization(session, "Other")).id)

    status, text = save(owner, job_id, foreign)

    assert (status, "This connection is gone" in text) == (422, True)
    assert "connection_id" not in definition(database, job_id)


class TestWhatItReads:
    def test_says_what_each_brings(self, owner: Browser, job_id: UUID) -> None:
        text = owner.visit(f"/jobs/{job_id}/edit").text

        assert "campaigns: each campaign by day" in text
        assert ticked(owner, job_id) == ["account"]

    def test_reads_all_of_it_when_all_is_ticked_also_what_comes_later(
        self, owner: Browser, database, job_id: UUID
    ) -> None:
        save_streams(owner, job_id, "account", "campaigns")

        assert definition(database, job_id) == {"service": "meta"}
        assert ticked(owner, job_id) == ["campaigns", "account"]

    def test_keeps_a_choice_when_something_else_is_changed(self, owner: Browser, database, job_id: UUID) -> None:
        save_streams(owner, job_id, "campaigns")
        save_streams(owner, job_id, *ticked(owner, job_id))

        assert definition(database, job_id)["streams"] == ["campaigns"]

    @pytest.mark.parametrize(
        ("streams", "words"), [((), "Choose at least one"), (("nonsense",), "has to be a list of")]
    )
    def test_refuses_nothing_and_what_there_is_not(
        self, owner: Browser, database, job_id: UUID, streams: tuple[str, ...], words: str
    ) -> None:
        status, text = save_streams(owner, job_id, *streams)

        assert (status, words in text) == (422, True)
        assert definition(database, job_id)["streams"] == ["account"]
