"""``/api/v1/events``: the feed as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monitor.web.errors import ErrorView, refusal
from monitor.web.feed import Feed, Listener

log = structlog.get_logger("web")

HEARTBEAT = 15.0
"""Seconds of silence after which a comment says that the daemon is still there."""
LIFETIME = 3600.0
"""Seconds after which a client has to come back, and to show its access again."""
RETRY = 2000
"""Milliseconds after which a browser comes back."""

ABOUT = """Named events, each with JSON: `health` (a change of health), `outcome` (how a question ended), `drill` (what
a drill says), `verdict` (how it was judged), `alert` (incidents or silences changed), `refresh` (load everything anew:
what came since the given id is not known any more, or the configuration is another). A comment every 15 s."""


class EventStream(Response):
    """Sends until the client goes, falls behind, or its time is over. Never buffers more than the listener does."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, listener: Listener, *, heartbeat: float, lifetime: float) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._feed, self._listener = feed, listener
        self._heartbeat, self._lifetime = heartbeat, lifetime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.ensure_future(self._send(send))
            ends = (_gone(receive), self._listener.lost.wait(), asyncio.sleep(self._lifetime))
            await _first(sending, *ends)
            if self._listener.slow:
                log.warning("a page that reads too slowly was let go; it may come back", client=scope.get("client"))
            else:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._feed.leave(self._listener)

    async def _send(self, send: Send) -> None:
        await _chunk(send, f"retry: {RETRY}\n\n".encode())
        while True:
            try:
                async with asyncio.timeout(self._heartbeat):
                    messages = await self._listener.take()
            except TimeoutError:
                await _chunk(send, b": still here\n\n")
            else:
                await _chunk(send, b"".join(message.encode() for message in messages))


async def _chunk(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first(*work: Awaitable[Any]) -> None:
    """Until one of them ends; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def router(feed: Feed, *, heartbeat: float = HEARTBEAT, lifetime: float = LIFETIME) -> APIRouter:
    made = APIRouter(prefix="/api/v1")

    @made.get(
        "/events",
        summary="What happens, as it happens (server-sent events)",
        description=ABOUT,
        response_class=Response,
        responses={
            200: {"content": {"text/event-stream": {}}, "description": "The events, until you go."},
            503: {"model": ErrorView, "description": "Too many listen already."},
        },
    )
    async def events(
        after: Annotated[str | None, Query(max_length=64, description="The id of the last event seen.")] = None,
        last_event_id: Annotated[str | None, Header(max_length=64)] = None,
    ) -> Any:
        listener = feed.listen(last_event_id or after)
        if listener is None:
            return refusal(503, "too many pages listen already; ask again later", headers={"retry-after": "60"})
        return EventStream(feed, listener, heartbeat=heartbeat, lifetime=lifetime)

    return made
