"""A Slack over HTTP and WebSocket that enforces Slack's limits, can fail in its ways, and remembers every message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Self

from aiohttp import web

from tests.fakes.slack.limits import wrong_with
from tests.fakes.slack.message import SlackMessage
from tests.fakes.slack.socket import SocketMode

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


class FakeSlack:
    """``async with FakeSlack() as slack``: a bot's ``api_url`` and ``token``, or a ``webhook_url``.

    Set ``trouble`` (with ``retry_after`` or ``code`` where it takes one) to make it fail; ``trouble_in_threads`` is a
    code with which replies alone are refused. ``requests`` counts all that came in. ``one_per_second`` answers 429 to
    whoever writes into a channel faster, after a burst of three. ``whispers`` are the messages that only one person
    sees; ``socket`` sends commands and presses of buttons.
    """

    def __init__(self, *, token: str = TOKEN, one_per_second: bool = False) -> None:
        self.token = token
        self.channels = {"C0FAKE": "#alerts"}
        self.trouble = Trouble.NONE
        self.retry_after = 30
        self.code = "channel_not_found"
        self.trouble_in_threads = ""
        self.one_per_second = one_per_second
        self.messages: list[SlackMessage] = []
        self.whispers: list[SlackMessage] = []
        self.socket = SocketMode(self._notify, self._response_url)
        self.requests = 0
        self.refused: list[str] = []
        self.url = ""
        self._allowance: dict[str, tuple[float, float]] = {}
        self._answers: dict[str, tuple[str, str, str | None, list[int]]] = {}
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
        app.router.add_post("/api/apps.connections.open", self._open_connection)
        app.router.add_post("/answers/{id}", self._answer)
        app.router.add_get("/link", self.socket.connect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        await self.socket.close()
        await self._runner.cleanup()

    async def wait_for(self, condition: Callable[[Self], Any], *, seconds: float = 10.0) -> None:
        """Until the condition holds, looked at after every request; fails with what is shown when it never does."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: bool(condition(self)))
        except TimeoutError:
            shown = "\n---\n".join(message.shown for message in (*self.messages, *self.whispers)) or "nothing"
            counts = f"{self.requests} requests, refused {self.refused}"
            raise AssertionError(f"waited {seconds:g} s in vain; {counts}, shown:\n{shown}") from None

    def thread(self, message: SlackMessage) -> list[SlackMessage]:
        """The replies to a message, oldest first."""
        return [one for one in self.messages if one.thread_ts == message.ts and one.channel == message.channel]

    async def command(self, text: str, **who: Any) -> None:
        """Somebody types ``/fallbackd TEXT`` in #alerts; returns once that is acknowledged."""
        await self.socket.command(text, **{"channel": ("C0FAKE", "alerts"), **who})

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _response_url(self, channel: str, user: str, message: str | None) -> str:
        self._count += 1
        self._answers[str(self._count)] = (channel, user, message, [])
        return f"{self.url}/answers/{self._count}"

    def close_answers(self) -> None:
        """As after half an hour: the ways back of all orders are used up."""
        for *_, used in self._answers.values():
            used.extend([1] * 5)

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
            await self._notify()
        return response

    async def _fail(self, request: web.Request) -> web.StreamResponse | None:
        hook = request.path == WEBHOOK_PATH
        match self.trouble:
            case Trouble.NONE:
                return await self._too_fast(request, hook)
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

    async def _too_fast(self, request: web.Request, hook: bool) -> web.Response | None:
        writes = hook or request.path in ("/api/chat.postMessage", "/api/chat.update")
        if not self.one_per_second or not writes:
            return None
        channel = str((await request.json()).get("channel", "C0FAKE"))
        left, at = self._allowance.get(channel, (3.0, time.monotonic()))
        now = time.monotonic()
        left = min(3.0, left + now - at)
        self._allowance[channel] = (left - 1 if left >= 1 else left, now)
        return None if left >= 1 else self._limited(hook)

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
        if (thread := body.get("thread_ts")) and (wrong := self._wrong_thread(channel, thread)):
            return self._no(wrong)
        message = self._keep(channel, body)
        return web.json_response({"ok": True, "channel": channel, "ts": message.ts})

    def _wrong_thread(self, channel: str, ts: str) -> str | None:
        parent = next((one for one in self.messages if (one.channel, one.ts) == (channel, ts)), None)
        if parent is None or self.trouble_in_threads:
            return self.trouble_in_threads or "thread_not_found"
        return "cannot_reply_to_message" if parent.thread_ts else None

    async def _open_connection(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.socket.app_token}":
            return self._no("invalid_auth")
        url = self.url.replace("http", "ws", 1)
        return web.json_response({"ok": True, "url": f"{url}/link?ticket={self.socket.ticket()}"})

    async def _answer(self, request: web.Request) -> web.Response:
        """An answer to a command or a press: five times at most."""
        channel, user, _, used = self._answers[request.match_info["id"]]
        used.append(1)
        if len(used) > 5:
            return web.Response(status=404, text="used_url")
        body = await request.json()
        if wrong := wrong_with(body):
            self.refused.append(wrong)
            return web.Response(status=400, text=wrong)
        if body.get("replace_original", False) or body.get("delete_original", False):
            return web.Response(status=500, text="the tests do not replace originals")
        kept = self._keep(channel, {"blocks": [], **body})
        if body.get("response_type", "ephemeral") == "ephemeral":
            self.messages.remove(kept)
            kept.seen_by = user
            self.whispers.append(kept)
        return web.json_response({"ok": True})

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
