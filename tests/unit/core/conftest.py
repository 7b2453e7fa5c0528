"""A client that may talk to this machine, and a fence that keeps every test on it."""

import socket
from ipaddress import ip_address

import pytest

from app.core.addresses import parse_networks
from app.core.http import OutboundClient
from tests.unit.core.loopback import Listeners


@pytest.fixture(autouse=True)
def attempts_outside(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses beyond this machine that a test would have connected to. They are refused at the socket."""
    attempts: list[str] = []
    connect = socket.create_connection

    def connect_inside(address: tuple[str, int], **options: float) -> socket.socket:
        if ip_address(address[0]).is_loopback:
            return connect(address, **options)
        attempts.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect_inside)
    return attempts


@pytest.fixture(scope="module")
def listeners():
    listeners = Listeners()
    yield listeners
    listeners.close()


@pytest.fixture(scope="module")
def client() -> OutboundClient:
    """A client that may talk to this machine."""
    return OutboundClient(allowed_private=parse_networks("127.0.0.0/8"))
