"""Whether pages can be served at an address, asked before anything is started."""

import errno
import socket

from app.core.errors import Unavailable


class AddressUnusable(Unavailable):
    """The address of BELFRY_LISTEN is taken, or none that this machine can serve at."""


def refuse_unusable_address(host: str, port: int) -> None:
    """Do nothing if the address is free. Raises AddressUnusable otherwise."""
    name = host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server does it: connections of a server that just ended must not be in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((name, port))
    except (OSError, UnicodeError) as error:
        raise AddressUnusable(_explain(f"{host}:{port}", error)) from error


def _explain(address: str, error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Another program serves at {address}. Stop it, or set BELFRY_LISTEN to another address."
    reason = error.strerror if isinstance(error, OSError) else "no host has such a name"
    return f"Pages cannot be served at {address}: {reason}. Set BELFRY_LISTEN to an address of this machine."
