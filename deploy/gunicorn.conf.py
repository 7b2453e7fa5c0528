"""How gunicorn serves the pages. One process with threads: pages are short, and the database is close."""

import ctypes
import os
import sys

from app.core.config import read_settings
from app.core.errors import AppError
from app.core.keys import with_keys
from app.core.process import collect_seldom, die_with_parent

try:
    # With the keys: what is refused here stops the server, not each of its processes.
    settings = with_keys(read_settings())
except AppError as error:
    sys.exit(error.message)

bind = f"{settings.listen_host}:{settings.listen_port}"
worker_class = "gthread"
workers = settings.web_processes
threads = 8
# Loaded once and shared by all processes: each would hold as much again of what never changes.
preload_app = True
accesslog = None
loglevel = "warning"
# The server's own control socket would need a writable home; nothing here uses it.
graceful_timeout = 10


def on_starting(server):
    """Under `belfry up`, end with it."""
    parent = os.environ.get("BELFRY_SUPERVISOR_PID")
    if parent:
        die_with_parent(int(parent))


def pre_fork(server, worker):
    """What is loaded stays: the collector of the new process would write to all of it, and so make it its own."""
    collect_seldom()
    # What loading took and gave back goes to the system. Not every C library knows the word.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def post_worker_init(worker):
    """A process that serves reports so, before its first request."""
    # Loaded by now, whether before the fork or after it.
    sys.modules["wsgi"].pulse.begin()


def worker_exit(server, worker):
    """One that ends in good order says so, if it came so far."""
    served = sys.modules.get("wsgi")
    if served is not None:
        served.pulse.end()


def post_fork(server, worker):
    """A worker ends with the process that started it."""
    die_with_parent(worker.ppid)
