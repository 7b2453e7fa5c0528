"""What a test does to a PostgreSQL database is gone when the next one gets it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import SetUpPostgres
from tests.services.postgres import PostgresUrls
from tests.services.reuse import MOST_USES, ReusedDatabase
from tests.services.services import Services


@pytest.fixture(scope="module")
def reused(services: Services, set_up_postgres: SetUpPostgres) -> Iterator[ReusedDatabase]:
    reused = ReusedDatabase(lambda: services.postgres.database(set_up_postgres))
    yield reused
    reused.close()


def open_one(urls: PostgresUrls) -> "psycopg.Connection[Any]":
    return psycopg.connect(urls.admin.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def ask(urls: PostgresUrls, query: str) -> list[Any]:
    with open_one(urls) as connection:
        return connection.execute(query).fetchall()


def do(urls: PostgresUrls, statement: str) -> None:
    with open_one(urls) as connection:
        connection.execute(statement)


class TestReusing:
    def test_takes_away_what_was_written_and_brings_back_what_was_there(self, reused: ReusedDatabase) -> None:
        queues = "SELECT * FROM queues ORDER BY name"
        with reused.lend() as urls:
            before = ask(urls, queues)
            do(urls, "UPDATE queues SET concurrency = 77")
            do(urls, "DELETE FROM queues WHERE name = 'sync'")
            do(urls, "INSERT INTO queue_switches (name, paused_at, paused_by) VALUES ('code', now(), 'Ana')")

        with reused.lend() as again:
            assert again == urls
            assert ask(again, queues) == before
            assert ask(again, "SELECT * FROM queue_switches") == []

    def test_lets_numbers_begin_anew(self, reused: ReusedDatabase) -> None:
        number = "SELECT nextval('events_id_seq')"
        with reused.lend() as urls:
            first, _ = ask(urls, number), ask(urls, number)

        with reused.lend() as again:
            assert (again, ask(again, number)) == (urls, first)

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE theirs (id int)",
            "ALTER TABLE runs ADD COLUMN theirs int",
            "DROP INDEX ix_runs_line",
            "GRANT DELETE ON audit_entries TO PUBLIC",
            "ALTER TABLE runs DISABLE ROW LEVEL SECURITY",
            "ANALYZE queues",
        ],
    )
    def test_ends_when_the_schema_is_another_one(self, reused: ReusedDatabase, statement: str) -> None:
        with reused.lend() as urls:
            do(urls, statement)

        with reused.lend() as other:
            assert other != urls

    def test_ends_when_somebody_is_still_connected(self, reused: ReusedDatabase) -> None:
        with reused.lend() as urls:
            stays = open_one(urls)

        with reused.lend() as other:
            assert other != urls
        with pytest.raises(psycopg.OperationalError):
            stays.execute("SELECT 1")
        stays.close()

    def test_ends_after_many_uses(self, reused: ReusedDatabase) -> None:
        seen = set()
        for _ in range(MOST_USES + 1):
            with reused.lend() as urls:
                seen.add(urls)

        assert len(seen) == 2
