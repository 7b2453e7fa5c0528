"""The real worker and scheduler processes of one installation, looked after as a service manager would."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.children import PARENT_VARIABLE
from app.core.paths import ROOT

HOOKS = Path(__file__).parent / "hooks"
# What SIGTERM may take: the time that attempts are given to end, and some for a slow machine.
STOP_SECONDS = 60


@dataclass
class Member:
    """One process, and how to start it again."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    starts: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            arguments = [sys.executable, "-m", "app.cli", *self.command]
            # A session of its own: Ctrl-C is for the tests.
            self.process = subprocess.Popen(
                arguments, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.starts += 1

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def says_it_started(self) -> bool:
        """As often as it was started, or the last start is still under way."""
        return self.log.read_text(errors="replace").count(" started") >= self.starts

    def kill(self) -> None:
        """Without a chance to say anything."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end. Returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


class Crew:
    """All processes of an installation. One that ends by itself is started again, and counted."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        paths = os.pathsep.join([str(HOOKS), str(ROOT)])
        # None outlives these tests, however they end.
        ties = {PARENT_VARIABLE: str(os.getpid())}
        self._environment = {**os.environ, **environment, **ties, "PYTHONPATH": paths}
        self.members: list[Member] = []
        self.ended_by_themselves = 0

    def start(self, *command: str, **environment: str) -> Member:
        """Start one more, for example `start("worker", "--no-scheduler")`."""
        log = self._folder / f"process-{len(self.members)}.log"
        member = Member(command, self._environment | environment, log)
        member.start()
        self.members.append(member)
        return member

    def tend(self) -> None:
        """Start those again that have ended."""
        for member in self.members:
            if not member.is_alive:
                self.ended_by_themselves += 1
                member.start()

    def dismiss(self, member: Member) -> None:
        """Look after it no longer."""
        self.members.remove(member)

    @property
    def complaints(self) -> list[str]:
        """The last lines of every log that holds an error, other than that others kept it waiting for the file."""
        texts = [member.log.read_text(errors="replace") for member in self.members]
        return [text[-2_000:] for text in texts if any(map(_is_complaint, text.splitlines()))]

    def close(self) -> None:
        for member in self.members:
            if member.is_alive:
                member.thaw()
                member.kill()


def _is_complaint(line: str) -> bool:
    return ("ERROR" in line or "Traceback" in line) and "is busy with another process" not in line
