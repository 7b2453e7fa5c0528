"""The one place where the URL of an outgoing request is taken apart and checked. Pure: looks nothing up."""

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import httpx

from app.core.addresses import Address, OutboundRefused

MAX_URL_CHARACTERS = 8_192
DEFAULT_PORTS = {"http": 80, "https": 443}
# Services that are not HTTP and could be talked into something by the bytes of a request: file shares,
# databases, brokers, caches, telephony, chat, X11.
_PORTS_OF_OTHER_SERVICES = frozenset(
    {1433, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672}
    | {5900, 6000, 6379, 6380, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 10080, 11211}
    | {26379, 27017, 27018, 27019}
)

_UNWANTED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
# An empty user name leaves no trace after parsing, so this one is looked for in the text.
_AT_BEFORE_HOST = re.compile(r"([^:/?#]*:)?//[^/?#]*@")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
# What the C library would read as a number: `2130706433`, `0x7f.1`, `127.1`, `0177.0.0.1`.
_ENDS_IN_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)$")


@dataclass(frozen=True)
class Target:
    """Where a request goes. Everything later uses these parts, so that no second parser can disagree."""

    url: httpx.URL
    host: str
    port: int
    literal: Address | None

    @property
    def place(self) -> str:
        """For messages: no path and no query, which may hold secrets."""
        return f"{self.host} port {self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.url.scheme, self.host, self.port)


def parse_target(text: str) -> Target:
    """The target a URL names. Raises OutboundRefused when it must not be called, whatever its address."""
    _refuse_bad_text(text)
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as exc:
        raise OutboundRefused("This is not a web address. Write one like https://example.com/hook.") from exc
    return _check(url)


def follow(target: Target, location: str) -> Target:
    """The target a redirect names, which may be relative. Raises OutboundRefused like parse_target."""
    _refuse_bad_text(location)
    try:
        url = target.url.join(location)
    except (httpx.InvalidURL, ValueError) as exc:
        raise OutboundRefused(f"{target.host} redirects to something that is not a web address.") from exc
    return _check(url)


def _refuse_bad_text(text: str) -> None:
    if len(text) > MAX_URL_CHARACTERS:
        raise OutboundRefused(f"The address is longer than {MAX_URL_CHARACTERS} characters.")
    # A backslash is a slash to some parsers and a letter to others, which is how checks get fooled.
    if any(char == "\\" or unicodedata.category(char) in _UNWANTED_CATEGORIES for char in text):
        message = "The address contains a space, a line break, a backslash or an invisible character."
        raise OutboundRefused(f"{message} Take it out, or write it in percent form, such as %20.")
    if _AT_BEFORE_HOST.match(text):
        raise OutboundRefused("The address holds a user name or an @ before the host. Use a header instead.")


def _check(url: httpx.URL) -> Target:
    if url.scheme not in DEFAULT_PORTS:
        raise OutboundRefused("Only addresses that begin with http:// or https:// can be called.")
    if url.userinfo:
        raise OutboundRefused("The address holds a user name. Use a header instead.")
    host = url.raw_host.decode("ascii").lower()
    if not host:
        raise OutboundRefused("The address names no host. Write one like https://example.com/hook.")
    port = DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    _refuse_port(port)
    return Target(url=url, host=host, port=port, literal=_literal(host))


def _refuse_port(port: int) -> None:
    is_web = port in DEFAULT_PORTS.values() or 1024 <= port <= 65_535
    if not is_web or port in _PORTS_OF_OTHER_SERVICES:
        raise OutboundRefused(
            f"Port {port} is not one for HTTP. Use 80, 443 or one above 1023 that no other service is known for."
        )


def _literal(host: str) -> Address | None:
    """The address a host spells out, or None for a name. Raises OutboundRefused for what is neither."""
    if ":" in host:
        return _literal_v6(host)
    if _ENDS_IN_NUMBER.search(host.rstrip(".")):
        return _literal_v4(host)
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise OutboundRefused(f"{host[:80]!r} is not a host name. A dot at the end has to go, too.")
    return None


def _literal_v4(host: str) -> IPv4Address:
    try:
        return IPv4Address(host)
    except ValueError as exc:
        message = f"{host[:80]!r} looks like an address written as a number."
        raise OutboundRefused(f"{message} Write four decimal numbers, such as 192.0.2.7.") from exc


def _literal_v6(host: str) -> IPv6Address:
    try:
        address = IPv6Address(host)
    except ValueError as exc:
        raise OutboundRefused(f"{host[:80]!r} is not an IPv6 address.") from exc
    if address.scope_id is not None:
        raise OutboundRefused(f"{host[:80]!r} names a network interface. Leave out the % and what follows.")
    return address
