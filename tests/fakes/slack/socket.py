"""Socket Mode: slash commands and presses of buttons as envelopes over a WebSocket, which want to be acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.message import SlackMessage

APP_TOKEN = "xapp-fake-token-never-in-a-log"
PATIENCE = 30.0
"""Seconds that a test waits for an acknowledgement; Slack itself tells its user of a failure after 3."""


@dataclass(frozen=True)
class Person:
    id: str
    name: str


ADA = Person("U0ADA", "ada")
EVE = Person("U0EVE", "eve")


class SocketMode:
    """Tickets are for one connection each. ``connected`` counts connections since the start, ``sockets`` are open now.

    ``response_url(user)`` gives a path at which an answer to that user's request is taken.
    """

    def __init__(self, changed: Callable[[], Any], response_url: Callable[[str, str, str | None], str]) -> None:
        self.app_token = APP_TOKEN
        self.sockets: list[web.WebSocketResponse] = []
        self.connected = 0
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self._changed = changed
        self._response_url = response_url
        self._tickets: set[str] = set()
        self._count = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def ticket(self) -> str:
        made = f"ticket-{next(self._count)}"
        self._tickets.add(made)
        return made

    async def connect(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="the ticket was used or never given")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        self.connected += 1
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets), "connection_info": {}})
        await self._changed()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(json.loads(message.data))
        finally:
            self.sockets.remove(socket)
            await self._changed()
        return socket

    async def command(self, text: str, *, by: Person = ADA, channel: tuple[str, str]) -> None:
        """Somebody types ``/fallbackd TEXT``; returns once that is acknowledged."""
        id_, name = channel
        payload = {
            "token": "verification", "team_id": "T0FAKE", "team_domain": "fake", "api_app_id": "A0FAKE",
            "channel_id": id_, "channel_name": name, "user_id": by.id, "user_name": by.name,
            "command": "/fallbackd", "text": text, "is_enterprise_install": "false", "trigger_id": "1.2.3",
            "response_url": self._response_url(id_, by.id, None),
        }  # fmt: skip
        await self._send("slash_commands", payload)

    async def press(self, message: SlackMessage, action_id: str, *, by: Person = ADA) -> None:
        """Somebody presses a button of a message, and confirms where it asks; returns once that is acknowledged."""
        button = message.buttons[action_id]
        action = {
            "type": "button",
            "block_id": "b1",
            "action_ts": "1.0",
            **{k: button[k] for k in ("action_id", "text")},
        }
        action |= {"value": button["value"]} if "value" in button else {}
        payload = {
            "type": "block_actions", "token": "verification", "api_app_id": "A0FAKE", "trigger_id": "1.2.3",
            "user": {"id": by.id, "username": by.name, "name": by.name, "team_id": "T0FAKE"},
            "team": {"id": "T0FAKE", "domain": "fake"},
            "channel": {"id": message.channel, "name": "alerts"},
            "container": {
                "type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": False,
            },
            "message": {
                "type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks,
                **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            },
            "response_url": self._response_url(message.channel, by.id, message.ts),
            "actions": [action],
        }  # fmt: skip
        await self._send("interactive", payload)

    async def send(self, envelope: dict[str, Any]) -> None:
        """Anything at all, over the newest connection."""
        await self.sockets[-1].send_json(envelope)

    def expect(self, envelope_id: str) -> None:
        """An acknowledgement of an envelope that a test sends itself."""
        self._waiting[envelope_id] = asyncio.get_running_loop().create_future()

    async def refresh(self) -> None:
        """What Slack says some seconds before it closes a connection."""
        await self.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "fake"}})

    def drop(self) -> None:
        """Every connection breaks without a word."""
        for socket in self.sockets:
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        for socket in list(self.sockets):
            await socket.close()

    async def _send(self, type_: str, payload: dict[str, Any]) -> None:
        id_ = f"envelope-{next(self._count)}"
        self._waiting[id_] = asyncio.get_running_loop().create_future()
        await self.send({"envelope_id": id_, "type": type_, "accepts_response_payload": True, "payload": payload})
        async with asyncio.timeout(PATIENCE):
            self.acknowledged[id_] = await self._waiting[id_]

    def _take(self, answer: dict[str, Any]) -> None:
        waiting = self._waiting.get(answer.get("envelope_id", ""))
        assert waiting is not None, f"an acknowledgement of nothing: {answer}"
        if not waiting.done():
            waiting.set_result(answer)
