"""Functions that behave, and functions that do not, for jobs that run in a process of their own."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from app.jobs.kinds.base import Level
from app.jobs.kinds.code.catalog import code_job
from app.jobs.kinds.code.context import FunctionContext, JobFailed, RetryLater

FOREVER = 3600


class Nothing(BaseModel):
    """No arguments."""


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Order(BaseModel):
    """One argument of each kind."""

    who: str = Field(title="Name", description="Who is greeted.")
    how_many: int = Field(default=1, ge=1, le=9)
    share: float | None = None
    loud: bool = False
    size: Size = Size.SMALL


@code_job(name="greet", title="Greet", summary="Greets.", arguments=Order, is_idempotent=True)
def greet(context: FunctionContext, arguments: Order) -> Mapping[str, Any]:
    print("printed")
    context.log("logged", Level.WARNING)
    print("to the other stream", file=sys.stderr)
    return {"greeting": f"Hello {arguments.who}", "key": context.idempotency_key}


@code_job(name="explode", title="Explode", summary="Raises.", arguments=Nothing, is_idempotent=False)
def explode(context: FunctionContext, arguments: Nothing) -> None:
    raise ValueError("the number is odd")


@code_job(name="give_up", title="Give up", summary="Fails on purpose.", arguments=Nothing, is_idempotent=False)
def give_up(context: FunctionContext, arguments: Nothing) -> None:
    raise JobFailed("The shop is closed.", retry=False)


@code_job(name="come_back", title="Come back", summary="Is too early.", arguments=Nothing, is_idempotent=False)
def come_back(context: FunctionContext, arguments: Nothing) -> None:
    raise RetryLater("The shop opens at nine.", seconds=900)


@code_job(name="proceed", title="Proceed", summary="Tells each step.", arguments=Nothing, is_idempotent=True)
def proceed(context: FunctionContext, arguments: Nothing) -> None:
    for number in range(1, 10_000):
        context.progress(number, 10_000, f"Row {number}")
    context.progress(10_000, 10_000, "Done")


@code_job(name="leave", title="Leave", summary="Exits.", arguments=Nothing, is_idempotent=False)
def leave(context: FunctionContext, arguments: Nothing) -> None:
    os._exit(3)


@code_job(name="crash", title="Crash", summary="Reads address 0.", arguments=Nothing, is_idempotent=False)
def crash(context: FunctionContext, arguments: Nothing) -> None:
    ctypes.string_at(0)


@code_job(name="spin", title="Spin", summary="Hears no request to end.", arguments=Nothing, is_idempotent=False)
def spin(context: FunctionContext, arguments: Nothing) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"pid {os.getpid()}")
    while True:
        try:
            time.sleep(FOREVER)
        except BaseException:
            continue


@code_job(name="tidy", title="Tidy", summary="Cleans up when asked to end.", arguments=Nothing, is_idempotent=False)
def tidy(context: FunctionContext, arguments: Nothing) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("cleaned up"))
    print("working")
    time.sleep(FOREVER)


@code_job(name="flood", title="Flood", summary="Prints too much.", arguments=Nothing, is_idempotent=False)
def flood(context: FunctionContext, arguments: Nothing) -> None:
    for number in range(200_000):
        print(f"line {number}")


@code_job(name="babble", title="Babble", summary="Prints what is no text.", arguments=Nothing, is_idempotent=False)
def babble(context: FunctionContext, arguments: Nothing) -> None:
    sys.stdout.buffer.write(b"a\x00b \xff\xfe c\n" + b"z" * 1_000_000 + b"\nlast without end")
    context.log("half a \ud800 character\x00")


@code_job(name="breed", title="Breed", summary="Leaves a process.", arguments=Nothing, is_idempotent=False)
def breed(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {"pid": subprocess.Popen(["sleep", str(FOREVER)]).pid}


@code_job(name="nest", title="Nest", summary="Waits beside a process.", arguments=Nothing, is_idempotent=False)
def nest(context: FunctionContext, arguments: Nothing) -> None:
    print(f"pid {subprocess.Popen(['sleep', str(FOREVER)]).pid}", flush=True)
    time.sleep(FOREVER)


@code_job(name="walk_off", title="Walk off", summary="Leaves a process.", arguments=Nothing, is_idempotent=False)
def walk_off(context: FunctionContext, arguments: Nothing) -> None:
    print(f"pid {subprocess.Popen(['sleep', str(FOREVER)]).pid}", flush=True)
    time.sleep(0.5)


@code_job(name="escape", title="Escape", summary="Makes a daemon.", arguments=Nothing, is_idempotent=False)
def escape(context: FunctionContext, arguments: Nothing) -> None:
    become_daemon()
    time.sleep(FOREVER)


def become_daemon() -> None:
    """Go on in a process of another session, whose parent has ended, as well as here."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"pid {os.getpid()}")


@code_job(name="linger", title="Linger", summary="Leaves a thread.", arguments=Nothing, is_idempotent=False)
def linger(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    threading.Thread(target=time.sleep, args=(FOREVER,)).start()
    return {"done": True}


class Pause(BaseModel):
    """How long to do nothing."""

    seconds: float


@code_job(name="nap", title="Nap", summary="Waits a moment.", arguments=Pause, is_idempotent=True)
def nap(context: FunctionContext, arguments: Pause) -> Mapping[str, Any]:
    time.sleep(arguments.seconds)
    return {"slept": True}


@code_job(name="count", title="Count", summary="Returns odd types.", arguments=Nothing, is_idempotent=True)
def count(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {"words": Counter(["a", "b", "a"]), "lists": defaultdict(list, x=[1]), "text": "half \ud800"}


@code_job(name="bury_deep", title="Bury", summary="Returns a deep result.", arguments=Nothing, is_idempotent=True)
def bury_deep(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    result: dict[str, Any] = {}
    for _ in range(300):
        result = {"in": result}
    return result


@code_job(name="mumble", title="Mumble", summary="Fails with broken text.", arguments=Nothing, is_idempotent=True)
def mumble(context: FunctionContext, arguments: Nothing) -> None:
    raise JobFailed("half \ud800\x00")


@code_job(name="fall_silent", title="Fall silent", summary="Closes its output.", arguments=Nothing, is_idempotent=True)
def fall_silent(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    print("last words")
    sys.stdout.close()
    sys.stderr = None
    return {"done": True}


@code_job(name="double", title="Double", summary="Returns twice.", arguments=Nothing, is_idempotent=True)
def double(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return {"is_child": not child}


class Sphinx(Exception):
    """Does not say what it is."""

    def __str__(self) -> str:
        raise LookupError


@code_job(name="puzzle", title="Puzzle", summary="Raises a riddle.", arguments=Nothing, is_idempotent=True)
def puzzle(context: FunctionContext, arguments: Nothing) -> None:
    raise Sphinx


@code_job(name="boast", title="Boast", summary="Returns too much.", arguments=Nothing, is_idempotent=False)
def boast(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {"big": "x" * 100_000}


@code_job(name="look_around", title="Look", summary="Tells what it sees.", arguments=Nothing, is_idempotent=True)
def look_around(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {
        "environment": sorted(os.environ),
        "database_url": context.settings.database_url,
        "secret_key": context.settings.secret_key,
        "stdin": sys.stdin.read(),
        "memory_mib": resource.getrlimit(resource.RLIMIT_DATA)[0] // 2**20,
    }
