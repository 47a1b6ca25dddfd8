"""Handing notices to Slack through its SDK. Imported only when Slack is configured."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.model import Notice, NoticeCause
from monitor.notify.blocks import Message, render, render_reminder
from monitor.notify.pace import Pace
from monitor.notify.slack_errors import MESSAGE_GONE, refused, unreachable, unreadable

TIMEOUT = 10.0
EVERY = 1.0
BURST = 3
"""Slack API reference, rate limits: one message per second and channel, short bursts allowed."""

SDK_WAIT = 1.0
_PAUSE = FixedValueRetryIntervalCalculator(0.2)
WEBHOOK_REF = "posted"

# Below WARNING the SDK logs headers and the webhook's URL, whatever level is in force elsewhere.
_sdk_log = logging.getLogger("fallbackd.slack")
_sdk_log.setLevel(logging.WARNING)


class ShortRateLimitHandler(AsyncRateLimitErrorRetryHandler):
    """Sits out only a short wait; the outbox sits out a long one, and meanwhile learns of newer notices."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        limited = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        wait = _retry_after(response.headers) if response is not None else None
        return limited and wait is not None and wait <= SDK_WAIT


def retry_handlers() -> list[AsyncRetryHandler]:
    return [
        AsyncConnectionErrorRetryHandler(max_retry_count=1, interval_calculator=_PAUSE),
        ShortRateLimitHandler(max_retry_count=1),
        AsyncServerErrorRetryHandler(max_retry_count=1, interval_calculator=_PAUSE),
    ]


class _Slack:
    """What both ways share: one session, the pace of a channel, and Slack's errors as ours."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._pace = Pace(every=EVERY, burst=BURST)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _connect(self) -> aiohttp.ClientSession:
        """Made at the first use: it belongs to the running loop. Proxies come from the environment, NO_PROXY too."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=True)
        return self._session

    async def _call(self, request: Callable[[], Awaitable[Any]]) -> Any:
        # "from None" throughout: the SDK's and aiohttp's own texts may quote URLs and answers.
        if wait := self._pace.reserve(self._clock.monotonic()):
            await self._clock.sleep(wait)
        try:
            return await request()
        except SlackApiError as error:
            raise _refusal(error.response) from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(error) from None
        except (SlackClientError, ValueError, TypeError, AttributeError) as error:
            raise unreadable(error) from None


class SlackBot(_Slack):
    """References are ``channel:ts``, as Slack names a message."""

    def __init__(self, name: str, *, token: SecretStr, channel: str, api_url: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self._token = token
        self._channel = channel
        self._api_url = api_url
        self._client: AsyncWebClient | None = None

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        message = render(notice, announced=ref is not None)
        if ref is None:
            return await self._post(message)
        ref = await self._update(ref, message)
        if notice.cause is NoticeCause.REPEAT_DUE:
            await self._remind(ref, render_reminder(notice))
        return ref

    def _web(self) -> AsyncWebClient:
        session = self._connect()
        if self._client is None or self._client.session is not session:
            token = self._token.get_secret_value()
            self._client = AsyncWebClient(
                token, base_url=self._api_url, session=session, logger=_sdk_log, retry_handlers=retry_handlers()
            )
            self._client.proxy = None  # the SDK's own reading of the environment does not know NO_PROXY
        return self._client

    async def _post(self, message: Message) -> str:
        return await self._send(self._web().chat_postMessage, message, channel=self._channel)

    async def _update(self, ref: str, message: Message) -> str:
        channel, _, ts = ref.partition(":")
        try:
            return await self._send(self._web().chat_update, message, channel=channel, ts=ts)
        except MessageGoneError:
            return await self._post(message)

    async def _remind(self, ref: str, message: Message) -> None:
        channel, _, ts = ref.partition(":")
        post = self._web().chat_postMessage
        await self._send(post, message, channel=channel, thread_ts=ts, reply_broadcast=True)

    async def _send(self, method: Callable[..., Awaitable[Any]], message: Message, **where: Any) -> str:
        content = {"text": message.text, "blocks": list(message.blocks), "parse": "none", "link_names": False}
        answer = await self._call(lambda: method(**content, **where))
        return f"{answer['channel']}:{answer['ts']}"


class SlackWebhook(_Slack):
    """Posts one message when an incident begins, one at each change, one when it is over."""

    def __init__(self, name: str, *, url: SecretStr, clock: Clock) -> None:
        super().__init__(name, clock)
        self._url = url

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        message = render(notice, announced=ref is not None)
        client = AsyncWebhookClient(
            self._url.get_secret_value(), session=self._connect(), logger=_sdk_log, retry_handlers=retry_handlers()
        )
        client.proxy = None  # as for the bot
        answer = await self._call(lambda: client.send(text=message.text, blocks=list(message.blocks)))
        if answer.status_code != 200:
            wait = _retry_after(answer.headers)
            raise refused(str(answer.body).strip(), status=answer.status_code, retry_after=wait)
        return WEBHOOK_REF


class MessageGoneError(DeliveryError):
    """The message to edit was deleted, or may not be edited any more."""

    def __init__(self) -> None:
        super().__init__("the message to edit is gone", reason="message_not_found", permanent=False)


def _refusal(response: Any) -> DeliveryError:
    """``response`` is the SDK's, or aiohttp's own where the body could not be read."""
    status: int = getattr(response, "status_code", getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if code in MESSAGE_GONE:
        return MessageGoneError()
    return refused(code, status=status, retry_after=_retry_after(response.headers))


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    """Seconds; None where it is missing or no number. The SDK's own copies of headers hold lists."""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    text = found[0] if isinstance(found, list) else found
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None
