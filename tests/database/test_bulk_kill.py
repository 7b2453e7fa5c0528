"""Whoever carries out a bulk action is killed in the middle; the next one neither repeats nor leaves out anything."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

from app.core.config import Settings
from app.core.paths import ROOT
from app.ops.bulk.states import BulkState
from tests.database.bulk_world import BulkWorld

# Goes on until the 8th thing of all, which is in the middle of the third piece, and stays there.
SCRIPT = """
import sys, threading
from datetime import datetime
from uuid import UUID
from app.core.db import open_database
from app.core.scopes import Scope
from app.ops.bulk import carrying
from app.ops.bulk.registry import KINDS

url, organization, bulk_id, now = sys.argv[1:]
kind = KINDS["schedules.run"]
count = 0

def do(session, deed):
    global count
    count += 1
    done = kind.do(session, deed)
    if count == 8:
        session.flush()
        print("in the middle", flush=True)
        threading.Event().wait()
    return done

KINDS["schedules.run"] = type(kind)(**(vars(kind) | {"do": do}))
database = open_database(url)
while True:
    with database.transaction(Scope.tenant(UUID(organization))) as session:
        carrying.carry_piece(
            session, organization_id=UUID(organization), bulk_id=UUID(bulk_id), now=datetime.fromisoformat(now), most=3,
            seconds=60.0,
        )
"""
PATIENCE_SECONDS = 20.0


def kill_in_the_middle(world: BulkWorld, settings: Settings, bulk_id: UUID, folder: Path) -> None:
    script = folder / "carry.py"
    script.write_text(SCRIPT)
    words = [settings.database_url, str(world.member.organization_id), str(bulk_id), world.clock.moment.isoformat()]
    process = subprocess.Popen(
        [sys.executable, str(script), *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def carry_until_over(world: BulkWorld, bulk_id: UUID) -> None:
    """A server notices a moment later that somebody who held a lock is no more."""
    end = time.monotonic() + PATIENCE_SECONDS
    while world.row(bulk_id).state is BulkState.GOING and time.monotonic() < end:
        world.carry()


def test_a_bulk_action_outlives_whoever_carries_it_out(world: BulkWorld, settings: Settings, tmp_path: Path) -> None:
    ids = world.schedules(12)
    bulk_id = world.begin("schedules.run", ids)
    kill_in_the_middle(world, settings, bulk_id, tmp_path)
    before = world.row(bulk_id).progress

    carry_until_over(world, bulk_id)

    assert before == "6 of 12"
    assert world.row(bulk_id).summary == "12 schedules started."
    assert sorted(run.schedule_id for run in world.runs() if run.schedule_id) == sorted(ids)
    assert world.actions().count("run.requested") == 12
