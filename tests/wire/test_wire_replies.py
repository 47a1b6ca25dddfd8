"""Good replies on a real socket: read whole, timed, and nothing that was not asked for."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from monitor.clock import SystemClock
from monitor.exchange import Ask, Fate, Reply
from monitor.transport import AioTransport
from monitor.wire import exchange

pytestmark = pytest.mark.anyio

PEM = Path(__file__).with_name("loopback.pem")
"""A certificate for 127.0.0.1 with its key, signed by itself, good for a hundred years."""

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
TOKEN = '{"choices":[{"delta":{"content":"Grüße"}}]}'
EVENT = f"data: {TOKEN}\n\n".encode()
DONE = b"data: [DONE]\n\n"
PAUSE = 0.05


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def ask(url: str, **changes: Any) -> Ask:
    plain = Ask(method="POST", url=url, headers={}, body={"model": "m"}, stream=False, deadline=5.0)
    return replace(plain, **changes)


@pytest.fixture
async def transport() -> AsyncIterator[AioTransport]:
    transport = AioTransport()
    yield transport
    await transport.aclose()


PLAIN: dict[str, tuple[Sequence[bytes | float | str], int, bytes]] = {
    "a length": ([JSON + b"Content-Length: 2\r\n\r\n{}", "hold"], 200, b"{}"),
    "chunks": ([JSON + CHUNKED + chunk(b"{"), PAUSE, chunk(b"}") + chunk(b""), "hold"], 200, b"{}"),
    "until it closes": ([JSON + b"\r\n{}"], 200, b"{}"),
    "gzip": ([JSON + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a":1}')], 200, b'{"a":1}'),
    "an empty 200": ([JSON + b"Content-Length: 0\r\n\r\n", "hold"], 200, b""),
    "an empty gzip": ([JSON + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", "hold"], 200, b""),
    "204": ([b"HTTP/1.1 204 No Content\r\n\r\n", "hold"], 204, b""),
    "an error": ([b"HTTP/1.1 529 Overloaded\r\nContent-Length: 1\r\n\r\nx", "hold"], 529, b"x"),
    "a redirect, not followed": ([b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"], 302, b""),
    "1xx first": ([b"HTTP/1.1 103 Early Hints\r\n\r\n" + JSON + b"Content-Length: 2\r\n\r\n{}", "hold"], 200, b"{}"),
    "an encoding we did not ask for": ([JSON + b"Content-Encoding: br\r\n\r\n\x8b"], 200, b"\x8b"),
    "a stream that was not asked for": ([SSE + b"\r\n" + EVENT], 200, EVENT),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "status", "body"), PLAIN.values(), ids=PLAIN)
async def test_a_plain_reply_is_read_whole(serve, transport, steps, status, body) -> None:
    reply = await exchange(transport, ask((await serve(steps)).url), SystemClock())
    assert (reply.fate, reply.status, reply.body, reply.events) == (Fate.ANSWERED, status, body, ())
    assert reply.first_byte is not None
    assert reply.first_byte <= reply.duration
    assert reply.detail == ""


STREAMS: dict[str, tuple[Sequence[bytes | float | str], list[str], bool]] = {
    "whole": ([SSE + b"\r\n" + EVENT + EVENT + DONE], [TOKEN, TOKEN], True),
    "kept open after its end": ([SSE + b"\r\n" + EVENT + DONE, "hold"], [TOKEN], True),
    "without [DONE]": ([SSE + b"\r\n" + EVENT], [TOKEN], False),
    "[DONE] without its blank line": ([SSE + b"\r\n" + EVENT + b"data: [DONE]\n"], [TOKEN], True),
    "what follows [DONE] is not read": ([SSE + b"\r\n" + DONE + EVENT], [], True),
    "cut within a character": ([SSE + CHUNKED + chunk(EVENT[:41]), PAUSE, chunk(EVENT[41:] + DONE)], [TOKEN], True),
    "an unfinished event": ([SSE + b"\r\n" + EVENT + b"data: {"], [TOKEN], False),
    "nothing": ([SSE + b"Content-Length: 0\r\n\r\n", "hold"], [], False),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "events", "done"), STREAMS.values(), ids=STREAMS)
async def test_a_stream_is_read_to_its_end(serve, transport, steps, events, done) -> None:
    reply = await exchange(transport, ask((await serve(steps)).url, stream=True), SystemClock())
    assert (reply.fate, [event.data for event in reply.events], reply.done) == (Fate.ANSWERED, events, done)
    assert reply.body == b""


async def test_events_carry_the_time_at_which_they_came(serve, transport) -> None:
    rogue = await serve([SSE + b"\r\n: wait\n\n", PAUSE, EVENT, PAUSE, EVENT, DONE])
    reply = await exchange(transport, ask(rogue.url, stream=True, first_token=2.0), SystemClock())
    first, second = (event.at for event in reply.events)
    assert reply.first_byte is not None
    assert reply.first_byte < first < second <= reply.duration
    assert first >= PAUSE * 0.9
    assert second - first >= PAUSE * 0.9


async def test_a_slow_first_token_in_time_is_no_fault(serve, transport) -> None:
    rogue = await serve([SSE + b"\r\n: wait\n\n", 0.1, EVENT, 0.3, DONE])
    reply = await exchange(transport, ask(rogue.url, stream=True, first_token=0.3, deadline=5.0), SystemClock())
    assert (reply.fate, reply.done) == (Fate.ANSWERED, True)


async def test_a_stream_answered_without_a_stream_is_a_plain_reply_and_may_take_its_time(serve, transport) -> None:
    rogue = await serve([JSON + b"Content-Length: 2\r\n\r\n", 0.2, b"{}", "hold"])
    reply = await exchange(transport, ask(rogue.url, stream=True, first_token=0.1), SystemClock())
    assert (reply.fate, reply.body, reply.events) == (Fate.ANSWERED, b"{}", ())


async def test_what_is_sent(serve, transport) -> None:
    rogue = await serve([JSON + b"Content-Length: 2\r\n\r\n{}"])
    question = ask(rogue.url, headers={"authorization": "Bearer k", "User-Agent": "mine"}, body={"model": "é"})
    await exchange(transport, question, SystemClock())
    head, _, body = rogue.requests[0].partition(b"\r\n\r\n")
    lines = {line.lower() for line in head.split(b"\r\n")}
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1")
    assert {b"authorization: bearer k", b"user-agent: mine", b"accept-encoding: gzip"} <= lines
    assert b"content-type: application/json" in lines
    assert len([line for line in lines if line.startswith(b"content-length:")]) == 1
    assert body == '{"model":"é"}'.encode()


async def test_a_stream_is_asked_for_uncompressed_and_a_get_has_no_body(serve, transport) -> None:
    rogue = await serve([SSE + b"\r\n" + DONE])
    await exchange(transport, ask(rogue.url, method="GET", body=None, stream=True), SystemClock())
    head = rogue.requests[0].lower()
    assert head.startswith(b"get ")
    assert b"accept-encoding: identity\r\n" in head
    assert b"content-length" not in head
    assert b"content-type" not in head


async def test_connections_are_used_again_and_cookies_are_not_kept(serve, transport) -> None:
    rogue = await serve([JSON + b"Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}", "again"])
    for _ in range(3):
        assert (await exchange(transport, ask(rogue.url), SystemClock())).fate is Fate.ANSWERED
    assert (rogue.connections, len(rogue.requests)) == (1, 3)
    assert not any(b"cookie" in request.lower() for request in rogue.requests)


async def test_environment_proxies_are_not_used(serve, transport, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    rogue = await serve([JSON + b"Content-Length: 2\r\n\r\n{}"])
    assert (await exchange(transport, ask(rogue.url), SystemClock())).fate is Fate.ANSWERED


async def test_marks_travel_with_the_request() -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["fallbackd"])
        return httpx.Response(200, json={})

    marks = {"chain": "chat", "position": 0, "drill": None}
    await exchange(httpx.MockTransport(answer), ask("http://x/", marks=marks), SystemClock())
    assert seen == [marks]


async def phases(transport: httpx.AsyncBaseTransport, url: str) -> dict[str, float]:
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        response = await client.get(url)
        return response.extensions["fallbackd_phases"]


async def test_phases_of_a_new_connection_are_told_and_none_of_an_old_one(serve) -> None:
    rogue = await serve([JSON + b"Content-Length: 2\r\n\r\n{}", "again"])
    transport = AioTransport()
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        first, second = [(await client.get(rogue.url)).extensions["fallbackd_phases"] for _ in range(2)]
    assert set(first) == {"connect"}
    assert first["connect"] > 0
    assert second == {}


async def test_names_and_tls_have_phases_of_their_own_under_a_ca_of_our_own() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(JSON + b"Content-Length: 2\r\n\r\n{}")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    found = await phases(AioTransport(ca_file=str(PEM)), f"https://localhost:{port}/")
    assert set(found) == {"dns", "connect", "tls"}
    assert min(found.values()) > 0

    stranger = AioTransport()
    reply = await exchange(stranger, ask(f"https://localhost:{port}/"), SystemClock())
    assert (reply.fate, reply.detail) == (Fate.TLS, "the certificate of localhost is not good: self-signed certificate")
    await stranger.aclose()
    server.close()


async def test_respx_sees_exchanges_over_any_transport(transport) -> None:
    async def asked(**changes: Any) -> Reply:
        return await exchange(transport, ask("https://openrouter.ai/api/v1/chat/completions", **changes), SystemClock())

    with respx.mock(using="httpx") as router:
        route = router.post("https://openrouter.ai/api/v1/chat/completions")
        route.respond(429, json={"error": {"code": 429}}, headers={"Retry-After": "3"})
        limited = await asked()
        assert (limited.status, limited.headers["retry-after"] if limited.headers else None) == (429, "3")
        assert limited.body == b'{"error":{"code":429}}'
        route.respond(200, content=EVENT + DONE, headers={"Content-Type": "text/event-stream"})
        assert (await asked(stream=True)).done
        route.mock(side_effect=httpx.ConnectError("no"))
        assert (await asked()).fate is Fate.UNREACHABLE
