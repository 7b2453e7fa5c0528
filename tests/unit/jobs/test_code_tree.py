"""Ending processes, where that cannot be done."""

import os
import subprocess
from collections.abc import Collection

import pytest

from app.jobs.kinds.code import tree
from app.jobs.kinds.code.tree import end_strangers, processes_below


def kill_nothing(root: int, *, sparing: Collection[int] = ()) -> None:
    """What killing comes to, when all of them are another user's."""


def test_what_cannot_be_ended_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [process.pid for process in processes_below(os.getpid())]
    monkeypatch.setattr(tree, "kill_below", kill_nothing)
    monkeypatch.setattr(tree, "_STRANGERS_SECONDS", 0.1)

    with subprocess.Popen(["sleep", "60"]) as child:
        left = end_strangers(known)
        child.kill()

    assert [process.pid for process in left] == [child.pid]
