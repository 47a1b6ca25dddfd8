"""The plain way on real sockets: what it takes, what it hands over, and what it does when a side misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.gateway import Gateway
from chaos.gateway.parsing import read_answer_head, read_request
from monitor.model import Reason, Status
from tests.gateway.conftest import MINI, SONNET, Endpoint, Start, read_message
from tests.gateway.test_gateway_bytes import answer_of, cut, request_of, split, through_gateway

pytestmark = pytest.mark.anyio

PEM = Path(__file__).parents[1] / "wire/loopback.pem"
ASKED = json.dumps({"model": SONNET, "messages": []}).encode()
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(ASKED), ASKED)
PIECES = 200
"""Of 64 KiB each: more than the buffers of two connections hold."""
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def connect(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


@settings(max_examples=30)
@given(
    bodies=st.lists(st.binary(max_size=400), min_size=2, max_size=6), places=st.lists(st.integers(0, 4000), max_size=8)
)
def test_requests_that_are_sent_ahead_are_answered_in_their_order(bodies: list[bytes], places: list[int]) -> None:
    async def exchange(endpoint: Endpoint, gateway: Gateway) -> list[bytes]:
        endpoint.answer = [HELLO]
        reader, writer = await connect(gateway)
        for piece in cut(b"".join(request_of([body], "length") for body in bodies), places):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        for _ in bodies:
            assert await read_message(reader) == HELLO
        writer.close()
        return [split(request)[1] for request in endpoint.requests]

    assert through_gateway(exchange) == bodies


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["plain", "chunked", "head", "large"]), min_size=2, max_size=5))
def test_a_connection_that_is_handed_over_goes_on(kinds: list[str]) -> None:
    """What needs more care than the plain way has takes its connection along, in the middle of its life."""
    asked = {
        "plain": request_of([b"{}"], "length"),
        "chunked": request_of([b"{", b"}"], "chunked"),
        "head": b"HEAD /v1/models HTTP/1.1\r\nHost: h\r\n\r\n",
        "large": request_of([b"x" * 300_000], "length"),
    }

    async def exchange(endpoint: Endpoint, gateway: Gateway) -> int:
        reader, writer = await connect(gateway)
        for kind in kinds:
            endpoint.answer = [HELLO.partition(b"hello")[0] if kind == "head" else HELLO]
            writer.write(asked[kind])
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            if kind != "head":
                assert await reader.readexactly(5) == b"hello"
        writer.close()
        return len(endpoint.requests)

    assert through_gateway(exchange) == len(kinds)


async def serve_tls(endpoint: Endpoint) -> tuple[asyncio.Server, str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0, ssl=context)
    return server, f"https://localhost:{server.sockets[0].getsockname()[1]}/api/v1"


async def test_an_endpoint_behind_tls_is_reached_by_both_ways(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [HELLO]
    server, url = await serve_tls(endpoint)
    passing = await start(url, ca_file=str(PEM))
    reader, writer = await connect(passing.gateway)
    for request in (POST, POST, request_of([ASKED], "chunked")):
        writer.write(request)
        assert await read_message(reader) == HELLO
    assert {outcome.status_code for outcome in await passing.told(3)} == {200}
    writer.close()
    server.close()


async def test_a_certificate_that_nobody_vouches_for_is_no_endpoint(start: Start, endpoint: Endpoint) -> None:
    server, url = await serve_tls(endpoint)
    passing = await start(url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    assert (await read_message(reader)).startswith(b"HTTP/1.1 502 ")
    assert (await passing.told())[0].reason is Reason.TLS
    assert endpoint.requests == []
    writer.close()
    server.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://localhost:9/v1", Reason.CONNECT), ("http://nowhere.invalid/v1", Reason.DNS)],
    ids=["refused by each of its addresses", "without an address"],
)
async def test_an_endpoint_that_is_not_there_is_said_to_be_so(start: Start, url: str, reason: Reason) -> None:
    passing = await start(url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    assert (await read_message(reader)).startswith(b"HTTP/1.1 502 ")
    assert (await passing.told())[0].reason is reason
    writer.close()


async def test_interim_answers_stay_here(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + HELLO]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    assert await read_message(reader) == HELLO
    writer.close()


async def test_more_than_the_answer_does_not_become_part_of_the_next(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [HELLO + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", None]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    for _ in range(2):
        writer.write(POST)
        assert await read_message(reader) == HELLO
    writer.close()


async def test_more_than_a_chunked_answer_ends_the_connection(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [answer_of([b"hello"], "chunked") + HELLO]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    async with asyncio.timeout(30):
        assert await reader.read() == b""
    assert (await passing.told())[0].status is Status.FAILED
    writer.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
    ids=["no http", "two lengths", "two framings", "an upgrade nobody asked for", "a head without an end"],
)
async def test_an_endpoint_that_speaks_no_http_is_told_as_502(start: Start, endpoint: Endpoint, answer: bytes) -> None:
    endpoint.answer = [answer]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    assert (await read_message(reader)).startswith(b"HTTP/1.1 502 ")
    assert (await passing.told())[0].reason is Reason.MALFORMED
    writer.close()


async def test_an_endpoint_that_closes_after_each_answer_costs_the_client_no_connection(
    start: Start, endpoint: Endpoint
) -> None:
    endpoint.answer = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", None]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    for _ in range(3):
        writer.write(POST)
        assert await read_message(reader) == HELLO
    assert [outcome.status_code for outcome in await passing.told(3)] == [200] * 3
    writer.close()


@pytest.mark.parametrize(
    "hop", [b"Keep-Alive: timeout=5\r\n", b"Connection: close\r\n", b"Connection: X-Hop\r\nX-Hop: 1\r\n"]
)
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_what_the_endpoint_says_of_its_own_connection_stays_here(
    start: Start, endpoint: Endpoint, hop: bytes, framing: str
) -> None:
    raw = answer_of([b"hel", b"lo"], framing)
    line, _, rest = raw.partition(b"\r\n")
    endpoint.answer = [line + b"\r\n" + hop + rest, *([None] if b"close" in hop else [])]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    for _ in range(2):
        writer.write(POST)
        assert await read_message(reader) == raw
    writer.close()


async def test_a_client_that_wants_to_close_is_let_go(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [HELLO]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST.replace(b"Host: h", b"Host: h\r\nConnection: close"))
    async with asyncio.timeout(30):
        assert await reader.read() == HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    writer.close()


async def test_a_client_that_does_not_read_holds_the_endpoint_up(start: Start) -> None:
    """Nothing piles up here: the endpoint can send no more than the buffers between hold."""
    sent = 0
    piece = b"x" * 65536

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_message(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * PIECES))
        writer.transport.set_write_buffer_limits(0)
        for _ in range(PIECES):
            writer.write(piece)
            sent += 1
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    passing = await start(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    doors = passing.gateway._doors

    def gateway_holds() -> bool:
        assert doors is not None
        return any(not door._writing for door in doors._open)

    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    async with asyncio.timeout(120):
        while not gateway_holds():
            await asyncio.sleep(0)
        assert sent < PIECES
        body = (await reader.readuntil(b"\r\n\r\n"), await reader.readexactly(len(piece) * PIECES))[1]
    assert body == piece * PIECES
    writer.close()
    server.close()


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"this is no request\r\n\r\n"])
async def test_what_is_no_request_of_http_is_answered_400_and_goes_nowhere(
    start: Start, endpoint: Endpoint, head: bytes
) -> None:
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(head)
    async with asyncio.timeout(30):
        assert (await reader.readline()).startswith(b"HTTP/1.0 400 ")
    assert endpoint.requests == []
    writer.close()


async def test_a_fault_that_is_armed_meets_connections_that_were_there_before(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [HELLO]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    marked = POST.replace(b"Host: h", b"Host: h\r\nX-Fallbackd-Drill: run-1")
    writer.write(marked)
    assert await read_message(reader) == HELLO
    passing.arm("unavailable")
    writer.write(marked)
    assert (await read_message(reader)).startswith(b"HTTP/1.1 503 ")
    passing.gateway.rules.release_all()
    writer.write(marked)
    assert await read_message(reader) == HELLO
    writer.close()


async def test_an_idle_connection_is_closed_at_a_stop(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [HELLO]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST)
    assert await read_message(reader) == HELLO
    await passing.gateway.stop()
    async with asyncio.timeout(30):
        assert await reader.read() == b""
    writer.close()


async def test_a_packed_answer_stays_packed(start: Start, endpoint: Endpoint) -> None:
    packed = gzip.compress(json.dumps({"model": MINI, "choices": []}).encode())
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(packed), packed)
    endpoint.answer = [raw]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    writer.write(POST.replace(b"Host: h", b"Host: h\r\nAccept-Encoding: gzip"))
    assert await read_message(reader) == raw
    assert b"Accept-Encoding: gzip" in endpoint.requests[0]
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\n\nGET /x HTTP/1.1\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_careful_way(head: bytes) -> None:
    assert read_request(head) is None


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_readers_of_heads(junk: bytes) -> None:
    for head in (junk + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + junk + b"\r\n\r\n"):
        found = read_request(head)
        assert found is None or found.length >= 0
    answer = read_answer_head(b"HTTP/1.1 200 OK\r\n" + junk + b"\r\n\r\n")
    assert answer is None or answer.status == 200


async def test_whatever_is_asked_for_passes(start: Start, endpoint: Endpoint) -> None:
    """No chain, no model, no body, no API that is known: it passes all the same, and is an outcome of no chain."""
    endpoint.answer = [HELLO]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.gateway)
    asked: list[tuple[bytes, bytes]] = [(b"GET", b"/v1/models"), (b"OPTIONS", b"/v1/x"), (b"DELETE", b"/any/thing?a=1"),
             (b"PATCH", b"/v1/responses/resp_1")]  # fmt: skip
    for method, path in asked:
        writer.write(b"%b %b HTTP/1.1\r\nHost: h\r\n\r\n" % (method, path))
        assert await read_message(reader) == HELLO
    seen: list[Any] = [request.split(b" ", 2)[:2] for request in endpoint.requests]
    assert seen == [
        [b"GET", b"/api/v1/models"], [b"OPTIONS", b"/api/v1/x"], [b"DELETE", b"/api/v1/any/thing?a=1"],
        [b"PATCH", b"/api/v1/responses/resp_1"],
    ]  # fmt: skip
    assert passing.outcomes == []
    writer.close()
