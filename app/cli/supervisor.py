"""One parent for everything on one machine: starts web and worker, starts again what dies, and stops them together."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path

from app.cli.children import FIRST_PAUSE_SECONDS, Child, surroundings
from app.cli.terminal import say
from app.core.config import Settings

LOOK_SECONDS = 0.1
# Short, because nothing else is looked after meanwhile, a wish to stop included. It is asked again.
ANSWER_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
STEADY_AFTER_SECONDS = 60.0
# What the children get beyond their own stop time before they are killed.
PATIENCE_SECONDS = 5.0


class Supervisor:
    """Web and worker of one machine. The first child serves the pages."""

    def __init__(self, settings: Settings, children: Sequence[Child], *, folder: Path) -> None:
        self._settings = settings
        self._children = children
        self._folder = folder
        self._is_answering = False
        # A plain flag: setting an Event from a handler can deadlock with the very thread that waits for it.
        self._is_closed = False

    def run(self, greet: Callable[[], None]) -> None:
        """Run until SIGINT or SIGTERM; returns when every child has ended. Greets while the pages are served."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._close)
        try:
            while not self._is_closed:
                for child in self._children:
                    self._look_after(child)
                if self._serves_pages():
                    greet()
                time.sleep(LOOK_SECONDS)
        finally:
            self._stop()

    def _close(self, *_signal: object) -> None:
        self._is_closed = True

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.is_alive:
            return
        if child.process is not None:
            is_steady = now - child.started_at > STEADY_AFTER_SECONDS
            child.pause = FIRST_PAUSE_SECONDS if is_steady else min(child.pause * 2, LONGEST_PAUSE_SECONDS)
            child.start_at = now + child.pause
            status = child.process.returncode
            say(f"The {child.name} ended (status {status}). It starts again in {child.pause:.0f} s.", err=True)
            child.process = None
        if now >= child.start_at:
            self._start(child)

    def _start(self, child: Child) -> None:
        environment = surroundings(os.environ, folder=self._folder, parent=os.getpid())
        # A session of its own: Ctrl-C in the terminal reaches the parent alone, which then stops them in order.
        child.process = subprocess.Popen(child.command, cwd=self._folder, env=environment, start_new_session=True)  # noqa: S603 - our own command
        child.started_at = time.monotonic()

    def _serves_pages(self) -> bool:
        # Whoever answers while our own process is gone is another server.
        if not self._children[0].is_alive:
            return False
        self._is_answering = self._is_answering or self._answers()
        return self._is_answering

    def _answers(self) -> bool:
        address = f"http://{self._settings.reachable_host}:{self._settings.listen_port}/healthz"
        try:
            with urllib.request.urlopen(address, timeout=ANSWER_SECONDS) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    def _stop(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._settings.stop_seconds + PATIENCE_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
