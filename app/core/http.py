"""The one client for requests to outside machines. No other module may open a connection to a chosen address."""

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ssl import SSLContext
from threading import Lock
from typing import BinaryIO

import httpcore
import httpx

from app.core.addresses import EVERY_NETWORK, Address, Network, OutboundRefused, refuse_forbidden
from app.core.bodies import BodyUnreadable, BoundedBody
from app.core.deadline import Deadline, boot_seconds
from app.core.urls import Target, follow, parse_target
from app.core.wire import FailureKind, Lookups, OutboundFailed, PinnedBackend, Resolver, system_resolver

__all__ = [
    "FailureKind",
    "OutboundClient",
    "OutboundFailed",
    "OutboundLimits",
    "OutboundRefused",
    "OutboundRequest",
    "OutboundResponse",
    "Resolver",
    "system_resolver",
]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HEADERS = 100
DEFAULT_HEADERS = (("User-Agent", "Belfry"), ("Accept", "*/*"), ("Accept-Encoding", "gzip"))
# The client writes these itself; given twice, two servers in a row could disagree on where a request ends.
RESERVED_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
)
# What may follow to another origin. A list of secrets to drop would miss X-Api-Key and whatever comes next.
HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
# Python also knows codecs that are slow or no character sets at all; a stranger's header must not choose those.
_READABLE_CHARSET = re.compile(
    r"ascii|utf-(8|16|32)(-[lb]e)?|iso8859-\d+|cp125\d|koi8-[ru]|shift_jis|euc_\w\w|gb\w+|big5"
)


@dataclass(frozen=True)
class OutboundLimits:
    """How long a request may take and how much may come back. Name lookup and redirects count into the total."""

    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    max_response_bytes: int = 1_048_576
    max_redirects: int = 0


@dataclass(frozen=True)
class OutboundRequest:
    """What to send. Header values and body may hold secrets: nothing here is ever put into a message."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class OutboundResponse:
    """What came back from `url`, the last one when redirects were followed. The body is unpacked."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_truncated: bool
    elapsed_seconds: float
    url: str

    @property
    def text(self) -> str:
        """The body as text, in the charset it declares if that is a known one, else UTF-8. Never fails."""
        return self.body.decode(_charset(_header(self.headers, "content-type")), errors="replace")


@dataclass(frozen=True)
class _Hop:
    """One request of a chain of redirects, checked as far as possible without looking up its name."""

    method: str
    target: Target
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class OutboundClient:
    """Sends requests to public machines and to private ones the operator listed. Safe to share between threads.

    `own_urls` are addresses out of the operator's settings: the scheme, host and port of each may lead to a private
    machine as well. Hand them only to a client that sends nothing to addresses that somebody typed in.
    """

    def __init__(
        self,
        *,
        allowed_private: Sequence[Network] = (),
        own_urls: Sequence[str] = (),
        limits: OutboundLimits = OutboundLimits(),
        resolver: Resolver = system_resolver,
    ) -> None:
        self._allowed_private = tuple(allowed_private)
        self._own_origins = frozenset(parse_target(url).origin for url in own_urls)
        self._limits = limits
        self._lookups = Lookups(resolver)
        self._reading = Lock()
        self._tls: SSLContext | None = None

    def send(
        self, request: OutboundRequest, *, limits: OutboundLimits | None = None, into: BinaryIO | None = None
    ) -> OutboundResponse:
        """Send one request and read its answer, whatever the status. Its body goes into a file where one is given.

        Raises OutboundRefused when it may not be sent, and OutboundFailed when no answer came.
        """
        limits = limits or self._limits
        started = boot_seconds()
        deadline = Deadline.after(limits.total_seconds)
        hop = _first_hop(request)
        for _ in range(limits.max_redirects + 1):
            response = self._exchange(hop, limits, deadline, into)
            if limits.max_redirects == 0 or not _is_redirect(response):
                return replace(response, elapsed_seconds=boot_seconds() - started)
            hop = _next_hop(hop, response)
        message = f"{hop.target.host} redirected more than {limits.max_redirects} times."
        raise OutboundFailed(message, kind=FailureKind.REDIRECT)

    def _exchange(
        self, hop: _Hop, limits: OutboundLimits, deadline: Deadline, into: BinaryIO | None
    ) -> OutboundResponse:
        backend = PinnedBackend(
            self._addresses(hop.target, deadline),
            allowed_private=self._allowed_for(hop.target),
            connect_seconds=limits.connect_seconds,
            deadline=deadline,
        )
        url = hop.target.url
        wire_url = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=hop.target.port, target=url.raw_path)
        with (
            _failures_in_words(hop.target, limits),
            # A connection is never kept: its address was checked for this request only.
            httpcore.ConnectionPool(
                ssl_context=self._trusted() if url.scheme == "https" else None,
                network_backend=backend,
                max_keepalive_connections=0,
            ) as pool,
            pool.stream(hop.method, wire_url, headers=_wire_headers(hop), content=hop.body) as answer,
        ):
            return _read_response(answer, hop.target, limits.max_response_bytes, into)

    def _trusted(self) -> SSLContext:
        """Who is believed to be who they say. Read by the first request that asks: it takes megabytes and a while."""
        with self._reading:
            self._tls = self._tls or _read_authorities()
            return self._tls

    def _addresses(self, target: Target, deadline: Deadline) -> tuple[Address, ...]:
        """All addresses of a target, each of them checked: one bad one makes the name suspect."""
        literal = target.literal
        found = (literal,) if literal else self._lookups.find(target.host, deadline=deadline)
        allowed_private = self._allowed_for(target)
        for address in found:
            refuse_forbidden(address, host=target.host, allowed_private=allowed_private)
        return found

    def _allowed_for(self, target: Target) -> tuple[Network, ...]:
        return EVERY_NETWORK if target.origin in self._own_origins else self._allowed_private


def _read_authorities() -> SSLContext:
    tls = httpx.create_ssl_context(trust_env=False)
    # The machine's own authorities as well: operators put those of their company there.
    tls.load_default_certs()
    return tls


def _first_hop(request: OutboundRequest) -> _Hop:
    method = request.method.upper()
    if method not in METHODS:
        raise OutboundRefused(f"The method has to be one of {', '.join(sorted(METHODS))}.")
    if len(request.headers) > MAX_HEADERS:
        raise OutboundRefused(f"More than {MAX_HEADERS} headers cannot be sent.")
    for name, value in request.headers:
        _refuse_bad_header(name, value)
    return _Hop(method, parse_target(request.url), request.headers, request.body)


def _refuse_bad_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise OutboundRefused(f"{name[:40]!r} is not a header name. Use letters, digits and dashes.")
    if name.lower() in RESERVED_HEADERS or name.lower().startswith("proxy-"):
        raise OutboundRefused(f"The header {name} cannot be set: it is written for each request.")
    # The value may be a secret and stays out of the message.
    if _CONTROL.search(value):
        raise OutboundRefused(f"The value of the header {name} contains a line break or a control character.")
    if any(ord(char) > 0xFF for char in value):
        raise OutboundRefused(f"The value of the header {name} contains a character that headers cannot carry.")


def _wire_headers(hop: _Hop) -> list[tuple[bytes, bytes]]:
    given = {name.lower() for name, _ in hop.headers}
    headers = [("Host", hop.target.url.netloc.decode("ascii")), ("Connection", "close")]
    headers += [(name, value) for name, value in DEFAULT_HEADERS if name.lower() not in given]
    headers += hop.headers
    if hop.body is not None or hop.method in METHODS_WITH_BODY:
        headers.append(("Content-Length", str(len(hop.body or b""))))
    return [(name.encode("ascii"), value.strip().encode("latin-1")) for name, value in headers]


def _is_redirect(response: OutboundResponse) -> bool:
    return response.status in REDIRECTS and _header(response.headers, "location") != ""


def _next_hop(hop: _Hop, response: OutboundResponse) -> _Hop:
    """The request a redirect asks for. Raises OutboundRefused, and OutboundFailed when it would lose encryption."""
    target = follow(hop.target, _header(response.headers, "location"))
    if hop.target.url.scheme == "https" and target.url.scheme == "http":
        message = f"{hop.target.host} redirects to an address without encryption, so it was not followed."
        raise OutboundFailed(message, kind=FailureKind.REDIRECT)
    headers, method, body = hop.headers, hop.method, hop.body
    if target.origin != hop.target.origin:
        headers = tuple((name, value) for name, value in headers if name.lower() in HARMLESS_HEADERS)
    # As browsers do it: 307 and 308 repeat the request, 303 asks to look elsewhere, the older two are a mixture.
    if (response.status == 303 and method != "HEAD") or (response.status in {301, 302} and method == "POST"):
        headers = tuple((name, value) for name, value in headers if name.lower() != "content-type")
        method, body = "GET", None
    return _Hop(method, target, headers, body)


def _read_response(
    answer: httpcore.Response, target: Target, max_bytes: int, into: BinaryIO | None
) -> OutboundResponse:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
    body = BoundedBody(_header(headers, "content-encoding"), max_bytes=max_bytes, into=into)
    for piece in answer.iter_stream():
        body.add(piece)
        if body.is_truncated:
            break
    content = body.content()
    return OutboundResponse(answer.status, headers, content, body.is_truncated, 0.0, str(target.url))


@contextmanager
def _failures_in_words(target: Target, limits: OutboundLimits) -> Iterator[None]:
    """Turn what the HTTP library raises into OutboundFailed."""
    try:
        yield
    except httpcore.TimeoutException as exc:
        message = f"{target.place} did not finish its answer within {limits.total_seconds:g} seconds."
        raise OutboundFailed(message, kind=FailureKind.TIMEOUT, may_have_arrived=True) from exc
    except BodyUnreadable as exc:
        message = f"The answer of {target.place} cannot be read: its body is {exc}."
        raise OutboundFailed(message, kind=FailureKind.PROTOCOL, may_have_arrived=True) from exc
    except (httpcore.NetworkError, httpcore.ProtocolError) as exc:
        message = f"{target.place} broke off, or what it answered is not HTTP."
        raise OutboundFailed(message, kind=FailureKind.PROTOCOL, may_have_arrived=True) from exc


def _header(headers: Sequence[tuple[str, str]], wanted: str) -> str:
    """All values of a header, joined as HTTP joins them; empty when it is missing."""
    return ", ".join(value for name, value in headers if name.lower() == wanted)


def _charset(content_type: str) -> str:
    declared = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(declared.group(1)).name if declared else "utf-8"
    except LookupError:
        return "utf-8"
    return name if _READABLE_CHARSET.fullmatch(name) else "utf-8"
