"""Which network addresses may be called, and why not. Pure: resolving and connecting live in wire.py."""

import re
from collections.abc import Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from app.core.errors import Invalid

SETTING = "BELFRY_ALLOWED_PRIVATE_ADDRESSES"

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class NetworkInvalid(Invalid):
    """A piece of text in a list of networks is not an address or a network."""


class OutboundRefused(Invalid):
    """This request is never sent: its address, scheme, port or a header is not acceptable."""


class AddressKind(Enum):
    """What an address is for, in words that end a sentence."""

    PUBLIC = "a public address"
    METADATA = "where a cloud hands out its credentials"
    UNSPECIFIED = "no particular machine"
    MULTICAST = "a group of machines"
    LOOPBACK = "this machine itself"
    LINK_LOCAL = "only valid on one cable"
    SPECIAL = "set aside for special use"
    PRIVATE = "not on the public internet"


# Each gives credentials to anyone who can ask from inside. Some are public or shared addresses, so listing a
# network around them must not open them by accident.
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Google, Azure, Oracle, DigitalOcean and most others
        "169.254.170.2",  # AWS container tasks
        "169.254.170.23",  # AWS pods
        "169.254.42.42",  # Scaleway
        "169.254.0.23",  # Tencent
        "168.63.129.16",  # Azure's wire server, which ipaddress calls global
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle, older machines
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS pods
        "fd20:ce::254",  # Google
        "fd00:42::42",  # Scaleway
    )
)
# Ranges that Python 3.11 calls global although nobody answers there as a public server.
_SPECIAL = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)
# Nothing else is handed out; `is_global` alone lets the old site-local fec0::/10 through.
_HANDED_OUT_V6 = IPv6Network("2000::/3")
# What hands out credentials stays closed even within these, and so does what is no machine.
EVERY_NETWORK: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_NEVER_ALLOWED = frozenset({AddressKind.UNSPECIFIED, AddressKind.MULTICAST})

_MAPPED = IPv6Network("::ffff:0:0/96")
_COMPATIBLE = IPv6Network("::/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_ISATAP_MARKS = (0x0000_5EFE, 0x0200_5EFE)
_LOW_32 = 0xFFFF_FFFF


def unwrap(address: Address) -> tuple[Address, ...]:
    """Where packets to this address can end up: itself, or the addresses it carries inside. Never empty."""
    if isinstance(address, IPv4Address):
        return (address,)
    low = IPv4Address(int(address) & _LOW_32)
    ends = _tunnel_ends(address, low)
    is_isatap = (int(address) >> 32) & _LOW_32 in _ISATAP_MARKS
    return (*ends, low) if is_isatap else ends


def _tunnel_ends(address: IPv6Address, low: IPv4Address) -> tuple[Address, ...]:
    # `::` and `::1` lie in the range of the old compatible addresses without being any.
    is_compatible = address in _COMPATIBLE and int(address) > 1
    if address in _MAPPED or address in _NAT64 or is_compatible:
        return (low,)
    if address in _LOCAL_NAT64:
        # Where the inner address lies depends on the gateway, so the whole has to be allowed as well.
        return (low, address)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    return (address,)


def classify(address: Address) -> AddressKind:
    """What one unwrapped address is for."""
    # In this order: the first that fits gives the clearest words, and only the last two are about routing.
    questions = (
        (address in _METADATA, AddressKind.METADATA),
        (address.is_unspecified, AddressKind.UNSPECIFIED),
        (address.is_multicast, AddressKind.MULTICAST),
        (address.is_loopback, AddressKind.LOOPBACK),
        (address.is_link_local, AddressKind.LINK_LOCAL),
        (address.is_reserved or any(address in network for network in _SPECIAL), AddressKind.SPECIAL),
        (not address.is_global or not _is_handed_out(address), AddressKind.PRIVATE),
    )
    return next((kind for fits, kind in questions if fits), AddressKind.PUBLIC)


def _is_handed_out(address: Address) -> bool:
    return isinstance(address, IPv4Address) or address in _HANDED_OUT_V6


def is_allowed(address: Address, allowed_private: Sequence[Network]) -> bool:
    """Whether one unwrapped address is public, or the operator's list opens it."""
    kind = classify(address)
    if kind is AddressKind.PUBLIC:
        return True
    if kind in _NEVER_ALLOWED:
        return False
    if kind is AddressKind.METADATA:
        return any(address in network and network.num_addresses == 1 for network in allowed_private)
    return any(address in network for network in allowed_private)


def refuse_forbidden(address: Address, *, host: str, allowed_private: Sequence[Network]) -> None:
    """Do nothing if a request for this host may go to this address. Raises OutboundRefused otherwise."""
    for end in unwrap(address):
        if not is_allowed(end, allowed_private):
            raise OutboundRefused(_explain(address, end, host))


def _explain(address: Address, end: Address, host: str) -> str:
    kind = classify(end)
    inside = f" (it leads to {end})" if end != address else ""
    named = "" if host == str(address) else f" {host} stands for that address."
    return f"Requests to {address}{inside} are refused: that is {kind.value}.{named}{_advice(kind, end)}"


def _advice(kind: AddressKind, end: Address) -> str:
    if kind in _NEVER_ALLOWED:
        return " Use the address of one machine."
    if kind is AddressKind.METADATA:
        return f" It stays closed unless {SETTING} lists exactly {end}/{end.max_prefixlen}."
    return f" If it is meant, whoever operates this installation can list {end} in {SETTING}."


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks and single addresses out of text like "10.1.0.0/16, 192.168.7.4". Raises NetworkInvalid."""
    return tuple(_parse_network(word) for word in re.split(r"[,\s]+", text) if word)


def _parse_network(word: str) -> Network:
    try:
        network = ip_network(word, strict=False)
        first = ip_address(word.partition("/")[0])
    except ValueError as exc:
        message = f"{word!r} is not an address or a network. Write for example 192.168.7.4 or 10.1.0.0/16."
        raise NetworkInvalid(message) from exc
    if "%" in word:
        raise NetworkInvalid(f"{word!r} names a network interface. Leave out the % and what follows.")
    if network.network_address != first:
        raise NetworkInvalid(f"{word!r} names a machine and a network at once. The network is {network}.")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        # Addresses are compared after unwrapping: such an entry would never match and look as if it did.
        raise NetworkInvalid(f"{word!r} is an IPv4 address inside an IPv6 one. Write the IPv4 address itself.")
    return network
