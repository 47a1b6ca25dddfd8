"""One lasting Socket Mode connection, made of many short ones: Slack ends each after some hours, networks sooner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from monitor.clock import Clock
from monitor.notify.retrying import backoff
from monitor.notify.slack_errors import PASSING
from monitor.notify.slack_session import retry_handlers

log = structlog.get_logger("slack")

CONNECT_SECONDS = 20.0
PING_SECONDS = 5.0
REFUSED_PAUSE = 60.0
"""Seconds between two tries with a token that Slack refuses: it may be mended there."""

# The SDK's own lines quote the address of a connection, which is as good as a password while it is fresh.
_silent = logging.getLogger("fallbackd.slack.socket")
_silent.setLevel(logging.CRITICAL + 1)

Take = Callable[[SocketModeRequest], None]
Heard = Callable[[bool], None]
"""Told whether orders are heard, whenever that may have changed."""


class _Connection(SocketModeClient):
    """The SDK would try the same address again and again, though each is good for one connection only: here, whatever
    ends a connection, or announces its end, is only noted, and the socket makes another."""

    def __init__(self, app_token: str, web: AsyncWebClient) -> None:
        super().__init__(app_token, logger=_silent, web_client=web, ping_interval=PING_SECONDS)
        self.ending = asyncio.Event()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        if force or not await self.is_connected():
            self.ending.set()


class Socket:
    """``take`` is called with every request, which has been acknowledged by then; it must return at once."""

    def __init__(self, *, token: SecretStr, api_url: str, take: Take, clock: Clock, rng: Random, heard: Heard) -> None:
        self._token = token
        self._api_url = api_url
        self._take = take
        self._clock = clock
        self._rng = rng
        self._said = ""
        self._heard = heard
        self.connected = False

    async def run(self) -> None:
        """Until cancelled. The next connection stands before the old one is let go."""
        current = await self._connect()
        try:
            while True:
                await current.ending.wait()
                following = await self._connect()
                await _close(current)
                current = following
        finally:
            self._set_connected(connected=False)
            await _close(current)

    async def _connect(self) -> _Connection:
        failures = 0
        while True:
            try:
                made = await self._try()
            except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as error:
                failures += 1
                self._say_trouble(_why(error))
                await self._clock.sleep(REFUSED_PAUSE if _is_refusal(error) else backoff(failures, self._rng))
            else:
                self._say_connected()
                return made

    async def _try(self) -> _Connection:
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS), trust_env=True)
        token = self._token.get_secret_value()
        web = AsyncWebClient(base_url=self._api_url, session=session, logger=_silent, retry_handlers=retry_handlers())
        web.proxy = None  # proxies come from the environment by the session, which knows NO_PROXY too
        made = _Connection(token, web)
        await made.aiohttp_client_session.close()
        made.aiohttp_client_session, made.proxy = session, None
        made.socket_mode_request_listeners.append(self._on_request)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                made.wss_uri = await made.issue_new_wss_url()
                await made.connect()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        except BaseException:
            await _close(made)
            raise
        return made

    async def _on_request(self, client: Any, request: SocketModeRequest) -> None:
        # First of all: Slack tells its user of a failure after three seconds.
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        self._take(request)

    def _set_connected(self, *, connected: bool) -> None:
        self.connected = connected
        self._heard(connected)

    def _say_trouble(self, text: str) -> None:
        self._set_connected(connected=False)
        if text != self._said:
            log.warning("Slack's commands and buttons are not heard now", why=text)
        self._said = text

    def _say_connected(self) -> None:
        if not self.connected:
            log.info("listening to Slack's commands and buttons")
        self._said = ""
        self._set_connected(connected=True)


def _why(error: Exception) -> str:
    """In our own words: what the SDK and aiohttp say may quote addresses and tokens."""
    if isinstance(error, SlackApiError):
        if not (code := _code(error)):
            return f"Slack is not available (HTTP {error.response.status_code})"
        return _REMEDIES.get(code, f"Slack refuses the connection ({code})")
    if isinstance(error, TimeoutError):
        return "Slack did not answer in time"
    return f"Slack cannot be reached ({type(error).__name__})"


def _is_refusal(error: Exception) -> bool:
    """Whether somebody has to mend something; trouble of Slack's own passes."""
    return isinstance(error, SlackApiError) and _code(error) not in ("", *PASSING)


def _code(error: SlackApiError) -> str:
    """Empty where the answer is not of Slack's API, as from a gateway before it."""
    return str(error.response.data.get("error", "")) if isinstance(error.response.data, dict) else ""


_REMEDIES = {
    "invalid_auth": "the app-level token is wrong; give it a valid one (xapp-...)",
    "not_allowed_token_type": "this is no app-level token; give it one (xapp-...) with the scope connections:write",
    "missing_scope": "the app-level token lacks the scope connections:write; make a new one",
    "token_revoked": "the app-level token was revoked; make a new one",
    "account_inactive": "the app was removed from the workspace; install it again",
}


async def _close(client: _Connection) -> None:
    await client.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
