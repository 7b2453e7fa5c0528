"""Apprise in its own process: only the services of the list, and no way out but ours."""

import ast
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from apprise.manager_plugins import NotificationManager

from app.core.addresses import Network
from app.notifications.couriers import apprise_service
from app.notifications.couriers.apprise_schemes import SERVICES
from app.notifications.couriers.apprise_service import AppriseCourier
from app.notifications.couriers.errands import ChannelInvalid, Fate, Place
from tests.fakes.chat.server import ChatServer, Way
from tests.unit.notifications.places import CONTENT, HERE, errand, failure_of

# What those plug-ins of Apprise import that speak HTTP by the library requests alone.
HARMLESS = {
    "__future__", "base64", "collections", "contextlib", "dataclasses", "datetime", "email", "enum", "functools",
    "hashlib", "hmac", "html", "io", "itertools", "json", "logging", "math", "os", "random", "re", "requests",
    "secrets", "string", "time", "typing", "urllib", "uuid",
}  # fmt: skip


ATTEMPTS = [
    "import socket; socket.create_connection(('127.0.0.1', PORT))",
    "import socket; socket.socket(socket.AF_UNIX).connect('/tmp/x.sock')",
    "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'x', ('127.0.0.1', PORT))",
    "import subprocess; subprocess.run(['true'])",
    "import os; os.system('true')",
    "open('/etc/passwd').read()",
    "open('/proc/self/environ').read()",
    "open('/tmp/belfry-was-here', 'w')",
    "import requests; requests.get('http://169.254.169.254/latest')",
    "import requests; requests.get('file:///etc/passwd')",
]


@pytest.fixture(scope="module")
def plugins() -> dict[str, Any]:
    manager = NotificationManager()
    with warnings.catch_warnings():
        # Of plug-ins that are used nowhere.
        warnings.simplefilter("ignore")
        manager.load_modules()
    return dict(manager._schema_map)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def gotify(server: ChatServer) -> Place:
    return Place(
        {"service": "Gotify", "scheme": "gotify"}, server.url.replace("http://", "gotify://") + "/AbCdEf0123456"
    )


def patient(allowed: Sequence[Network] = ()) -> AppriseCourier:
    """One that waits, however slow the machine is."""
    return AppriseCourier(allowed, start_seconds=600, total_seconds=120)


class TestList:
    @pytest.mark.parametrize("scheme", sorted(SERVICES))
    def test_every_service_speaks_http_alone(self, scheme, plugins):
        tree = ast.parse(inspect.getsource(inspect.getmodule(plugins[scheme])))  # type: ignore[arg-type]

        found = {
            name.partition(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and node.level == 0
                else []
            )
        }
        assert found - HARMLESS == set()
        assert "requests" in found

    @pytest.mark.parametrize(
        "url",
        ["file:///etc/passwd", "syslog://", "dbus://", "json://127.0.0.1", "mailto://a:b@example.com", "mqtt://10.0.0.1",
         "xml://h", "irc://h", "exec://ls", "windows://", "discord://1/2", "tgram://1/2", "nonsense", "", "slack:",
         "SLACK ://x", "gotify://h\r\nx", "macosx://", "rsyslog://10.0.0.1", "aprs://x", "x" * 3_000],
    )  # fmt: skip
    def test_everything_else_is_refused_before_apprise_is_asked(self, url, monkeypatch):
        monkeypatch.setattr(apprise_service.AppriseCourier, "_ask", lambda *_: pytest.fail("it was asked"))

        with pytest.raises(ChannelInvalid) as caught:
            patient().clean({"url": url})

        assert caught.value.field == "url"


class TestAsking:
    def test_an_address_that_apprise_reads_is_kept(self):
        place = patient().clean({"url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"})

        assert (place.settings, place.hint) == ({"service": "Slack", "scheme": "slack"}, "#ops")

    def test_one_that_it_does_not_read_is_refused_without_its_tokens(self):
        with pytest.raises(ChannelInvalid, match="Slack") as caught:
            patient().clean({"url": "slack://hunter2hunter2"})

        assert "hunter2hunter2" not in caught.value.message


class TestSending:
    def test_a_message_goes_through_our_client(self, server):
        receipt = patient(HERE).carry(gotify(server), CONTENT, errand())

        told = server.chat.told[0]
        assert receipt.words == "Gotify took it."
        assert told.said["title"] == "✕ Meta ads, daily failed"
        assert "Error: Timed out after 30 s" in told.said["message"]

    @pytest.mark.parametrize(
        ("way", "fate"),
        [
            (Way.BROKEN, Fate.LATER),
            (Way.UNKNOWN, Fate.BROKEN),
            (Way.UNAUTHORIZED, Fate.BROKEN),
            (Way.LIMITED, Fate.LATER),
        ],
    )
    def test_refusals_keep_their_meaning_and_hold_no_token(self, server, way, fate):
        server.chat.plan.append(way)

        failure = failure_of(patient(HERE), gotify(server))

        assert failure.fate is fate
        assert "AbCdEf" not in failure.message

    def test_when_it_is_killed_nobody_knows_whether_it_arrived(self, server, monkeypatch):
        killed = subprocess.CompletedProcess([], -9, stdout="", stderr="")
        monkeypatch.setattr("app.notifications.couriers.apprise_service.subprocess.run", lambda *_, **__: killed)

        assert failure_of(patient(HERE), Place({"service": "Gotify"}, "gotify://x")).fate is Fate.DOUBTFUL

    def test_nobody_is_followed(self, server):
        server.chat.plan.append(Way.MOVED)
        server.chat.moved_to = f"{server.url}/inside"

        failure_of(patient(HERE), gotify(server))

        assert len(server.chat.told) == 1


class TestCage:
    def test_an_address_inside_is_never_connected_to(self):
        with listening() as (port, connected):
            place = Place({"service": "Gotify", "scheme": "gotify"}, f"gotify://127.0.0.1:{port}/AbCdEf0123456")
            failure = failure_of(patient(), place)

        assert (failure.fate, "this machine itself" in failure.message) == (Fate.BROKEN, True)
        assert not connected.is_set()

    def test_whatever_runs_in_it_gets_nowhere(self):
        with listening() as (port, connected):
            said = run_in_cage([job.replace("PORT", str(port)) for job in ATTEMPTS])

        assert said == dict.fromkeys(range(len(ATTEMPTS)), "stopped")
        assert not connected.is_set()

    def test_it_inherits_no_setting_of_ours(self, monkeypatch, server):
        monkeypatch.setenv("BELFRY_SECRET_KEY", "x" * 40)
        seen: dict[str, Any] = {}

        def look(*_args: Any, env: dict[str, str], **_more: Any) -> Any:
            seen.update(env)
            raise OSError("not started")

        monkeypatch.setattr(apprise_service.subprocess, "run", look)
        failure_of(patient(HERE), gotify(server))

        assert not [name for name in seen if name.startswith("BELFRY_") or name.lower().endswith("_proxy")]

    def test_a_file_of_the_machine_cannot_be_a_template(self, tmp_path):
        secret = tmp_path / "secret.json"
        secret.write_text(json.dumps({"type": "message", "text": "hunter2"}))
        url = f"workflows://host.example:443/workflow1/signature1/?template={secret}"

        failure = failure_of(patient(), Place({"service": "Microsoft Teams", "scheme": "workflows"}, url))

        assert "file of the machine" in failure.message or failure.fate is not Fate.LATER


def run_in_cage(jobs: list[str]) -> dict[int, str]:
    """Run pieces of code where Apprise would run, and tell of each whether it was stopped."""
    code = (
        "import json, subprocess, requests\n"
        "from app.core.http import OutboundClient\n"
        "from app.notifications.couriers import apprise_child as child\n"
        "limits = {'connect_seconds': 1, 'total_seconds': 2, 'max_response_bytes': 9}\n"
        "child._load(child.Post(OutboundClient(), limits))\n"
        "child._arm(())\n"
        "said = {}\n"
        f"for number, job in enumerate({jobs!r}):\n"
        "    try:\n"
        "        exec(job)\n"
        "        said[number] = 'went through'\n"
        "    except Exception:\n"
        "        said[number] = 'stopped'\n"
        "print(json.dumps(said))\n"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        check=False,
    )
    assert done.stdout, done.stderr
    return {int(number): word for number, word in json.loads(done.stdout).items()}


class listening:  # noqa: N801 - used as a function
    """A port that notices whoever comes, by either protocol."""

    def __enter__(self) -> tuple[int, threading.Event]:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self._listener.getsockname()[1], self._connected

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            opened, _ = self._listener.accept()
            self._connected.set()
            with closing(opened):
                pass
