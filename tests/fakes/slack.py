"""A Slack over HTTP that enforces Slack's limits, can fail in Slack's ways, and remembers every message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from aiohttp import web

TOKEN = "xoxb-fake-token-never-in-a-log"
WEBHOOK_PATH = "/services/T0FAKE/B0FAKE/webhook-secret-never-in-a-log"


class Trouble(StrEnum):
    NONE = "none"
    DOWN = "down"
    RATE_LIMITED = "rate_limited"
    INVALID_AUTH = "invalid_auth"
    HANG = "hang"
    RESET = "reset"
    GARBAGE = "garbage"
    ERROR = "error"


@dataclass
class SlackMessage:
    """One message as people see it; ``edits`` are the contents that it had before, oldest first."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None = None
    broadcast: bool = False
    edits: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """All text of the blocks, one line each."""
        return "\n".join(texts(self.blocks))

    @property
    def header(self) -> str:
        return str(next(block["text"]["text"] for block in self.blocks if block["type"] == "header"))


class FakeSlack:
    """``async with FakeSlack() as slack``: a bot's ``api_url`` and ``token``, or a ``webhook_url``.

    Set ``trouble`` (with ``retry_after`` or ``code`` where it takes one) to make it fail. ``requests`` counts all that
    came in. ``one_per_second`` answers 429 to whoever posts faster, after a burst of three.
    """

    def __init__(self, *, token: str = TOKEN, one_per_second: bool = False) -> None:
        self.token = token
        self.channels = {"C0FAKE": "#alerts"}
        self.trouble = Trouble.NONE
        self.retry_after = 30
        self.code = "channel_not_found"
        self.one_per_second = one_per_second
        self.messages: list[SlackMessage] = []
        self.requests = 0
        self.refused: list[str] = []
        self.url = ""
        self._allowance = (3.0, time.monotonic())
        self._changed = asyncio.Condition()
        self._released = asyncio.Event()
        self._count = 0

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def webhook_url(self) -> str:
        return f"{self.url}{WEBHOOK_PATH}"

    @property
    def posts(self) -> list[SlackMessage]:
        """Without the replies in threads."""
        return [message for message in self.messages if message.thread_ts is None]

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._troubled])
        app.router.add_post("/api/auth.test", self._auth_test)
        app.router.add_post("/api/chat.postMessage", self._post_message)
        app.router.add_post("/api/chat.update", self._update)
        app.router.add_post(WEBHOOK_PATH, self._webhook)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        await self._runner.cleanup()

    async def wait_for(self, condition: Callable[[Self], Any], *, seconds: float = 10.0) -> None:
        """Until the condition holds, looked at after every request; fails with what is shown when it never does."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: bool(condition(self)))
        except TimeoutError:
            shown = "\n---\n".join(message.shown for message in self.messages) or "nothing"
            raise AssertionError(f"waited {seconds:g} s in vain; {self.requests} requests, shown:\n{shown}") from None

    def delete(self, message: SlackMessage) -> None:
        """As a person does by hand."""
        self.messages.remove(message)

    @web.middleware
    async def _troubled(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests += 1
        await request.read()
        try:
            response: web.StreamResponse = await self._fail(request) or await handler(request)
        finally:
            async with self._changed:
                self._changed.notify_all()
        return response

    async def _fail(self, request: web.Request) -> web.StreamResponse | None:
        hook = request.path == WEBHOOK_PATH
        match self.trouble:
            case Trouble.NONE:
                return self._limited(hook) if self.one_per_second and not self._may_speak() else None
            case Trouble.DOWN:
                return web.Response(status=503, text="<html>down</html>", content_type="text/html")
            case Trouble.RATE_LIMITED:
                return self._limited(hook)
            case Trouble.INVALID_AUTH:
                return web.Response(status=404, text="no_service") if hook else self._no("invalid_auth")
            case Trouble.ERROR:
                return web.Response(status=404, text=self.code) if hook else self._no(self.code)
            case Trouble.HANG:
                async with self._changed:
                    self._changed.notify_all()
                await self._released.wait()
            case Trouble.GARBAGE:
                return web.Response(text="[1, {", content_type="application/json")
            case Trouble.RESET:
                assert request.transport is not None
                request.transport.abort()
        return web.Response(status=500)

    def _may_speak(self) -> bool:
        left, at = self._allowance
        now = time.monotonic()
        left = min(3.0, left + now - at)
        self._allowance = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def _limited(self, hook: bool) -> web.Response:
        headers = {"Retry-After": str(self.retry_after)}
        if hook:
            return web.Response(status=429, text="rate_limited", headers=headers)
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)

    def _no(self, code: str) -> web.Response:
        self.refused.append(code)
        return web.json_response({"ok": False, "error": code})

    def _wrong_token(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") != f"Bearer {self.token}"

    async def _auth_test(self, request: web.Request) -> web.Response:
        if self._wrong_token(request):
            return self._no("invalid_auth")
        return web.json_response({"ok": True, "team": "Fake", "user": "fallbackd", "bot_id": "B0FAKE"})

    async def _post_message(self, request: web.Request) -> web.Response:
        if self._wrong_token(request):
            return self._no("invalid_auth")
        body = await request.json()
        channel = next((id_ for id_, name in self.channels.items() if body.get("channel") in (id_, name)), None)
        if channel is None:
            return self._no("channel_not_found")
        if wrong := wrong_with(body):
            return self._no(wrong)
        message = self._keep(channel, body)
        return web.json_response({"ok": True, "channel": channel, "ts": message.ts})

    async def _update(self, request: web.Request) -> web.Response:
        if self._wrong_token(request):
            return self._no("invalid_auth")
        body = await request.json()
        if body.get("channel") not in self.channels:  # unlike a post, an edit takes no name
            return self._no("channel_not_found")
        where = (body["channel"], body.get("ts"))
        found = next((message for message in self.messages if (message.channel, message.ts) == where), None)
        if found is None:
            return self._no("message_not_found")
        if wrong := wrong_with(body):
            return self._no(wrong)
        found.edits.append((found.text, found.blocks))
        found.text, found.blocks = body["text"], body["blocks"]
        return web.json_response({"ok": True, "channel": found.channel, "ts": found.ts})

    async def _webhook(self, request: web.Request) -> web.Response:
        body = await request.json()
        if wrong := wrong_with(body):
            self.refused.append(wrong)
            return web.Response(status=400, text="invalid_payload" if wrong == "invalid_blocks" else wrong)
        self._keep("C0FAKE", body)
        return web.Response(text="ok")

    def _keep(self, channel: str, body: dict[str, Any]) -> SlackMessage:
        self._count += 1
        message = SlackMessage(
            channel=channel,
            ts=f"1700000000.{self._count:06}",
            text=body["text"],
            blocks=body["blocks"],
            thread_ts=body.get("thread_ts"),
            broadcast=bool(body.get("reply_broadcast")),
        )
        self.messages.append(message)
        return message


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    """Every text of the blocks, in order."""
    found = []
    for block in blocks:
        parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        found += [part["text"] for part in parts if part]
    return found


def wrong_with(body: dict[str, Any]) -> str | None:
    """Slack's code for what it would refuse, from the reference of Block Kit; None for a message that it takes."""
    text, blocks = body.get("text", ""), body.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    if len(blocks) > 50 or not all(map(_fine, blocks)):
        return "invalid_blocks"
    if sum(map(_length, texts(blocks))) > 13_000:
        return "msg_blocks_too_long"
    return None


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fine(block: dict[str, Any]) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text"} as text}:
            return _text_fine(text, 150)
        case {"type": "section", "fields": list(fields)}:
            return 1 <= len(fields) <= 10 and all(_text_fine(part, 2000) for part in fields)
        case {"type": "section", "text": dict(text)}:
            return _text_fine(text, 3000)
        case {"type": "context", "elements": list(elements)}:
            return 1 <= len(elements) <= 10 and all(_text_fine(part, 2000) for part in elements)
        case _:
            return False


def _text_fine(text: dict[str, Any], limit: int) -> bool:
    known = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
    return set(text) <= known.get(text.get("type", ""), set()) and 1 <= _length(text["text"]) <= limit
