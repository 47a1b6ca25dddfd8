"""Handing notices to Slack, by a bot token or by a webhook. Imported only when Slack is configured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.model import Notice, NoticeCause, NoticeState
from monitor.notify import slack_threads
from monitor.notify.blocks import Message, render
from monitor.notify.model import DrillOffer
from monitor.notify.slack_buttons import buttons
from monitor.notify.slack_digest import (
    WINDOW,
    Digest,
    extended,
    is_crowded,
    is_over,
    lines,
    render_digest,
)
from monitor.notify.slack_errors import refused
from monitor.notify.slack_session import (
    MessageGoneError,
    SlackSession,
    ThreadClosedError,
    retry_after,
    retry_handlers,
    sdk_log,
)

WEBHOOK_REF = "posted"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands: in a channel or, with ``thread``, in the thread of another message."""

    channel: str
    ts: str
    thread: str = ""

    @classmethod
    def read(cls, ref: str) -> Self:
        """``channel:ts`` or ``channel:ts:thread``."""
        channel, ts, thread = (*ref.split(":"), "", "")[:3]
        return cls(channel, ts, thread)

    def __str__(self) -> str:
        return ":".join(filter(None, (self.channel, self.ts, self.thread)))


class SlackBot(SlackSession):
    """One message for each incident, edited as it changes; its details and its history stand in the thread.

    References are Places. ``listening``: somebody hears of presses of buttons. More than ``digest_above`` new messages
    within a minute become one, with the incidents' own messages in its thread.
    """

    def __init__(
        self,
        name: str,
        *,
        token: SecretStr,
        channel: str,
        api_url: str,
        clock: Clock,
        listening: bool = False,
        digest_above: int = 5,
    ) -> None:
        super().__init__(name, f"{api_url} {channel}", clock)
        self._token = token
        self._channel = channel
        self._api_url = api_url
        self._listening = listening
        self._digest_above = digest_above
        self._drills: Mapping[str, DrillOffer] = {}
        self._client: AsyncWebClient | None = None
        self._posted: list[float] = []
        self._digest: Digest | None = None

    def offer(self, drills: Mapping[str, DrillOffer]) -> None:
        self._drills = drills

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        message = self._render(notice, announced=ref is not None)
        place = await self._edit(Place.read(ref), message) if ref is not None else await self._begin(notice, message)
        said = slack_threads.reply(notice, announced=ref is not None)
        if said is not None:
            try:
                await self._reply(place, said, loud=slack_threads.is_loud(notice))
            except ThreadClosedError:
                pass  # the message itself says what matters
            except DeliveryError as error:
                error.ref = str(place)
                raise
        return str(place)

    async def announce(self, fresh: Sequence[Notice]) -> None:
        now = self._clock.monotonic()
        self._posted = [at for at in self._posted if now - at < WINDOW]
        if self._digest is not None and is_over(self._digest, now):
            self._digest = None
        if self._digest is not None:
            await self._extend(self._digest, fresh, now)
        elif is_crowded(self._posted, len(fresh), now, self._digest_above):
            listed = lines(fresh)
            place = await self._post(render_digest(listed))
            self._digest = Digest(ref=str(place), lines=listed, last=now)

    async def _extend(self, digest: Digest, fresh: Sequence[Notice], now: float) -> None:
        longer = extended(digest, fresh, now)
        if longer is not None:
            place = await self._edit(Place.read(digest.ref), render_digest(longer.lines))
            self._digest = Digest(ref=str(place), lines=longer.lines, last=now)

    async def _begin(self, notice: Notice, message: Message) -> Place:
        if self._digest is not None and self._digest.lists(notice.incident):
            return await self._post(message, thread=Place.read(self._digest.ref).ts)
        place = await self._post(message)
        if notice.state is NoticeState.FIRING:
            self._posted.append(self._clock.monotonic())
        return place

    def _render(self, notice: Notice, *, announced: bool) -> Message:
        row = buttons(notice, self._drills, listening=self._listening)
        return render(notice, announced=announced, threaded=True, buttons=row, linked=row is None)

    def _api(self) -> AsyncWebClient:
        if self._client is None or self._client.session is not self._session:
            self._client = self._web(self._token.get_secret_value(), self._api_url)
        return self._client

    async def _post(self, message: Message, *, thread: str = "") -> Place:
        where = {"thread_ts": thread} if thread else {}
        posted = await self._send(self._api().chat_postMessage, message, channel=self._channel, **where)
        return Place(posted.channel, posted.ts, thread)

    async def _edit(self, place: Place, message: Message) -> Place:
        try:
            await self._send(self._api().chat_update, message, channel=place.channel, ts=place.ts)
        except MessageGoneError:
            return await self._post(message)
        return place

    async def _reply(self, place: Place, message: Message, *, loud: bool) -> None:
        """Loud: in the channel too, for an edit notifies nobody."""
        post, thread = self._api().chat_postMessage, place.thread or place.ts
        await self._send(post, message, channel=place.channel, thread_ts=thread, reply_broadcast=loud)

    async def _send(self, method: Callable[..., Awaitable[Any]], message: Message, **where: Any) -> Place:
        content = {"text": message.text, "blocks": list(message.blocks), "parse": "none", "link_names": False}
        answer = await self._call(lambda: method(**content, **where))
        return Place(answer["channel"], answer["ts"])


class SlackWebhook(SlackSession):
    """Posts one message when an incident begins, one at each change, one when it is over: a webhook answers with no
    reference, so that nothing can be edited, answered in a thread, or pressed."""

    def __init__(self, name: str, *, url: SecretStr, clock: Clock) -> None:
        super().__init__(name, url.get_secret_value(), clock)
        self._url = url

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        taken = slack_threads.reply(notice, announced=True) if notice.cause is NoticeCause.ACKNOWLEDGED else None
        message = taken or render(notice, announced=ref is not None)
        client = AsyncWebhookClient(
            self._url.get_secret_value(), session=self._connect(), logger=sdk_log, retry_handlers=retry_handlers()
        )
        client.proxy = None  # as for the bot
        answer = await self._call(lambda: client.send(text=message.text, blocks=list(message.blocks)))
        if answer.status_code != 200:
            wait = retry_after(answer.headers)
            raise refused(str(answer.body).strip(), status=answer.status_code, retry_after=wait)
        return WEBHOOK_REF
