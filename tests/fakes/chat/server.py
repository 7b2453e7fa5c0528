"""Discord, Telegram and somebody's webhook on a port of this machine, with what each of them refuses.

`plan` says how the next answers come, one after the other; when it is used up, everything works.
"""

import json
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

HOOK = "/api/webhooks/123456789012345678/" + "w" * 68
BOT = "1234567890:AA" + "b" * 33
CHAT = "-1001234567890"


class Way(Enum):
    """How one answer comes."""

    WELL = auto()
    LIMITED = auto()  # 429 with a wish to be left alone
    BROKEN = auto()  # 500
    HUGE = auto()  # it works, and answers with gigabytes
    HANGS = auto()  # takes the message, and never answers
    MOVED = auto()  # a redirect to `moved_to`
    UNKNOWN = auto()  # 404: the webhook was deleted
    FORBIDDEN = auto()  # 403: the bot was blocked
    UNAUTHORIZED = auto()  # 401


@dataclass
class Told:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Chat:
    """What was told to whom. `messages` are those that stand there now, with their last text."""

    retry_after: float = 2.0
    moved_to: str = "http://127.0.0.1:1/"
    plan: deque[Way] = field(default_factory=deque)
    told: list[Told] = field(default_factory=list)
    messages: dict[str, Any] = field(default_factory=dict)
    hooks: list[Told] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    over: Event = field(default_factory=Event)
    # Set when a request has come that will not be answered.
    is_hanging: Event = field(default_factory=Event)

    def next_way(self) -> Way:
        return self.plan.popleft() if self.plan else Way.WELL


class ChatServer:
    """Serves a chat on 127.0.0.1 until it is left."""

    def __init__(self) -> None:
        self.chat = Chat()
        self._server = _Listener(("127.0.0.1", 0), _handler(self.chat))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def discord_url(self) -> str:
        return self.url + HOOK

    def __enter__(self) -> "ChatServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.chat.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked hung up: their affair."""


@dataclass
class ChatAnswer:
    status: int
    content: Any = None
    headers: tuple[tuple[str, str], ...] = ()


def _handler(chat: Chat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = Told(self.command, self.path, headers, self.rfile.read(length))
            with chat.lock:
                way, answer = take(chat, told)
            with suppress(OSError):
                self._send(answer, way)

        do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - the library looks for these names

        def _send(self, answer: ChatAnswer, way: Way) -> None:
            if way is Way.HANGS:
                chat.is_hanging.set()
                chat.over.wait(30)
                return
            body = b"" if answer.content is None else json.dumps(answer.content).encode()
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(10 * 2**30 if way is Way.HUGE else len(body)))
            self.end_headers()
            self.wfile.write(body)
            while way is Way.HUGE and not chat.over.is_set():
                self.wfile.write(b"x" * 65_536)

        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

    return Handler


def take(chat: Chat, told: Told) -> tuple[Way, ChatAnswer]:
    """What becomes of a request, and how its answer comes."""
    chat.told.append(told)
    way = chat.next_way()
    return way, _refusal(chat, told, way) or _take(chat, told)


def _refusal(chat: Chat, told: Told, way: Way) -> ChatAnswer | None:
    is_telegram = told.path.startswith("/bot")
    match way:
        case Way.LIMITED:
            header = (("Retry-After", str(int(chat.retry_after) or 1)),)
            if is_telegram:
                parameters = {"retry_after": int(chat.retry_after)}
                return ChatAnswer(429, _telegram_error(429, "Too Many Requests", parameters=parameters), header)
            content = {"message": "You are being rate limited.", "retry_after": chat.retry_after, "global": False}
            return ChatAnswer(429, content, header)
        case Way.BROKEN:
            return ChatAnswer(500, {"message": "500: Internal Server Error"})
        case Way.MOVED:
            return ChatAnswer(302, None, (("Location", chat.moved_to),))
        case Way.UNKNOWN:
            return ChatAnswer(404, {"message": "Unknown Webhook", "code": 10015})
        case Way.FORBIDDEN:
            words = "Forbidden: bot was blocked by the user"
            return ChatAnswer(403, _telegram_error(403, words) if is_telegram else {"message": "Missing Access"})
        case Way.UNAUTHORIZED:
            return ChatAnswer(401, _telegram_error(401, "Unauthorized") if is_telegram else {"message": "Unauthorized"})
    return None


def _take(chat: Chat, told: Told) -> ChatAnswer:
    path, _, query = told.path.partition("?")
    if path.startswith("/bot"):
        return _telegram(chat, told, path)
    if path.startswith("/api/webhooks/"):
        return _discord(chat, told, path, query)
    chat.hooks.append(told)
    return ChatAnswer(200, {"ok": True})


def _discord(chat: Chat, told: Told, path: str, query: str) -> ChatAnswer:
    edited = re.fullmatch(re.escape(HOOK) + r"/messages/(\d+)", path)
    if told.method == "PATCH" and edited:
        if edited[1] not in chat.messages:
            return ChatAnswer(404, {"message": "Unknown Message", "code": 10008})
        chat.messages[edited[1]] = told.said
        return ChatAnswer(200, {"id": edited[1]})
    if path != HOOK:
        return ChatAnswer(404, {"message": "Unknown Webhook", "code": 10015})
    number = str(900_000_000_000_000_000 + len(chat.messages))
    chat.messages[number] = told.said
    return ChatAnswer(200, {"id": number}) if "wait=true" in query else ChatAnswer(204)


def _telegram(chat: Chat, told: Told, path: str) -> ChatAnswer:
    token, _, method = path.removeprefix("/bot").partition("/")
    if token != BOT:
        return ChatAnswer(401, _telegram_error(401, "Unauthorized"))
    said = told.said
    if said["chat_id"] != CHAT:
        return ChatAnswer(400, _telegram_error(400, "Bad Request: chat not found"))
    if method == "editMessageText":
        number = str(said["message_id"])
        if number not in chat.messages:
            return ChatAnswer(400, _telegram_error(400, "Bad Request: message to edit not found"))
        if chat.messages[number]["text"] == said["text"]:
            return ChatAnswer(400, _telegram_error(400, "Bad Request: message is not modified"))
        chat.messages[number] = said
        return ChatAnswer(200, {"ok": True, "result": {"message_id": int(number)}})
    number = str(100 + len(chat.messages))
    chat.messages[number] = said
    return ChatAnswer(200, {"ok": True, "result": {"message_id": int(number)}})


def _telegram_error(code: int, description: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": description, **more}
