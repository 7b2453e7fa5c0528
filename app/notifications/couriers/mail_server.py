"""One conversation with a mail server, in bounded time. What letters say is not known here."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP

from app.core.deadline import Deadline
from app.core.hiding import make_cleaner
from app.core.mail_settings import MailSecurity, MailServer
from app.core.text import first_words
from app.core.wire import Lookups, OutboundFailed, system_resolver
from app.notifications.couriers.errands import CONNECT_SECONDS, Fate, NotDelivered

# Address → what the server said of it.
Refusals = Mapping[str, tuple[int, str]]
_LOOKUPS = Lookups(system_resolver)
# What a server says that takes letters (RFC 5321, 4.2.2).
_READY = 220


def hand_over(server: MailServer, letter: EmailMessage, wanted: Sequence[str], *, seconds: float) -> Refusals:
    """Give a letter to the server, for these addresses. Returns those that it refused. Raises NotDelivered."""
    talk = _Talk(server, Deadline.after(seconds))
    watchdog = threading.Timer(seconds, talk.cut_off)
    watchdog.daemon = True
    watchdog.start()
    try:
        with talk.failures_in_words():
            return talk.deliver(letter, wanted)
    finally:
        watchdog.cancel()
        talk.close()


class _Client(smtplib.SMTP):
    """smtplib on a socket that was opened for it."""

    def __init__(self, opened: socket.socket, server: MailServer) -> None:
        self._opened = opened
        # Without a server it connects to none yet: a greeting that fails must leave somebody who closes it.
        super().__init__(local_hostname="belfry")
        self._host = server.host

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return self._opened


class _Talk:
    """Its socket is shut when the time is over: a server may drip its words for ever, each within a time-out."""

    def __init__(self, server: MailServer, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        self._socket: socket.socket | None = None
        # A second handle on the connection: encryption takes the first one over, and must not notice.
        self._cord: socket.socket | None = None
        self._client: _Client | None = None
        self._is_late = False
        self._is_under_way = False

    def deliver(self, letter: EmailMessage, wanted: Sequence[str]) -> Refusals:
        self._client = client = _Client(self._open(), self._server)
        code, said = client.connect(self._server.host, self._server.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, said)
        client.ehlo()
        if self._server.security is MailSecurity.STARTTLS:
            client.starttls(context=self._tls())
            self._socket = client.sock
            client.ehlo()
        if self._server.user and self._server.password:
            client.login(self._server.user, self._server.password)
        refused = self._address(client, wanted)
        if len(refused) < len(wanted):
            # From here on nobody knows what became of it when the line goes dead.
            self._is_under_way = True
            code, said = client.data(letter.as_bytes(policy=SMTP))
            self._is_under_way = False
            if code != 250:
                raise smtplib.SMTPDataError(code, said)
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
        return refused

    def cut_off(self) -> None:
        """The time is over: whoever waits for this socket gets an error."""
        self._is_late = True
        if self._cord is not None:
            with suppress(OSError):
                self._cord.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # What it reads from is a handle of its own on the same connection.
        for opened in (self._client, self._socket, self._cord):
            if opened is not None:
                opened.close()

    @contextmanager
    def failures_in_words(self) -> Iterator[None]:
        """Everything that goes wrong as NotDelivered. The password is in no message."""
        host = self._server.host
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            raise NotDelivered(f"{host} refused the login ({self._said(error)}).", fate=Fate.LATER) from error
        except smtplib.SMTPNotSupportedError as error:
            words = "does not offer what BELFRY_SMTP_SECURITY or BELFRY_SMTP_USER ask for"
            raise NotDelivered(f"{host} {words}.", fate=Fate.LATER) from error
        except smtplib.SMTPResponseException as error:
            fate = Fate.LATER if error.smtp_code < 500 or not isinstance(error, smtplib.SMTPDataError) else Fate.REFUSED
            raise NotDelivered(f"{host} refused it ({self._said(error)}).", fate=fate) from error
        except OutboundFailed as error:
            raise NotDelivered(error.message, fate=Fate.LATER) from error
        except (smtplib.SMTPException, OSError) as error:
            fate = Fate.DOUBTFUL if self._is_under_way else Fate.LATER
            raise NotDelivered(self._broke_off(error), fate=fate) from error

    def _open(self) -> socket.socket:
        addresses = _LOOKUPS.find(self._server.host, deadline=self._deadline)
        failure: OSError = TimeoutError()
        for address in addresses[:2]:
            try:
                self._socket = socket.create_connection((str(address), self._server.port), timeout=CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            self._cord = self._socket.dup()
            self._socket.settimeout(max(self._deadline.seconds_left, 0.1))
            if self._server.security is MailSecurity.TLS:
                self._socket = self._tls().wrap_socket(self._socket, server_hostname=self._server.host)
            return self._socket
        raise failure

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.authority)

    def _address(self, client: _Client, wanted: Sequence[str]) -> dict[str, tuple[int, str]]:
        code, said = client.mail(self._server.sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, said, self._server.sender)
        refused = {}
        for address in wanted:
            code, said = client.rcpt(address)
            if code not in {250, 251}:
                refused[address] = (code, said.decode("utf-8", "replace"))
        return refused

    def _said(self, error: smtplib.SMTPResponseException) -> str:
        raw = error.smtp_error
        said = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        clean = make_cleaner([self._server.password or ""])
        return f"{error.smtp_code} {clean(first_words(said, longest=160))}".strip()

    def _broke_off(self, error: Exception) -> str:
        place = f"{self._server.host} port {self._server.port}"
        if self._is_late or self._deadline.has_passed or isinstance(error, TimeoutError):
            return f"The mail server {place} did not answer in time."
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"The certificate of the mail server {place} is not trusted: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return f"The mail server {place} did not set up an encrypted connection."
        if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
            return f"Nothing answers at the mail server {place}: {(error.strerror or 'no connection').lower()}."
        return f"The mail server {place} broke off."
