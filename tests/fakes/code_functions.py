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
from app.jobs.kinds.code.catalog import job
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


@job("greet", title="Greet", summary="Greets.", idempotent=True)
def greet(context: FunctionContext, arguments: Order) -> Mapping[str, Any]:
    print("printed")
    context.log("logged", Level.WARNING)
    print("to the other stream", file=sys.stderr)
    return {"greeting": f"Hello {arguments.who}", "key": context.idempotency_key}


@job("explode", title="Explode", summary="Raises.", idempotent=False)
def explode(context: FunctionContext, arguments: Nothing) -> None:
    raise ValueError("the number is odd")


@job("give_up", title="Give up", summary="Fails on purpose.", idempotent=False)
def give_up(context: FunctionContext, arguments: Nothing) -> None:
    raise JobFailed("The shop is closed.", retry=False)


@job("come_back", title="Come back", summary="Is too early.", idempotent=False)
def come_back(context: FunctionContext, arguments: Nothing) -> None:
    raise RetryLater("The shop opens at nine.", seconds=900)


@job("proceed", title="Proceed", summary="Tells each step.", idempotent=True)
def proceed(context: FunctionContext, arguments: Nothing) -> None:
    for number in range(1, 10_000):
        context.progress(number, 10_000, f"Row {number}")
    context.progress(10_000, 10_000, "Done")


@job("leave", title="Leave", summary="Exits.", idempotent=False)
def leave(context: FunctionContext, arguments: Nothing) -> None:
    os._exit(3)


@job("crash", title="Crash", summary="Reads address 0.", idempotent=False)
def crash(context: FunctionContext, arguments: Nothing) -> None:
    ctypes.string_at(0)


@job("spin", title="Spin", summary="Hears no request to end.", idempotent=False)
def spin(context: FunctionContext, arguments: Nothing) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"pid {os.getpid()}")
    while True:
        try:
            time.sleep(FOREVER)
        except BaseException:
            continue


@job("tidy", title="Tidy", summary="Cleans up when asked to end.", idempotent=False)
def tidy(context: FunctionContext, arguments: Nothing) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("cleaned up"))
    print("working")
    time.sleep(FOREVER)


@job("flood", title="Flood", summary="Prints too much.", idempotent=False)
def flood(context: FunctionContext, arguments: Nothing) -> None:
    for number in range(200_000):
        print(f"line {number}")


@job("babble", title="Babble", summary="Prints what is no text.", idempotent=False)
def babble(context: FunctionContext, arguments: Nothing) -> None:
    sys.stdout.buffer.write(b"a\x00b \xff\xfe c\n" + b"z" * 1_000_000 + b"\nlast without end")
    context.log("half a \ud800 character\x00")


@job("breed", title="Breed", summary="Leaves a process.", idempotent=False)
def breed(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {"pid": subprocess.Popen(["sleep", str(FOREVER)]).pid}


@job("nest", title="Nest", summary="Waits beside a process.", idempotent=False)
def nest(context: FunctionContext, arguments: Nothing) -> None:
    print(f"pid {subprocess.Popen(['sleep', str(FOREVER)]).pid}", flush=True)
    time.sleep(FOREVER)


@job("walk_off", title="Walk off", summary="Leaves a process.", idempotent=False)
def walk_off(context: FunctionContext, arguments: Nothing) -> None:
    print(f"pid {subprocess.Popen(['sleep', str(FOREVER)]).pid}", flush=True)
    time.sleep(0.5)


@job("escape", title="Escape", summary="Makes a daemon.", idempotent=False)
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


@job("linger", title="Linger", summary="Leaves a thread.", idempotent=False)
def linger(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    threading.Thread(target=time.sleep, args=(FOREVER,)).start()
    return {"done": True}


class Pause(BaseModel):
    """How long to do nothing."""

    seconds: float


@job("begin", title="Begin", summary="Tells its first two steps at once, and takes its time.", idempotent=True)
def begin(context: FunctionContext, arguments: Pause) -> None:
    context.progress(1, 10, "Orders")
    context.progress(2, 10, "Customers")
    time.sleep(arguments.seconds)


@job("nap", title="Nap", summary="Waits a moment.", idempotent=True)
def nap(context: FunctionContext, arguments: Pause) -> Mapping[str, Any]:
    time.sleep(arguments.seconds)
    return {"slept": True}


@job("count", title="Count", summary="Returns odd types.", idempotent=True)
def count(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {"words": Counter(["a", "b", "a"]), "lists": defaultdict(list, x=[1]), "text": "half \ud800"}


@job("bury_deep", title="Bury", summary="Returns a deep result.", idempotent=True)
def bury_deep(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    result: dict[str, Any] = {}
    for _ in range(300):
        result = {"in": result}
    return result


@job("mumble", title="Mumble", summary="Fails with broken text.", idempotent=True)
def mumble(context: FunctionContext, arguments: Nothing) -> None:
    raise JobFailed("half \ud800\x00")


@job("fall_silent", title="Fall silent", summary="Closes its output.", idempotent=True)
def fall_silent(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    print("last words")
    sys.stdout.close()
    sys.stderr = None
    return {"done": True}


@job("double", title="Double", summary="Returns twice.", idempotent=True)
def double(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return {"is_child": not child}


class Sphinx(Exception):
    """Does not say what it is."""

    def __str__(self) -> str:
        raise LookupError


@job("puzzle", title="Puzzle", summary="Raises a riddle.", idempotent=True)
def puzzle(context: FunctionContext, arguments: Nothing) -> None:
    raise Sphinx


@job("boast", title="Boast", summary="Returns too much.", idempotent=False)
def boast(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {"big": "x" * 100_000}


@job("look_around", title="Look", summary="Tells what it sees.", idempotent=True)
def look_around(context: FunctionContext, arguments: Nothing) -> Mapping[str, Any]:
    return {
        "environment": sorted(os.environ),
        "database_url": context.settings.database_url,
        "secret_key": context.settings.secret_key,
        "stdin": sys.stdin.read(),
        "memory_mib": resource.getrlimit(resource.RLIMIT_DATA)[0] // 2**20,
    }
