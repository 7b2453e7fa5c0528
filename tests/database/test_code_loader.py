"""What a process does with the code when it starts: it loads it, says so, and puts it in force."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select

from app.core.config import Environment, Settings
from app.ops.code_loader import CodeLoader
from app.schedules.models import Schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

Load = Callable[..., CodeLoader]


@dataclass
class Gate:
    """A schema that is ready when it was asked often enough."""

    after: int = 0

    def is_current(self) -> bool:
        self.after -= 1
        return self.after < 0


@pytest.fixture
def load(
    database: OpenDatabase, clock: ManualClock, settings: Settings, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Load:  # fmt: skip
    """Does what the loader's thread does."""
    caplog.set_level(logging.INFO, logger="app.ops.code_loader")
    monkeypatch.setattr("app.ops.code_loader.AGAIN_SECONDS", 0.001)

    def run(*, gate: Gate | None = None, **changes: object) -> CodeLoader:
        loader = CodeLoader(database, clock, gate or Gate(), replace(settings, **changes))
        loader._load()
        return loader

    return run


def count_schedules(database: OpenDatabase) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(Schedule)).one()


class TestStarting:
    def test_says_how_many_schedules_were_loaded(self, load: Load, caplog: pytest.LogCaptureFixture):
        load()

        assert caplog.messages[0] == "Loaded 4 schedule definitions from code"
        assert caplog.messages[1].startswith("Loaded definitions from code: 11 new (example_feed,")

    def test_loads_three_in_production(self, load: Load, database: OpenDatabase, caplog: pytest.LogCaptureFixture):
        load(env=Environment.PRODUCTION)

        assert caplog.messages[0] == "Loaded 3 schedule definitions from code"
        assert count_schedules(database) == 3

    def test_changes_nothing_the_second_time(self, load: Load, caplog: pytest.LogCaptureFixture):
        load()
        caplog.clear()

        load()

        assert caplog.messages == ["Loaded 4 schedule definitions from code"]

    def test_waits_until_the_database_has_its_tables(self, load: Load, database: OpenDatabase):
        load(gate=Gate(after=3))

        assert count_schedules(database) == 4

    def test_names_what_cannot_be_used_and_goes_on(
        self, load: Load, database: OpenDatabase, caplog: pytest.LogCaptureFixture
    ):
        load(job_modules=("no_such_jobs", "app.jobs.examples"))

        assert "not usable in code: no_such_jobs: There is no module “no_such_jobs”." in caplog.text
        assert count_schedules(database) == 4

    def test_with_older_code_stands_back_in_production(self, load: Load, caplog: pytest.LogCaptureFixture):
        load(env=Environment.PRODUCTION)
        load(env=Environment.PRODUCTION, job_modules=("tests.fakes.code_functions",))
        caplog.clear()

        load(env=Environment.PRODUCTION)

        assert caplog.messages[-1] == "older code stands back"

    def test_with_older_code_counts_in_development(self, load: Load, caplog: pytest.LogCaptureFixture):
        load()
        load(job_modules=("tests.fakes.code_functions",))
        caplog.clear()

        load()

        assert caplog.messages[-1].startswith("Loaded definitions from code: 11 changed")


class TestClosing:
    def test_ends_the_wait_for_a_database(
        self, load: Load, database: OpenDatabase, clock: ManualClock, settings: Settings
    ):
        loader = CodeLoader(database, clock, Gate(after=10**9), settings)
        loader.close()

        loader._load()

        assert count_schedules(database) == 0
