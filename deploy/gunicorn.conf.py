"""How gunicorn serves the pages. One process with threads: pages are short, and the database is close."""

import json
import os
import subprocess
import sys

from app.core.process import collect_seldom, die_with_parent, give_back_memory

# In a process of its own: reading them loads what this one, which only watches those that serve, never needs again.
# What is refused stops the server, not each of its processes.
told = subprocess.run([sys.executable, "-P", "-m", "app.core.serving"], stdout=subprocess.PIPE, check=False)
if told.returncode:
    sys.exit(told.returncode)
serving = json.loads(told.stdout)

bind = f"{serving['host']}:{serving['port']}"
worker_class = "gthread"
workers = serving["processes"]
threads = 8
# Several share what is loaded once, or each would hold as much again of what never changes. One alone has nobody to
# share it with but the watcher, and would only have copies of what they both touch.
preload_app = workers > 1
accesslog = None
loglevel = "warning"
# The server's own control socket would need a writable home; nothing here uses it.
control_socket_disable = True
graceful_timeout = 10


def on_starting(server):
    """Under `belfry up`, end with it."""
    parent = os.environ.get("BELFRY_SUPERVISOR_PID")
    if parent:
        die_with_parent(int(parent))


def pre_fork(server, worker):
    """What is loaded stays: the collector of the new process would write to all of it, and so make it its own."""
    settle()


def post_worker_init(worker):
    """A process that serves reports so, before its first request."""
    if not preload_app:
        settle()
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


def settle():
    """All is loaded: nothing of it is looked through again, and what loading took and gave back goes to the system."""
    collect_seldom()
    give_back_memory()
