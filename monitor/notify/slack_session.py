"""Slack through its SDK: one session, the pace of a channel, and Slack's errors as ours."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
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

from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.notify.pace import Pace
from monitor.notify.slack_errors import MESSAGE_GONE, THREAD_CLOSED, refused, unreachable, unreadable

TIMEOUT = 10.0
EVERY = 1.0
BURST = 3
"""Slack API reference, rate limits: one message per second and channel, short bursts allowed."""

SDK_WAIT = 1.0
_PAUSE = FixedValueRetryIntervalCalculator(0.2)

# Below WARNING the SDK logs headers and the webhook's URL, whatever level is in force elsewhere.
sdk_log = logging.getLogger("fallbackd.slack")
sdk_log.setLevel(logging.WARNING)


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
        wait = retry_after(response.headers) if response is not None else None
        return limited and wait is not None and wait <= SDK_WAIT


def retry_handlers() -> list[AsyncRetryHandler]:
    return [
        AsyncConnectionErrorRetryHandler(max_retry_count=1, interval_calculator=_PAUSE),
        ShortRateLimitHandler(max_retry_count=1),
        AsyncServerErrorRetryHandler(max_retry_count=1, interval_calculator=_PAUSE),
    ]


_paces: WeakValueDictionary[str, Pace] = WeakValueDictionary()


def pace_of(channel: str) -> Pace:
    """Slack counts by channel, whoever posts: notifiers of one channel, and those before and after a reload, share a
    pace for as long as one of them lives."""
    found = _paces.get(channel)
    if found is None:
        found = _paces[channel] = Pace(every=EVERY, burst=BURST)
    return found


class SlackSession:
    """What all ways to Slack share. ``channel`` is where it posts, in words that are nowhere shown."""

    def __init__(self, name: str, channel: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._pace = pace_of(channel)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def room_in(self) -> float:
        return self._pace.wait(self._clock.monotonic())

    def _connect(self) -> aiohttp.ClientSession:
        """Made at the first use: it belongs to the running loop. Proxies come from the environment, NO_PROXY too."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=True)
        return self._session

    def _web(self, token: str, api_url: str) -> AsyncWebClient:
        session = self._connect()
        client = AsyncWebClient(
            token, base_url=api_url, session=session, logger=sdk_log, retry_handlers=retry_handlers()
        )
        client.proxy = None  # the SDK's own reading of the environment does not know NO_PROXY
        return client

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


class MessageGoneError(DeliveryError):
    """The message to edit was deleted, or may not be edited any more."""

    def __init__(self) -> None:
        super().__init__("the message to edit is gone", reason="message_not_found", permanent=False)


class ThreadClosedError(DeliveryError):
    """The message takes no replies, or is gone."""

    def __init__(self, code: str) -> None:
        super().__init__("the thread takes no replies", reason=code, permanent=False)


def _refusal(response: Any) -> DeliveryError:
    """``response`` is the SDK's, or aiohttp's own where the body could not be read."""
    status: int = getattr(response, "status_code", getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if code in MESSAGE_GONE:
        return MessageGoneError()
    if code in THREAD_CLOSED:
        return ThreadClosedError(code)
    return refused(code, status=status, retry_after=retry_after(response.headers))


def retry_after(headers: Mapping[str, Any]) -> float | None:
    """Seconds; None where it is missing or no number. The SDK's own copies of headers hold lists."""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    text = found[0] if isinstance(found, list) else found
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None
