"""The pipe from a worker to the guard of its function: the call, then until when the function may go on.

The guard imports this, so it imports next to nothing. What the call says lives in protocol.py.
"""

import os
from contextlib import suppress

from app.core.deadline import Deadline

_CHUNK = 65_536


class WorkerEnd:
    """Tells the guard of renewals. `told` is the last moment that it was told, or started with."""

    def __init__(self, pipe: int, told: Deadline) -> None:
        self._pipe = pipe
        self.told = told

    def renew(self, safe_until: Deadline) -> None:
        """Tell the moment, if it is a new one. Never waits: what does not fit now is for the next time."""
        if safe_until == self.told:
            return
        # Not sooner: the call, which went the same way, is longer than a pipe may have room for.
        os.set_blocking(self._pipe, False)
        # So short a line is written whole or not at all. A guard that is dead needs to know nothing.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._pipe, f"{safe_until.at!r}\n".encode())
            self.told = safe_until


class GuardEnd:
    """Takes what the worker tells. `safe_until` is the newest moment: after it nothing may run any more."""

    def __init__(self, pipe: int, safe_until: Deadline) -> None:
        self.pipe = pipe
        self.safe_until = safe_until
        self._rest = b""

    def read_call(self) -> bytes | None:
        """The first line, or None when the worker ended before it was whole."""
        while b"\n" not in self._rest:
            piece = os.read(self.pipe, _CHUNK)
            if not piece:
                return None
            self._rest += piece
        call, _, self._rest = self._rest.partition(b"\n")
        return call

    def read_renewals(self) -> bool:
        """Take what has come, waiting for it if nothing has. False when the worker is gone."""
        piece = os.read(self.pipe, _CHUNK)
        *moments, self._rest = (self._rest + piece).split(b"\n")
        if moments:
            self.safe_until = Deadline(float(moments[-1]))
        return bool(piece)
