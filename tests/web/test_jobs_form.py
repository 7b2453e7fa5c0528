"""The forms of jobs, of both kinds: what they accept, what they say about mistakes, and that they lose nothing."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.jobs.models import Job
from app.vault.models import Secret
from tests.factories.work import make_workflow
from tests.web.conftest import Browser

pytestmark = pytest.mark.usefixtures("real_kinds")

COMMON = {"tries": "3", "retry_delay_seconds": "5", "retry_backoff": "fixed", "time_limit_seconds": "600"}
CALL = {
    **COMMON,
    "kind": "workflow",
    "name": "Tell the shop",
    "step_name": "Call",
    "method": "POST",
    "url": "https://hooks.example.com/sync",
    "headers": "Authorization: Bearer secret-1\r\nX-Shop: north",
    "body": '{\r\n"full": true}',
    "expected_status": "200-299",
    "timeout_seconds": "30",
}
CHECK = {
    **COMMON,
    "kind": "code",
    "name": "Website check",
    "function": "http_check",
    "argument_url": "https://example.com/",
    "argument_method": "GET",
    "argument_expected_status": "200-299",
    "argument_max_latency_ms": "",
    "argument_body_contains": "",
}


@pytest.fixture
def job(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_workflow(session, organization_id)


def stored(database: Database, name: str) -> Job:
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.name == name)).one()


def count(database: Database, table: type[Any]) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


class TestANewOne:
    def test_begins_with_the_choice_of_a_kind(self, admin: Browser) -> None:
        text = admin.visit("/jobs/new").text

        assert "/jobs/new?kind=workflow" in text
        assert "/jobs/new?kind=code" in text

    def test_call_is_stored_with_its_headers_and_body(self, admin: Browser, database: Database) -> None:
        response = admin.send("/jobs", CALL)

        step = stored(database, "Tell the shop").definition["steps"][0]
        assert (response.status_code, response.location) == (303, "/jobs")
        assert [set(header) for header in step["headers"]] == [{"name", "secret_id"}, {"name", "secret_id"}]
        assert step["body"] == '{\n"full": true}'

    def test_function_is_stored_with_what_was_entered(self, admin: Browser, database: Database) -> None:
        admin.send("/jobs", CHECK | {"argument_max_latency_ms": "900"})

        definition = stored(database, "Website check").definition
        assert definition["function"] == "http_check"
        assert definition["arguments"]["max_latency_ms"] == 900

    def test_function_comes_with_its_own_fields_and_the_typed_name(self, admin: Browser) -> None:
        text = admin.visit("/jobs/new?kind=code&function=http_check&name=Typed").text

        assert 'value="Typed"' in text
        assert 'name="argument_url"' in text

    def test_fields_of_another_function_can_be_fetched_alone(self, admin: Browser) -> None:
        text = admin.visit("/jobs/arguments?function=clean_up_runs", htmx=True).text

        assert 'name="argument_days"' in text
        assert "<html" not in text

    def test_fields_of_another_function_come_without_a_script(self, admin: Browser, database: Database) -> None:
        response = admin.send("/jobs", CHECK | {"function": "clean_up_runs", "reload": "yes"})

        assert (response.status_code, count(database, Job)) == (200, 0)
        assert 'name="argument_days"' in response.text
        assert 'value="Website check"' in response.text


class TestMistakes:
    def test_in_a_number_leave_the_summary_of_the_tries_out(self, admin: Browser) -> None:
        wrong = admin.send("/jobs", {**CALL, "tries": "three"}).text

        assert "s between them" in admin.visit("/jobs/new?kind=workflow").text
        assert "s between them" not in wrong

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"url": "ftp://example.com"}, "url"),
            ({"headers": "no colon here"}, "headers"),
            ({"headers": "Bad name: x"}, "headers"),
            ({"headers": "X-Fine: 1\nHost: example.com"}, "headers"),
            ({"method": "GET"}, "body"),
            ({"method": "BREW", "body": ""}, "method"),
            ({"expected_status": "fine"}, "expected_status"),
            ({"timeout_seconds": "301"}, "timeout_seconds"),
            ({"timeout_seconds": "soon"}, "timeout_seconds"),
            ({"tries": "0"}, "tries"),
            ({"tries": "many"}, "tries"),
            ({"retry_delay_seconds": "4000"}, "retry_delay_seconds"),
            ({"retry_backoff": "never"}, "retry_backoff"),
            ({"retry_longest_delay_seconds": "4"}, "retry_longest_delay_seconds"),
            ({"retry_not_on": "gremlins"}, "retry_not_on"),
            ({"soft_limit_seconds": "600"}, "soft_limit_seconds"),
            ({"queue": "express"}, "queue"),
            ({"concurrency": "0"}, "concurrency"),
            ({"time_limit_seconds": "9" * 30}, "time_limit_seconds"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_in_a_call_are_told_at_their_field_and_nothing_is_lost(
        self, admin: Browser, database: Database, changes: dict[str, str], field: str
    ) -> None:
        response = admin.send("/jobs", CALL | {"description": "typed before", **changes})

        assert (response.status_code, count(database, Job)) == (422, 0)
        assert f'id="{field}-error"' in response.text
        assert "typed before" in response.text

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"argument_url": ""}, "argument_url"),
            ({"argument_url": "nonsense"}, "argument_url"),
            ({"argument_max_latency_ms": "quick"}, "argument_max_latency_ms"),
            ({"argument_max_latency_ms": "0"}, "argument_max_latency_ms"),
            ({"function": "no_such_function"}, "function"),
            ({"function": ""}, "argument_url"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_in_arguments_are_told_at_their_field(
        self, admin: Browser, database: Database, changes: dict[str, str], field: str
    ) -> None:
        sent = CHECK | changes | ({"argument_url": ""} if changes.get("function") == "" else {})

        response = admin.send("/jobs", sent)

        assert (response.status_code, count(database, Job)) == (422, 0)
        assert 'class="error"' in response.text

    def test_a_header_that_belfry_writes_is_named_by_its_place(self, admin: Browser) -> None:
        text = admin.send("/jobs", CALL | {"headers": "X-Fine: 1\nHost: example.com"}).text

        assert "Header 2: The header Host" in text

    def test_a_name_in_use_is_told_at_the_name(self, admin: Browser, job: Job, database: Database) -> None:
        response = admin.send("/jobs", CALL | {"name": "Tell the warehouse"})

        assert (response.status_code, count(database, Job)) == (409, 1)
        assert 'id="name-error"' in response.text

    def test_a_form_without_a_kind_is_refused(self, admin: Browser, database: Database) -> None:
        response = admin.send("/jobs", CALL | {"kind": "ritual"})

        assert (response.status_code, count(database, Job)) == (422, 0)

    def test_an_expired_form_keeps_what_was_typed(self, admin: Browser, database: Database) -> None:
        response = admin.post("/jobs", data=CALL | {"csrf_token": "old"})

        assert (response.status_code, count(database, Job)) == (400, 0)
        assert 'value="https://hooks.example.com/sync"' in response.text


class TestEditing:
    def test_shows_the_names_of_headers_and_no_value(self, admin: Browser, job: Job) -> None:
        text = admin.visit(f"/jobs/{job.id}/edit").text

        assert "Authorization: •••" in text
        assert "secret-1" not in text

    def test_keeps_the_values_that_it_does_not_show(self, admin: Browser, job: Job, database: Database) -> None:
        admin.send(f"/jobs/{job.id}", CALL | {"revision": "1", "headers": "Authorization: •••\r\nAccept: text/csv"})
        [first, plain] = stored(database, "Tell the shop").definition["steps"][0]["headers"]

        admin.send(f"/jobs/{job.id}", CALL | {"revision": "2", "headers": "Authorization:\r\nAccept: text/csv"})

        assert (set(first), plain) == ({"name", "secret_id"}, {"name": "Accept", "value": "text/csv"})
        assert stored(database, "Tell the shop").definition["steps"][0]["headers"] == [first, plain]

    def test_shows_no_value_after_saving_either(self, admin: Browser, database: Database) -> None:
        admin.send("/jobs", CALL)

        text = admin.visit(f"/jobs/{stored(database, 'Tell the shop').id}/edit").text

        assert "Authorization: •••\nX-Shop: •••" in text
        assert "secret-1" not in text

    def test_asks_for_the_values_again_when_they_would_go_elsewhere(
        self, admin: Browser, job: Job, database: Database
    ) -> None:
        sent = {"revision": "1", "headers": "Authorization: •••", "url": "https://other.example.com/"}

        response = admin.send(f"/jobs/{job.id}", CALL | sent)

        assert (response.status_code, count(database, Secret)) == (422, 0)
        assert "Header 1: Enter the value of Authorization" in response.text

    def test_shows_nothing_to_an_operator(self, operator: Browser, job: Job) -> None:
        response = operator.visit(f"/jobs/{job.id}/edit")

        assert response.status_code == 403
        assert "secret-1" not in response.text

    def test_saves_a_new_revision(self, admin: Browser, job: Job, database: Database) -> None:
        response = admin.send(f"/jobs/{job.id}", CALL | {"revision": "1"})

        assert response.status_code == 303
        assert stored(database, "Tell the shop").revision == 2

    def test_to_a_name_in_use_is_told_at_the_name(self, admin: Browser, job: Job) -> None:
        admin.send("/jobs", CALL)

        response = admin.send(f"/jobs/{job.id}", CALL | {"revision": "1"})

        assert response.status_code == 409
        assert 'id="name-error"' in response.text

    def test_never_changes_the_kind(self, admin: Browser, job: Job, database: Database) -> None:
        admin.send(f"/jobs/{job.id}", CALL | {"revision": "1", "kind": "code"})

        assert stored(database, "Tell the shop").kind == "workflow"

    def test_of_an_old_revision_is_refused_and_keeps_what_was_typed(
        self, admin: Browser, job: Job, database: Database
    ) -> None:
        admin.send(f"/jobs/{job.id}", CALL | {"revision": "1", "name": "First"})

        response = admin.send(f"/jobs/{job.id}", CALL | {"revision": "1", "name": "Second"})

        assert response.status_code == 409
        assert 'value="Second"' in response.text
        assert stored(database, "First").revision == 2


class TestWhenAWorkerIsLost:
    def test_is_asked_in_plain_words(self, admin: Browser) -> None:
        text = admin.visit("/jobs/new?kind=code").text

        assert "If its worker dies or loses touch in the middle" in text
        assert "Try again if the function is declared safe to repeat, else stop" in text
        assert "Safe to repeat." in text

    @pytest.mark.parametrize("chosen", ["kind", "retry", "fail"])
    def test_is_kept_as_it_was_chosen(self, admin: Browser, database: Database, chosen: str) -> None:
        admin.send("/jobs", CHECK | {"when_lost": chosen})

        with database.reading() as session:
            job = session.scalars(select(Job).where(Job.name == "Website check")).one()
        assert job.when_lost == chosen
        assert (
            f'checked id="when_lost-{["kind", "retry", "fail"].index(chosen)}"'
            in admin.visit(f"/jobs/{job.id}/edit").text
        )

    def test_of_a_call_is_to_try_again_or_to_stop(self, admin: Browser, job: Job) -> None:
        text = admin.visit(f"/jobs/{job.id}/edit").text

        assert "Stop: it ends as lost, and a person decides" in text
        assert "safe to repeat, else stop" not in text

    def test_takes_no_other_word(self, admin: Browser) -> None:
        assert admin.send("/jobs", CHECK | {"when_lost": "panic"}).status_code == 422
