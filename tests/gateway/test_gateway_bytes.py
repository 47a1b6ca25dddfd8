"""Byte for byte: whatever the pieces in which requests and answers come, their content and fields are the same."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.gateway import Gateway
from monitor.clock import SystemClock
from monitor.offering import Catalogue
from tests.gateway.conftest import KEY, Endpoint, config, read_message, rule, unframed

Fields = Sequence[tuple[bytes, bytes]]
ODD: Fields = ((b"X-Odd-cASE", b"\xc3\xa9"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"))
ASKED: Fields = ((b"Host", b"here"), (b"authorization", b"Bearer " + KEY.encode()), (b"X-ODD", b"\xff"))
OTHERS = frozenset(
    b"host connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect content-length "
    b"content-encoding".split()
)
"""What is not passed on as it is, or says how a message is framed."""

names = st.from_regex(rb"\A[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}\Z").filter(lambda name: name.lower() not in OTHERS)
values = st.from_regex(rb"\A([\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]{0,40}[\x21-\x7e\x80-\xff])?)?\Z")
fields_of_any_kind = st.lists(st.tuples(names, values), max_size=12)
ways = st.sampled_from(["plain", "careful"])
"""The careful way is taken by all while a fault is in place, also one that meets nobody."""

pieces = st.lists(st.binary(min_size=1, max_size=3000), max_size=8)
framings = st.sampled_from(["length", "chunked", "close"])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in the pieces that end at these places."""
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def answer_of(parts: list[bytes], framing: str, fields: Fields = ODD) -> bytes:
    head = b"HTTP/1.1 200 Very OK\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in fields)
    body = b"".join(parts)
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if framing == "chunked":
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(parts)
    return head + b"Connection: close\r\n\r\n" + body


def request_of(parts: list[bytes], framing: str, fields: Fields = ASKED) -> bytes:
    head = b"POST /v1/chat/completions?q=%7B HTTP/1.1\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in fields)
    body = b"".join(parts)
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(parts)


def split(message: bytes) -> tuple[list[bytes], bytes]:
    """The fields of a message, and its content without framing."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = head.split(b"\r\n")
    return fields, unframed(body) if b"Transfer-Encoding: chunked" in fields else body


def through_gateway(exchange: Callable[[Endpoint, Gateway], Awaitable[Any]], way: str = "plain") -> Any:
    async def run() -> Any:
        endpoint = Endpoint()
        server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
        made = config(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1")
        assert made.gateway is not None
        gateway = Gateway(made, made.gateway, told=lambda _: None, catalogue=lambda _: Catalogue(), clock=SystemClock())
        await gateway.start()
        if way == "careful":
            gateway.rules.arm(rule("reset", run="nobody"))
        try:
            async with asyncio.timeout(30):
                return await exchange(endpoint, gateway)
        finally:
            await gateway.stop()
            server.close()

    return asyncio.run(run())


async def ask(gateway: Gateway, request: list[bytes]) -> bytes:
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in request:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return await read_message(reader)
    finally:
        writer.close()


@settings(max_examples=80)
@given(
    parts=pieces, framing=framings, places=st.lists(st.integers(0, 26000), max_size=8), fields=fields_of_any_kind,
    way=ways,
)  # fmt: skip
def test_an_answer_arrives_as_it_was_sent(
    parts: list[bytes], framing: str, places: list[int], fields: Fields, way: str
) -> None:
    raw = answer_of(parts, framing, fields)

    async def exchange(endpoint: Endpoint, gateway: Gateway) -> bytes:
        endpoint.answer = [*cut(raw, places), *([None] if framing == "close" else [])]
        return await ask(gateway, [request_of([b"{}"], "length")])

    answer = through_gateway(exchange, way)
    if way == "plain":
        assert answer == raw
    lines, content = split(answer)
    assert lines[: len(fields) + 1] == [b"HTTP/1.1 200 Very OK", *(b"%b: %b" % pair for pair in fields)]
    assert content == b"".join(parts)


@settings(max_examples=80)
@given(
    parts=pieces, framing=st.sampled_from(["length", "chunked"]), fields=fields_of_any_kind, way=ways,
    places=st.lists(st.integers(0, 26000), max_size=8),
)  # fmt: skip
def test_a_request_arrives_as_it_was_sent(
    parts: list[bytes], framing: str, fields: Fields, way: str, places: list[int]
) -> None:
    raw = request_of(parts, framing, [*fields, *ASKED])

    async def exchange(endpoint: Endpoint, gateway: Gateway) -> bytes:
        endpoint.answer = [b"HTTP/1.1 204 Gone Well\r\n\r\n"]
        await ask(gateway, cut(raw, places))
        return endpoint.requests[0]

    arrived = through_gateway(exchange, way)
    lines, content = split(arrived)
    assert lines[0] == b"POST /api/v1/chat/completions?q=%7B HTTP/1.1"
    named = [line for line in lines[1:] if not line.startswith(b"Host: ")]
    assert named[: len(fields) + 2] == [b"%b: %b" % pair for pair in (*fields, *ASKED[1:])]
    assert lines[len(fields) + 1].startswith(b"Host: 127.0.0.1:")
    assert content == b"".join(parts)


@settings(max_examples=8)
@given(size=st.integers(256 * 1024 - 3, 256 * 1024 + 3), framing=st.sampled_from(["length", "chunked"]))
def test_a_large_request_arrives_whole(size: int, framing: str) -> None:
    body = bytes(range(256)) * (size // 256 + 1)

    async def exchange(endpoint: Endpoint, gateway: Gateway) -> bytes:
        endpoint.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
        assert split(await ask(gateway, [request_of([body[:size]], framing)]))[1] == b"ok"
        return endpoint.requests[0]

    assert split(through_gateway(exchange))[1] == body[:size]


def test_one_connection_serves_many_exchanges_of_every_kind() -> None:
    async def exchange(endpoint: Endpoint, gateway: Gateway) -> list[bytes]:
        host, _, port = gateway.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        seen = []
        for number in range(6):
            endpoint.answer = [answer_of([b"%d" % number], "length" if number % 2 else "chunked")]
            writer.write(request_of([b"{}"], "chunked" if number % 3 else "length"))
            seen.append(split(await read_message(reader))[1])
        writer.close()
        return seen

    assert through_gateway(exchange) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_the_answer_to_head_keeps_its_length_and_has_no_body() -> None:
    async def exchange(endpoint: Endpoint, gateway: Gateway) -> bytes:
        endpoint.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"]
        host, _, port = gateway.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HEAD /v1/models HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        try:
            return await reader.read()
        finally:
            writer.close()

    assert through_gateway(exchange) == b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nConnection: close\r\n\r\n"


def test_an_old_client_gets_an_answer_that_ends_with_the_connection() -> None:
    async def exchange(endpoint: Endpoint, gateway: Gateway) -> bytes:
        endpoint.answer = [answer_of([b"one", b"two"], "chunked")]
        host, _, port = gateway.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/models HTTP/1.0\r\nHost: h\r\n\r\n")
        try:
            return await reader.read()
        finally:
            writer.close()

    assert through_gateway(exchange).endswith(b"Connection: close\r\n\r\nonetwo")


def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    async def exchange(endpoint: Endpoint, gateway: Gateway) -> tuple[bytes, bytes]:
        endpoint.answer = [answer_of([b"done"], "length")]
        host, _, port = gateway.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /v1/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        told = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"abc")
        answer = await read_message(reader)
        writer.close()
        return told, answer

    told, answer = through_gateway(exchange)
    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.endswith(b"done")
