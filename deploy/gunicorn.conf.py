"""How gunicorn serves the pages. One process with threads: pages are short, and the database is close."""

import os
import sys

from app.core.config import read_settings
from app.core.errors import AppError
from app.core.keys import with_keys
from app.core.process import die_with_parent

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


def post_fork(server, worker):
    """A worker ends with the process that started it."""
    die_with_parent(worker.ppid)
