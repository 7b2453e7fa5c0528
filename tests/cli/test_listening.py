"""An address that cannot be served at is refused before anything starts."""

import socket

import pytest

from app.cli.listening import AddressUnusable, refuse_unusable_address


class TestTheAddress:
    def test_is_refused_while_another_program_serves_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

            with pytest.raises(AddressUnusable, match=rf"serves at 127.0.0.1:{port}. .* BELFRY_LISTEN"):
                refuse_unusable_address("127.0.0.1", port)

    @pytest.mark.parametrize("host", ["192.0.2.7", "a" * 70 + ".invalid", "[::zz]"])
    def test_is_refused_when_it_is_none_of_this_machine(self, host: str) -> None:
        with pytest.raises(AddressUnusable, match=r"cannot be served at .* BELFRY_LISTEN"):
            refuse_unusable_address(host, 9320)

    def test_may_have_been_used_a_moment_ago(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as earlier:
            port = earlier.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)), earlier.accept()[0]:
                pass

        refuse_unusable_address("127.0.0.1", port)
