"""E-mail, given to a mail server on this machine that greylists, refuses, asks for a login, or says nothing."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from app.core.mail_settings import MailSecurity, MailServer
from app.core.wire import Lookups
from app.notifications.couriers import mail_server
from app.notifications.couriers.errands import ChannelInvalid, Fate, Place
from app.notifications.couriers.mail import MailCourier
from tests.fakes.chat.mail import PASSWORD, USER, MailServerFake
from tests.unit.notifications.places import CONTENT, errand, failure_of

CERTIFICATE = Path(__file__).parents[1] / "core" / "secure_test.pem"
TWO = Place({"addresses": "ops@example.com, night@example.com"}, "")
ONE = Place({"addresses": "ops@example.com"}, "")


def server_at(port: int, **more: object) -> MailServer:
    plain = MailServer("127.0.0.1", port, MailSecurity.NONE, "belfry@example.com")
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.fixture
def fake() -> Iterator[MailServerFake]:
    with MailServerFake() as running:
        yield running


class TestLetters:
    def test_text_and_page_in_one_letter(self, fake):
        MailCourier(server_at(fake.port)).carry(ONE, CONTENT, errand())

        addresses, letter = fake.postbox.letters[0]
        assert addresses == ["ops@example.com"]
        assert letter["Subject"] == "✕ Meta ads, daily failed"
        assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]

    def test_every_try_has_the_same_id(self, fake):
        courier = MailCourier(server_at(fake.port))
        courier.carry(ONE, CONTENT, errand())
        courier.carry(ONE, CONTENT, errand())

        assert {letter["Message-ID"] for _, letter in fake.postbox.letters} == {"<k-1@example.com>"}

    def test_of_several_nobody_learns_who_else_is_told(self, fake):
        MailCourier(server_at(fake.port)).carry(TWO, CONTENT, errand())

        addresses, letter = fake.postbox.letters[0]
        assert len(addresses) == 2
        assert "night@" not in letter["To"]

    def test_line_breaks_in_a_title_make_no_header(self, fake):
        hostile = replace(CONTENT, title="down\r\nBcc: eve@example.com\r\n\r\n<b>hi</b>")

        MailCourier(server_at(fake.port)).carry(ONE, hostile, errand())

        _, letter = fake.postbox.letters[0]
        assert letter["Bcc"] is None
        assert letter["Subject"] == "✕ down Bcc: eve@example.com <b>hi</b>"

    def test_lines_with_a_dot_alone_end_no_letter(self, fake):
        MailCourier(server_at(fake.port)).carry(ONE, replace(CONTENT, body="one\n.\nRSET\ntwo"), errand())

        assert "two" in fake.postbox.letters[0][1].get_body(("plain",)).get_content()


class TestAddresses:
    @pytest.mark.parametrize(
        "addresses",
        [
            "",
            "nobody",
            "a@b@c",
            "ops@example.com\r\nRCPT TO:<eve@example.com>",
            "<ops@example.com>",
            "ops@-",
            "ops@exam ple.com extra",
            ", ".join(f"a{number}@example.com" for number in range(21)),
            "ops@example.com\x00",
            "a" * 65 + "@example.com",
        ],
    )
    def test_what_is_no_address_is_refused(self, addresses):
        with pytest.raises(ChannelInvalid) as caught:
            MailCourier(server_at(25)).clean({"addresses": addresses})

        assert caught.value.field == "addresses"

    def test_several_are_kept_once_each(self):
        place = MailCourier(server_at(25)).clean({"addresses": "a@example.com; b@example.com\na@example.com"})

        assert place.settings == {"addresses": "a@example.com, b@example.com"}

    def test_without_a_mail_server_the_operator_is_named_the_setting(self):
        with pytest.raises(ChannelInvalid, match="BELFRY_SMTP_HOST"):
            MailCourier(None).clean({"addresses": "a@example.com"})


class TestBadDays:
    def test_a_grey_list_is_asked_again_later(self, fake):
        fake.postbox.replies.append("451 4.7.1 Greylisted, try again")

        failure = failure_of(MailCourier(server_at(fake.port)), ONE)

        assert (failure.fate, "451" in failure.message) == (Fate.LATER, True)

    def test_of_two_addresses_only_the_grey_one_is_written_to_again(self, fake):
        courier = MailCourier(server_at(fake.port))
        fake.postbox.replies.extend(["250 OK", "451 try again"])
        failure = failure_of(courier, TWO)
        courier.carry(TWO, CONTENT, errand(reached=failure.reached))

        assert [addresses for addresses, _ in fake.postbox.letters] == [["ops@example.com"], ["night@example.com"]]

    def test_an_address_that_there_is_not_breaks_the_channel(self, fake):
        fake.postbox.replies.append("550 5.1.1 No such user")

        failure = failure_of(MailCourier(server_at(fake.port)), ONE)

        assert (failure.fate, "ops@example.com" in failure.message) == (Fate.BROKEN, True)

    def test_one_bad_address_of_two_breaks_nothing(self, fake):
        fake.postbox.replies.extend(["550 No such user", "250 OK"])

        failure = failure_of(MailCourier(server_at(fake.port)), TWO)

        assert (failure.fate, failure.reached) == (Fate.REFUSED, ("night@example.com",))

    def test_a_letter_that_is_refused_is_not_tried_again(self, fake):
        fake.postbox.after_data.append("554 5.7.1 Looks like spam")

        assert failure_of(MailCourier(server_at(fake.port)), ONE).fate is Fate.REFUSED

    def test_a_server_that_hangs_is_left_after_the_time_for_it(self):
        with silent_server() as port:
            failure = failure_of(MailCourier(server_at(port), total_seconds=0.3), ONE)

        assert (failure.fate, "in time" in failure.message) == (Fate.LATER, True)

    def test_a_server_that_drips_is_left_too(self):
        with silent_server(drips=b"220-") as port:
            failure = failure_of(MailCourier(server_at(port), total_seconds=0.4), ONE)

        assert failure.fate is Fate.LATER

    def test_one_that_falls_silent_at_the_end_leaves_open_what_became_of_it(self):
        script = [b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"]
        with silent_server(script=script) as port:
            failure = failure_of(MailCourier(server_at(port), total_seconds=0.5), ONE)

        assert failure.fate is Fate.DOUBTFUL

    def test_nobody_listening(self):
        assert failure_of(MailCourier(server_at(9)), ONE).fate is Fate.LATER


class TestLoginAndEncryption:
    @pytest.fixture(autouse=True)
    def _secure_test_is_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mail_server, "_LOOKUPS", Lookups(lambda _host: [ip_address("127.0.0.1")]))

    @pytest.fixture
    def secure(self) -> Iterator[MailServerFake]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        with MailServerFake(tls=context, needs_login=True) as running:
            yield running

    def encrypted(self, fake: MailServerFake, **more: object) -> MailServer:
        values = {"host": "secure.test", "security": MailSecurity.STARTTLS, "user": USER, "password": PASSWORD}
        return server_at(fake.port, **(values | {"authority": str(CERTIFICATE)} | more))

    def test_signs_in_once_the_way_is_encrypted(self, secure):
        MailCourier(self.encrypted(secure)).carry(ONE, CONTENT, errand())

        assert (secure.postbox.logins, len(secure.postbox.letters)) == ([USER], 1)

    def test_a_wrong_password_is_told_without_it(self, secure):
        failure = failure_of(MailCourier(self.encrypted(secure, password="wrong horse battery")), ONE)

        assert (failure.fate, "login" in failure.message, "battery" in failure.message) == (Fate.LATER, True, False)

    def test_a_certificate_that_nobody_vouches_for_is_not_trusted(self, secure):
        failure = failure_of(MailCourier(self.encrypted(secure, authority=None)), ONE)

        assert "certificate" in failure.message
        assert secure.postbox.logins == []

    def test_a_server_without_encryption_gets_no_password(self, fake):
        failure = failure_of(MailCourier(self.encrypted(fake)), ONE)

        assert "BELFRY_SMTP_SECURITY" in failure.message
        assert fake.postbox.logins == []


@contextmanager
def silent_server(*, drips: bytes = b"", script: list[bytes] | None = None) -> Iterator[int]:
    """A server that says what is in its script, then nothing, or drips for ever."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        opened, _ = listener.accept()
        with closing(opened):
            for line in script or []:
                opened.sendall(line)
                if line != (script or [])[-1]:
                    opened.recv(4_096)
            while not over.wait(0.05):
                if drips:
                    try:
                        opened.sendall(drips)
                    except OSError:
                        return

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join()
