"""A mail server on a port of this machine: with a login, with encryption, with grey lists, or without any answer."""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "belfry", "correct horse"


@dataclass
class Postbox:
    """Letters that were taken. `replies` answer the next recipients, one after the other; then all are taken."""

    letters: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    replies: deque[str] = field(default_factory=deque)
    after_data: deque[str] = field(default_factory=deque)
    logins: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the library looks for these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.popleft() if self.replies else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.after_data.popleft() if self.after_data else "250 OK"
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            letter: Any = message_from_bytes(envelope.content, policy=default)
            self.raw.append(envelope.content)
            self.letters.append((list(envelope.rcpt_tos), letter))
        return reply


class _Controller(Controller):
    """Leaves no connection open, also not those that a client broke off in the middle of something."""

    opened: list[SMTP]

    def factory(self) -> SMTP:
        served: SMTP = super().factory()  # type: ignore[no-untyped-call]
        self.opened = [*getattr(self, "opened", []), served]
        return served

    async def hang_up(self) -> None:
        for served in getattr(self, "opened", []):
            for transport in (served.transport, served._original_transport):
                if transport is not None:
                    transport.abort()
        # They are closed in the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)

    def _trigger_server(self) -> None:
        # The library looks whether the port answers that it was told, which may be any free one.
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class MailServerFake:
    """Serves a postbox on 127.0.0.1 until it is left."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, needs_login: bool = False) -> None:
        self.postbox = Postbox()

        def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
            assert isinstance(data, LoginPassword)
            self.postbox.logins.append(data.login.decode())
            is_right = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
            return AuthResult(success=is_right, handled=False)

        self._controller = _Controller(
            self.postbox,
            hostname="127.0.0.1",
            port=0,
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=check,
            auth_required=needs_login,
            auth_require_tls=tls is not None,
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def __enter__(self) -> "MailServerFake":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._controller.hang_up(), self._controller.loop).result(timeout=10)
        self._controller.stop()
