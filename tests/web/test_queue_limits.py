"""The pages of queues and limits, for platform admins."""

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.runs.queue_models import Queue
from app.tenants.models import Organization
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


@pytest.fixture
def engine() -> str:
    return "sqlite"


def queue(database: OpenDatabase, name: str) -> Queue | None:
    with database.reading() as session:
        return session.scalars(select(Queue).where(Queue.name == name)).one_or_none()


class TestQueues:
    def test_are_made_with_their_limits(self, app: Flask, database: OpenDatabase, platform_admin: Browser) -> None:
        data = {"name": "imports", "concurrency": "2", "rate_starts": "30", "rate_seconds": "60"}

        answer = platform_admin.send("/queue/new", data=data)

        made = queue(database, "imports")
        assert answer.status_code == 303
        assert made is not None
        assert (made.concurrency, made.rate_starts, made.rate_seconds) == (2, 30, 60)

    def test_show_their_limits_in_words(self, app: Flask, platform_admin: Browser) -> None:
        page = platform_admin.visit("/queue").text

        assert "5 at once, 10 starts a second" in page
        assert 'href="/queue/sync/limits"' in page

    def test_are_limited_anew(self, app: Flask, database: OpenDatabase, platform_admin: Browser) -> None:
        data = {"concurrency": "9", "rate_starts": "", "rate_seconds": "", "version": "1"}

        answer = platform_admin.send("/queue/sync/limits", data=data)

        found = queue(database, "sync")
        assert answer.status_code == 303
        assert found is not None
        assert (found.concurrency, found.rate_starts) == (9, None)

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"concurrency": "0"}, "Pause the queue instead"),
            ({"concurrency": "many"}, "Write a whole number"),
            ({"rate_starts": "5"}, "give both, or none"),
        ],
    )
    def test_keep_the_form_and_say_what_is_wrong(
        self, app: Flask, platform_admin: Browser, data: dict[str, str], words: str
    ) -> None:
        answer = platform_admin.send("/queue/sync/limits", data=data)

        assert answer.status_code == 422
        assert words in answer.text

    def test_are_deleted_unless_a_kind_has_them(
        self, app: Flask, database: OpenDatabase, platform_admin: Browser
    ) -> None:
        platform_admin.send("/queue/new", data={"name": "own"})

        gone, refused = (platform_admin.send(f"/queue/{name}/delete").status_code for name in ("own", "sync"))

        assert (gone, refused) == (303, 409)
        assert queue(database, "own") is None

    def test_are_nobody_elses(self, app: Flask, owner: Browser) -> None:
        answers = [owner.send("/queue/new", data={"name": "own"}), owner.visit("/queue/sync/limits")]

        assert [answer.status_code for answer in answers] == [403, 403]


class TestOrganizations:
    def test_are_limited_by_name_or_id(self, app: Flask, database: OpenDatabase, platform_admin: Browser) -> None:
        here = str(platform_admin.organization_id)

        answer = platform_admin.send("/queue/organizations", data={"organization": here, "concurrency": "7"})

        with database.reading() as session:
            found = session.get_one(Organization, UUID(here))
        assert (answer.status_code, found.concurrency) == (303, 7)
        assert found.name in platform_admin.visit("/queue/organizations").text

    def test_that_do_not_exist_are_told_so_at_the_form(self, app: Flask, platform_admin: Browser) -> None:
        answer = platform_admin.send("/queue/organizations", data={"organization": "Nobody", "concurrency": "7"})

        assert answer.status_code == 404
        assert "There is no organization" in answer.text
