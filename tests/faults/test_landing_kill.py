"""A process that lands a window is killed for good at any of its statements: what is there then is all or nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.core.config import Settings
from tests.database.kpi_world import FETCHED, KpiWorld, figures, truth
from tests.fakes.database import OpenDatabase
from tests.faults.killing import kill_script

pytestmark = pytest.mark.slow

LATER = FETCHED + timedelta(hours=1)
# Lands a window, and stays for ever before the statement of a number, or after the commit if there are fewer.
SCRIPT = """
import sys, threading
from datetime import timedelta
from uuid import UUID
from sqlalchemy import event
from app.core.db import open_database
from tests.database.kpi_world import FETCHED, KpiWorld, figures
from tests.fakes.database import OpenDatabase

url, organization, connection, number = sys.argv[1:]
opened = open_database(url)
world = KpiWorld(OpenDatabase(opened.write, opened.read, opened), UUID(organization), UUID(connection))
left = int(number)

def stay(word):
    print(word, flush=True)
    threading.Event().wait()

def count(*_):
    global left
    left -= 1
    if left == 0:
        stay("in the middle")

event.listen(opened.write, "before_cursor_execute", count)
world.land(world.window(figures(campaigns=3, spend="20")[2:], fetched_at=FETCHED + timedelta(hours=1)))
stay("after it all")
"""


@pytest.fixture
def world(database: OpenDatabase) -> KpiWorld:
    return KpiWorld.make(database)


def kill_at(world: KpiWorld, settings: Settings, script: Path, number: int) -> str:
    """Kill a process before a statement, and say how far it had come."""
    words = [settings.database_url, str(world.organization_id), str(world.connection_id), str(number)]
    return kill_script(script, *words)


def test_a_kill_at_any_statement_leaves_all_or_nothing(world: KpiWorld, settings: Settings, tmp_path: Path) -> None:
    script = tmp_path / "land.py"
    script.write_text(SCRIPT)
    corrected = figures(campaigns=3, spend="20")[2:]
    world.land(world.window(figures()))
    before = world.everything()

    number, word = 0, "in the middle"
    while word == "in the middle":
        assert world.everything() == before
        number += 1
        word = kill_at(world, settings, script, number)

    assert (word, number > 8) == ("after it all", True)
    assert world.table() == truth(corrected)
    assert world.land(world.window(corrected, fetched_at=LATER)).rows_changed == 0
