"""From Slack's requests to orders, and the way back for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from monitor.clock import Clock
from monitor.notify.blocks import Message
from monitor.notify.slack import CommandsConfig
from monitor.notify.slack_session import TIMEOUT, retry_handlers, sdk_log
from monitor.slack.desk import Asked, Control, Desk
from monitor.slack.orders import read_command, read_press
from monitor.slack.permission import Person
from monitor.slack.socket import Heard, Socket

log = structlog.get_logger("slack")

LAST_WORDS = 5.0
"""Seconds that answers which are under way get at the end."""
AT_ONCE = 100
"""Orders that may be under way; more are dropped, for nobody gives so many."""


class Listener:
    """One app's commands and buttons."""

    def __init__(
        self,
        *,
        allowed: CommandsConfig,
        api_url: str,
        app_token: SecretStr,
        bot_token: SecretStr,
        control: Control,
        clock: Clock,
        rng: Random,
        heard: Heard = lambda _: None,
    ) -> None:
        self._desk = Desk(control, allowed)
        self._bot_token = bot_token
        self._api_url = api_url
        self._socket = Socket(token=app_token, api_url=api_url, take=self._take, clock=clock, rng=rng, heard=heard)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._socket.connected

    async def run(self) -> None:
        """Until cancelled."""
        await self._socket.run()

    async def close(self) -> None:
        """After ``run`` has ended: what is being answered gets a moment to be said."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_WORDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _take(self, request: SocketModeRequest) -> None:
        asked = self._read(request.type, request.payload)
        if asked is None or len(self._tasks) >= AT_ONCE:
            return
        task = asyncio.create_task(self._carry_out(asked), name="order from Slack")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, asked: Asked) -> None:
        try:
            await self._desk.take(asked)
        except Exception as error:  # noqa: BLE001 - one order that fails must not end the others
            # The class only: what Slack's libraries say may quote addresses that are as good as passwords.
            log.error("an order from Slack could not be carried out", why=type(error).__name__)  # noqa: TRY400

    def _read(self, type_: str, payload: Mapping[str, Any]) -> Asked | None:
        """None for what asks nothing of us."""
        match type_, payload:
            case "slash_commands", {"user_id": str(id_), "channel_id": str(channel)}:
                order = read_command(str(payload.get("text", "")))
                by = Person(id=id_, name=str(payload.get("user_name", "")))
                return Asked(order=order, by=by, channel=channel, answer=self._way_back(payload, channel, None))
            case "interactive", {
                "type": "block_actions",
                "user": {"id": str(id_), **user},
                "actions": [first, *_],
            }:
                pressed = read_press(first if isinstance(first, dict) else {})
                channel, thread = _place(payload)
                if pressed is None or not channel:
                    return None
                by = Person(id=id_, name=str(user.get("username") or user.get("name") or ""))
                return Asked(order=pressed, by=by, channel=channel, answer=self._way_back(payload, channel, thread))
        return None

    def _way_back(self, payload: Mapping[str, Any], channel: str, thread: str | None) -> WayBack:
        url = SecretStr(str(payload.get("response_url", "")))
        return WayBack(self, url=url, channel=channel, thread=thread)

    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=True)
        return self._session

    def web(self) -> AsyncWebClient:
        made = AsyncWebClient(
            self._bot_token.get_secret_value(), base_url=self._api_url, session=self.session(), logger=sdk_log,
            retry_handlers=retry_handlers(),
        )  # fmt: skip
        made.proxy = None  # proxies come from the environment by the session, which knows NO_PROXY too
        return made


class WayBack:
    """Slack takes five answers at an order's own address, for half an hour; later ones are messages of the bot."""

    def __init__(self, listener: Listener, *, url: SecretStr, channel: str, thread: str | None) -> None:
        self._listener = listener
        self._url = url
        self._channel = channel
        self._thread = thread

    async def whisper(self, message: Message) -> None:
        await self._respond(message, "ephemeral")

    async def say(self, message: Message) -> None:
        if await self._respond(message, "in_channel"):
            return
        await self._listener.web().chat_postMessage(
            channel=self._channel, text=message.text, blocks=list(message.blocks), thread_ts=self._thread
        )

    async def _respond(self, message: Message, how: str) -> bool:
        client = AsyncWebhookClient(
            self._url.get_secret_value(), session=self._listener.session(), logger=sdk_log,
            retry_handlers=retry_handlers(),
        )  # fmt: skip
        client.proxy = None
        body: dict[str, Any] = {
            "response_type": how, "replace_original": False, "text": message.text, "blocks": list(message.blocks),
        }  # fmt: skip
        if self._thread:
            body["thread_ts"] = self._thread
        try:
            answer = await client.send_dict(body)
        except (aiohttp.ClientError, OSError, SlackClientError, ValueError):
            return False
        return answer.status_code == 200


def _place(payload: Mapping[str, Any]) -> tuple[str, str | None]:
    """(channel, thread) of a message whose button was pressed."""
    match payload:
        case {"channel": {"id": str(channel)}, "message": {"thread_ts": str(thread)}}:
            return channel, thread
        case {"channel": {"id": str(channel)}, "message": {"ts": str(ts)}}:
            return channel, ts
    return "", None
