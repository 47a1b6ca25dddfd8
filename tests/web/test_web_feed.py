"""The feed and its stream: bounded, resumed where it was left, and nobody waits for a slow reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from monitor.web import Feed
from monitor.web.events_api import EventStream

from .web_stage import FakeControl, client, site

pytestmark = pytest.mark.anyio


async def told(feed: Feed, after: str | None) -> list[tuple[str, str]]:
    """(event, data) of what waits for a client who comes now."""
    listener = feed.listen(after)
    assert listener is not None
    feed.publish("end", {})
    return [(message.event, message.data) for message in await listener.take()][:-1]


async def test_who_comes_back_is_told_what_was_missed() -> None:
    feed = Feed()
    feed.publish("health", {"chain": "a"})
    seen = feed.last
    feed.publish("health", {"chain": "b"})
    feed.publish("alert", {})
    assert await told(feed, seen) == [("health", '{"chain":"b"}'), ("alert", "{}")]


async def test_who_has_seen_all_is_told_nothing_twice() -> None:
    feed = Feed()
    feed.publish("alert", {})
    assert await told(feed, feed.last) == []
    assert await told(feed, None) == []


@pytest.mark.parametrize("after", ["another-1", "nonsense", "-", "²-²"])
async def test_who_was_with_another_run_loads_anew(after: str) -> None:
    feed = Feed()
    feed.publish("alert", {})
    assert await told(feed, after) == [("refresh", "{}")]


async def test_who_was_away_too_long_loads_anew() -> None:
    feed = Feed(kept=2)
    feed.publish("alert", {})
    seen = feed.last
    for _ in range(2):
        feed.publish("alert", {})
    assert await told(feed, seen) == [("alert", "{}")] * 2
    feed.publish("alert", {})
    assert await told(feed, seen) == [("refresh", "{}")]


async def test_more_clients_than_may_be_are_sent_away() -> None:
    feed = Feed(clients=1)
    first = feed.listen(None)
    assert first is not None
    async with client(site(feed=feed)) as http:
        answer = await http.get("/api/v1/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    feed.leave(first)
    assert feed.listen(None) is not None


class Wire:
    """What a server sees of one client: ``sent`` in order; ``take`` decides whether a send ever comes through."""

    def __init__(self, take: Callable[[int], bool] = lambda _: True) -> None:
        self.sent: list[dict[str, Any]] = []
        self.came = asyncio.Event()
        self.gone = asyncio.Event()
        self._take = take

    async def send(self, message: Any) -> None:
        if not self._take(len(self.sent)):
            await asyncio.Event().wait()
        self.sent.append(message)
        self.came.set()

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def says(self, part: str) -> None:
        async with asyncio.timeout(30):
            while part not in self.text:
                self.came.clear()
                await self.came.wait()


def stream(feed: Feed, wire: Wire, *, heartbeat: float = 60.0, lifetime: float = 60.0) -> asyncio.Task[None]:
    listener = feed.listen(feed.last)
    assert listener is not None
    made = EventStream(feed, listener, heartbeat=heartbeat, lifetime=lifetime)
    return asyncio.create_task(made({"type": "http", "client": None}, wire.receive, wire.send))


async def test_events_come_named_with_an_id_to_come_back_with() -> None:
    feed, wire = Feed(), Wire()
    task = stream(feed, wire)
    feed.publish("health", {"chain": "chat"})
    await wire.says('data: {"chain":"chat"}\n\n')
    assert wire.sent[0]["status"] == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in wire.sent[0]["headers"]
    assert wire.text == f'retry: 2000\n\nid: {feed.last}\nevent: health\ndata: {{"chain":"chat"}}\n\n'
    wire.gone.set()
    await task
    assert feed.clients == 0


async def test_silence_is_filled_with_comments() -> None:
    feed, wire = Feed(), Wire()
    task = stream(feed, wire, heartbeat=0.01)
    await wire.says(": still here\n\n: still here\n\n")
    wire.gone.set()
    await task


async def test_a_slow_reader_is_let_go_and_nobody_waits_for_it() -> None:
    feed, wire = Feed(waiting=3), Wire(take=lambda sent: sent < 1)
    task = stream(feed, wire)
    await wire.came.wait()
    for _ in range(5):
        feed.publish("alert", {})
    await task
    assert feed.clients == 0
    assert len(wire.sent) == 1


async def test_a_stop_lets_every_client_go() -> None:
    feed, wire = Feed(), Wire()
    task = stream(feed, wire)
    await wire.says("retry")
    feed.close()
    await task
    assert wire.sent[-1]["more_body"] is False


async def test_a_client_has_to_show_its_access_again_in_time() -> None:
    feed, wire = Feed(), Wire()
    await stream(feed, wire, lifetime=0.0)
    assert wire.sent[-1]["more_body"] is False


async def test_the_last_id_may_stand_in_the_header_or_in_the_address() -> None:
    for place, headers in (("/api/v1/events?after=another-1", {}), ("/api/v1/events", {"last-event-id": "another-1"})):
        feed = Feed()
        feed.publish("alert", {})
        async with client(site(FakeControl(), feed=feed)) as http:
            request = asyncio.create_task(_first_bytes(http, place, headers))
            await _until(lambda feed=feed: feed.clients == 1)
            feed.close()
            assert "event: refresh" in await request


async def _first_bytes(http: httpx.AsyncClient, place: str, headers: dict[str, str]) -> str:
    return (await http.get(place, headers=headers)).text


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0)
