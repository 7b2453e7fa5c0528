"""The process in which Apprise runs, once for each message: `python -m app.notifications.couriers.apprise_child`.

Apprise sends by the library requests, which would go wherever a name leads. Here all that requests sends goes through
our guarded client; and whatever else would open a connection, a file or a process is stopped by the interpreter itself.
One job as JSON on standard input, one answer as JSON on standard output. Nothing here knows a database or a key.
"""

import json
import logging
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from app.core.addresses import Network, OutboundRefused, parse_networks, refuse_forbidden
from app.core.deadline import Deadline
from app.core.http import RESERVED_HEADERS, OutboundClient, OutboundFailed, OutboundLimits, OutboundRequest

MOST_MEMORY = 2**30
_READ_ONLY = {"r", "rb", "rt", None}
_CODE = (".py", ".pyc", ".so")
# What a messenger has no business with.
_NEVER = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn",
    "socket.bind", "socket.sendto", "socket.sendmsg", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link",
    "os.symlink", "os.truncate", "os.chmod", "os.putenv",
)  # fmt: skip


class Forbidden(PermissionError):
    """Something that no message needs. An error of the system to libraries, which go on without."""


class Post:
    """Carries what Apprise would send, and remembers what became of it."""

    def __init__(self, client: OutboundClient, limits: Mapping[str, Any]) -> None:
        self._client = client
        self._limits = limits
        # Begins with the first request: to load Apprise takes seconds on a busy machine, and no answer is late.
        self._deadline: Deadline | None = None
        self.seen: list[dict[str, Any]] = []

    def send(self, request: OutboundRequest) -> Any:
        self._deadline = self._deadline or Deadline.after(self._limits["total_seconds"])
        left = self._deadline.seconds_left
        limits = OutboundLimits(
            connect_seconds=min(self._limits["connect_seconds"], left),
            total_seconds=left,
            max_response_bytes=self._limits["max_response_bytes"],
        )
        try:
            answer = self._client.send(request, limits=limits)
        except OutboundRefused as error:
            self.seen.append({"problem": error.message, "is_refused": True})
            raise
        except OutboundFailed as error:
            self.seen.append({"problem": error.message, "is_doubtful": error.may_have_arrived})
            raise
        headers = [pair for pair in answer.headers if pair[0].lower() in {"retry-after", "date"}]
        self.seen.append({"status": answer.status, "headers": headers, "text": answer.text[:500]})
        return answer


def main() -> None:
    """Read a job, do it, and say what came of it."""
    job = json.loads(sys.stdin.read())
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    networks = parse_networks(job["allowed_private"])
    post = Post(OutboundClient(allowed_private=networks), job["limits"])
    said = _listen()
    apprise = _load(post)
    problems = _arm(networks)
    answer: dict[str, Any] = {"ok": False, "is_known": False}
    try:
        asset = apprise.AppriseAsset(async_mode=False, secure_logging=True, http_redirects=False)
        service = apprise.Apprise.instantiate(job["url"], asset=asset, suppress_exceptions=True)
        answer["is_known"] = service is not None
        if service is not None and job["action"] == "send":
            kind = {"bad": "failure", "good": "success"}.get(job["tone"], "info")
            answer["ok"] = bool(
                service.notify(
                    body=job["body"], title=job["title"], notify_type=apprise.NotifyType(kind), body_format="text"
                )
            )
    except Exception as error:  # noqa: BLE001 - a plug-in of a library: whatever it raises, the parent is told
        answer["problem"] = f"Apprise could not send it ({type(error).__name__})."
    answer |= {"seen": post.seen, "said": said[-1:], "forbidden": problems[:1]}
    sys.stdout.write(json.dumps(answer))


def _load(post: Post) -> Any:
    """Apprise, whose requests have no other way out than ours."""
    import apprise  # noqa: PLC0415 - only here, and only in this process
    import requests  # noqa: PLC0415
    from requests.adapters import BaseAdapter  # noqa: PLC0415
    from requests.structures import CaseInsensitiveDict  # noqa: PLC0415

    class Guarded(BaseAdapter):
        def send(self, request: Any, *_args: Any, **_options: Any) -> Any:
            body = request.body
            headers = [(name, _text(value)) for name, value in request.headers.items()]
            outbound = OutboundRequest(
                request.method,
                request.url,
                tuple(pair for pair in headers if pair[0].lower() not in RESERVED_HEADERS),
                body.encode() if isinstance(body, str) else body,
            )
            try:
                answer = post.send(outbound)
            except (OutboundRefused, OutboundFailed) as error:
                raise requests.ConnectionError(error.message) from error
            response = requests.Response()
            response.status_code = answer.status
            # Nobody is followed: without a place to go to, an answer is no redirect. What is packed was unpacked.
            dropped = {"location", "content-encoding", "set-cookie"}
            response.headers = CaseInsensitiveDict(
                {name: value for name, value in answer.headers if name.lower() not in dropped}
            )
            response._content, response._content_consumed = answer.body, True
            response.raw, response.url, response.request = BytesIO(), answer.url, request
            response.encoding = "utf-8"
            return response

        def close(self) -> None:
            """Nothing is kept open."""

    guarded = Guarded()

    def get_adapter(_session: Any, url: str | bytes) -> BaseAdapter:
        return guarded

    setattr(requests.Session, "get_adapter", get_adapter)  # noqa: B010 - on purpose, for the whole process
    return apprise


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _listen() -> list[str]:
    """What Apprise warns of. Its own words mostly say what is wrong with an address."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with suppress(Exception):
                said.append(record.getMessage())

    logger = logging.getLogger("apprise")
    logger.addHandler(Listener(logging.WARNING))
    logger.propagate = False
    return said


def _arm(networks: tuple[Network, ...]) -> list[str]:
    """From here on, connections lead to checked addresses, files are code that is read, and there is nothing else."""
    problems: list[str] = []
    roots = tuple({str(Path(entry or ".").resolve()) for entry in (*sys.path, sys.prefix, sys.base_prefix)})

    def hook(event: str, args: tuple[Any, ...]) -> None:
        problem = None
        if event in _NEVER:
            problem = f"This address wants something that no message needs ({event})."
        elif event == "open":
            problem = _why_not_opened(args, roots)
        elif event == "socket.connect":
            problem = _why_not_connected(args[1], networks)
        if problem is not None:
            problems.append(problem)
            raise Forbidden(problem)

    sys.addaudithook(hook)
    return problems


def _why_not_opened(args: tuple[Any, ...], roots: tuple[str, ...]) -> str | None:
    path, mode = args[0], args[1]
    if isinstance(path, int):
        return None
    name = path.decode("utf-8", "replace") if isinstance(path, bytes) else str(path)
    if mode in _READ_ONLY and name.endswith(_CODE) and ".." not in name and name.startswith(roots):
        return None
    return "This address wants a file of the machine that Belfry runs on."


def _why_not_connected(address: Any, networks: tuple[Network, ...]) -> str | None:
    try:
        found = ip_address(address[0])
        refuse_forbidden(found, host=str(found), allowed_private=networks)
    except (ValueError, TypeError, IndexError):
        return "This address leads to something that is no machine on the internet."
    except OutboundRefused as error:
        return error.message
    return None


if __name__ == "__main__":
    main()
