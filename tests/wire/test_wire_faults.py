"""What breaks on a real socket, and the fate that it is."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.errors import StartError
from monitor.exchange import Ask, Fate, Reply
from monitor.transport import AioTransport
from monitor.wire import MAX_BYTES, MAX_EVENTS, exchange

pytestmark = pytest.mark.anyio

KEY = "sk-or-v1-0123456789abcdef"
OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"Content-Type: application/json\r\n"
GZIP = JSON + b"Content-Encoding: gzip\r\n"
SSE = OK + b"Content-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
TOKEN = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'
ROLE = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
WAIT = 0.02


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def ask(url: str, *, stream: bool = False, deadline: float = 5.0, first_token: float | None = None) -> Ask:
    return Ask(
        method="POST",
        url=url,
        headers={"Authorization": f"Bearer {KEY}"},
        body={"model": "m", "messages": []},
        stream=stream,
        deadline=deadline,
        first_token=first_token,
    )


@pytest.fixture
async def transport() -> AsyncIterator[AioTransport]:
    transport = AioTransport()
    yield transport
    await transport.aclose()


def late(**changes: Any) -> dict[str, Any]:
    return {"deadline": 0.2, **changes}


STREAM = {"stream": True}
SOON = late(stream=True, first_token=0.1)
NO_TOKEN = Fate.FIRST_TOKEN_TIMEOUT

FAULTS: dict[str, tuple[Sequence[bytes | float | str], dict[str, Any], Fate, int | None]] = {
    "closed without a byte": ([], {}, Fate.RESET, None),
    "reset before a byte": (["reset"], {}, Fate.RESET, None),
    "closed within the status line": ([b"HTTP/1.1 20"], {}, Fate.RESET, None),
    "closed within the headers": ([OK + b"Content-Ty"], {}, Fate.RESET, None),
    "a body shorter than its length": ([JSON + b"Content-Length: 50\r\n\r\n{", WAIT], {}, Fate.CUT, 200),
    "a body shorter than its chunk": ([JSON + CHUNKED + b"ff\r\n{", WAIT], {}, Fate.CUT, 200),
    "a body without its last chunk": ([JSON + CHUNKED + chunk(b"{}"), WAIT], {}, Fate.CUT, 200),
    "reset within a body with a length": ([JSON + b"Content-Length: 50\r\n\r\n{", WAIT, "reset"], {}, Fate.CUT, 200),
    "reset within a chunked body": ([JSON + CHUNKED + chunk(b"{"), WAIT, "reset"], {}, Fate.CUT, 200),
    "reset within a body without a length": ([JSON + b"\r\n{", WAIT, "reset"], {}, Fate.CUT, 200),
    "reset within a stream": ([SSE + CHUNKED + chunk(TOKEN), WAIT, "reset"], STREAM, Fate.CUT, 200),
    "a stream closed within a chunk": ([SSE + CHUNKED + b"ff\r\n" + TOKEN, WAIT], STREAM, Fate.CUT, 200),
    "a bad chunk size at once": ([JSON + CHUNKED + chunk(b"{") + b"ZZ\r\n", "hold"], {}, Fate.PROTOCOL, None),
    "a bad chunk size later": ([JSON + CHUNKED + chunk(b"{"), WAIT, b"ZZ\r\n", "hold"], {}, Fate.PROTOCOL, 200),
    "a bad chunk size in a stream": (
        [SSE + CHUNKED + chunk(TOKEN), WAIT, b"-1\r\n", "hold"], STREAM, Fate.PROTOCOL, 200,
    ),
    "a garbage status line": ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "hold"], {}, Fate.PROTOCOL, None),
    "garbage bytes": ([bytes(range(256)), "hold"], {}, Fate.PROTOCOL, None),
    "a garbage header": ([OK + b"foo bar baz\r\n\r\n", "hold"], {}, Fate.PROTOCOL, None),
    "two lengths": ([OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "hold"], {}, Fate.PROTOCOL, None),
    "endless headers": ([OK + b"X: y\r\n" * 20_000, "hold"], {}, Fate.PROTOCOL, None),
    "no gzip where gzip is announced": (
        [GZIP + b"Content-Length: 2\r\n\r\n{}"], {}, Fate.PROTOCOL, 200,
    ),
    "gzip that ends early": (
        [GZIP + b"Content-Length: 12\r\n\r\n" + gzip.compress(b"{}" * 99)[:12]], {}, Fate.CUT, 200,
    ),
    "silence": (["hold"], late(), Fate.TIMEOUT, None),
    "silence after 1xx": ([b"HTTP/1.1 102 Processing\r\n\r\n", "hold"], late(), Fate.TIMEOUT, None),
    "headers and silence": ([JSON + b"Content-Length: 9\r\n\r\n", "hold"], late(), Fate.TIMEOUT, 200),
    "headers and blanks": ([JSON + b"Content-Length: 9\r\n\r\n \n \n", "hold"], late(), Fate.TIMEOUT, 200),
    "half a body and silence": ([JSON + b'Content-Length: 9\r\n\r\n{"a', "hold"], late(), Fate.STALLED, 200),
    "a stream that stalls": ([SSE + CHUNKED + chunk(TOKEN), "hold"], late(stream=True), Fate.STALLED, 200),
    "a stream that only drips comments": ([SSE + b"\r\n", "drip"], SOON, NO_TOKEN, 200),
    "comments until the last deadline": ([SSE + b"\r\n", "drip"], late(stream=True), NO_TOKEN, 200),
    "comments after a token": ([SSE + b"\r\n" + TOKEN, "drip"], SOON, Fate.STALLED, 200),
    "a role and no token": ([SSE + b"\r\n" + ROLE, "hold"], SOON, NO_TOKEN, 200),
    "a stream without headers": (["hold"], SOON, NO_TOKEN, None),
    "a stream without headers or first-token deadline": (["hold"], late(stream=True), Fate.TIMEOUT, None),
    "a huge body": ([JSON + b"\r\n", b"x" * (MAX_BYTES + 1), "hold"], {}, Fate.TOO_LARGE, 200),
    "a huge stream": ([SSE + b"\r\n", b"data: " + b"x" * MAX_BYTES, "hold"], STREAM, Fate.TOO_LARGE, 200),
    "too many events": ([SSE + b"\r\n", b"data\n\n" * (MAX_EVENTS + 1), "hold"], STREAM, Fate.TOO_LARGE, 200),
    "a gzip bomb": (
        [GZIP + b"\r\n", gzip.compress(bytes(50 * MAX_BYTES)), "hold"], {}, Fate.TOO_LARGE, 200,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "how", "fate", "status"), FAULTS.values(), ids=FAULTS)
async def test_a_fault_on_the_wire_is_its_fate(serve, transport, steps, how, fate, status) -> None:
    rogue = await serve(steps)
    reply = await exchange(transport, ask(rogue.url, **how), SystemClock())
    assert (reply.fate, reply.status) == (fate, status), reply
    assert reply.detail
    assert len(reply.detail) <= 200
    assert KEY not in reply.detail
    assert len(reply.body) <= MAX_BYTES
    assert len(reply.events) <= MAX_EVENTS + 1


async def test_nobody_listens(transport) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    reply = await exchange(transport, ask(f"http://127.0.0.1:{port}/"), SystemClock())
    assert (reply.fate, reply.detail) == (Fate.REFUSED, "127.0.0.1 refused the connection")


async def test_a_name_that_does_not_exist(transport) -> None:
    reply = await exchange(transport, ask("http://no-such-host.invalid/"), SystemClock())
    assert reply.fate is Fate.DNS
    assert reply.detail.startswith("no-such-host.invalid cannot be resolved")


@pytest.mark.parametrize("reaction", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["speaks http", "closes"])
async def test_a_port_that_speaks_no_tls(transport, reaction: bytes) -> None:
    async def react(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reaction)
        writer.close()

    server = await asyncio.start_server(react, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reply = await exchange(transport, ask(f"https://127.0.0.1:{port}/"), SystemClock())
    assert reply.fate is Fate.TLS
    assert reply.detail.startswith("no TLS with 127.0.0.1: ")
    server.close()


async def test_a_peer_that_never_shakes_hands(transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        reply = await exchange(transport, ask(url, deadline=2.0), SystemClock())  # of which a tenth is ours to notice
    assert (reply.fate, reply.detail) == (Fate.CONNECT_TIMEOUT, "the TLS handshake with 127.0.0.1 took too long")


async def test_an_address_that_has_no_route(transport) -> None:
    reply = await exchange(transport, ask("http://255.255.255.255:1/"), SystemClock())
    assert reply.fate is Fate.UNREACHABLE


@pytest.mark.parametrize("url", ["htps://x/", "http://", "nonsense", "http://a" + "b" * 70 + ".test/", "http://[::1/"])
async def test_a_url_that_cannot_be_used_is_our_mistake(transport, url: str) -> None:
    reply = await exchange(transport, ask(url), SystemClock())
    assert reply.fate is Fate.OURS
    assert reply.detail


async def test_a_key_that_is_no_header_is_our_mistake_and_stays_secret(serve, transport) -> None:
    broken = replace(ask((await serve([])).url), headers={"Authorization": f"Bearer {KEY}\n"})
    reply = await exchange(transport, broken, SystemClock())
    assert reply.fate is Fate.OURS
    assert KEY not in reply.detail


async def test_a_body_that_is_no_json_is_our_mistake(transport) -> None:
    broken = replace(ask("http://127.0.0.1:1/"), body={"model": object()})
    assert (await exchange(transport, broken, SystemClock())).fate is Fate.OURS


async def test_a_closed_transport_is_our_mistake(transport) -> None:
    await transport.aclose()
    reply = await exchange(transport, ask("http://127.0.0.1:1/"), SystemClock())
    assert (reply.fate, reply.detail.split()[0]) == (Fate.OURS, "RuntimeError")


async def test_no_connection_of_our_own_is_our_fault(serve) -> None:
    rogue = await serve(["hold"])
    transport = AioTransport(limit=1)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        first = asyncio.create_task(client.get(rogue.url, timeout=None))
        while not rogue.requests:
            await asyncio.sleep(0)
        with pytest.raises(httpx.PoolTimeout, match="of our own"):
            await client.get(rogue.url, timeout=httpx.Timeout(None, connect=0.05, pool=0.05))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_waiting_for_a_connection_of_our_own_is_not_charged_to_the_endpoint(serve) -> None:
    rogue = await serve([0.2, JSON + b"Content-Length: 2\r\n\r\n{}", "again"])
    transport = AioTransport(limit=1)
    replies = await asyncio.gather(*(exchange(transport, ask(rogue.url), SystemClock()) for _ in range(3)))
    assert [reply.fate for reply in replies] == [Fate.ANSWERED] * 3
    assert max(reply.duration for reply in replies) < 0.35
    await transport.aclose()


async def test_cancellation_gets_through_and_closes_the_connection(serve, transport) -> None:
    rogue = await serve([SSE + b"\r\n" + TOKEN, "drip"])
    task = asyncio.create_task(exchange(transport, ask(rogue.url, stream=True), SystemClock()))
    while not rogue.requests:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_unreadable_ca_file_stops_the_start(tmp_path) -> None:
    missing = tmp_path / "ca.pem"
    with pytest.raises(StartError, match=r"ca\.pem"):
        AioTransport(ca_file=str(missing))
    missing.write_text("no certificate")
    with pytest.raises(StartError, match=r"ca\.pem"):
        AioTransport(ca_file=str(missing))


class Clockwork:
    """A clock that jumps by a step at every look."""

    def __init__(self, step: float) -> None:
        self._step, self._now = step, 0.0

    def now(self) -> float:
        return self.monotonic()

    def monotonic(self) -> float:
        self._now += self._step
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds


async def test_a_deadline_holds_by_the_clock_that_was_handed_in(serve, transport) -> None:
    rogue = await serve([SSE + b"\r\n" + TOKEN, "hold"])
    reply = await exchange(transport, ask(rogue.url, stream=True, deadline=100.0), Clockwork(40.0))
    assert reply.fate in {Fate.STALLED, Fate.TIMEOUT, Fate.FIRST_TOKEN_TIMEOUT}


class Broken(httpx.AsyncBaseTransport):
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self._error


@pytest.mark.parametrize(
    "error", [ValueError(KEY), RuntimeError(), TimeoutError(), ExceptionGroup("g", [KeyError("x")]), OSError(5, KEY)]
)
async def test_an_exception_of_no_kind_is_our_mistake(error: Exception) -> None:
    reply = await exchange(Broken(error), ask("http://x/"), SystemClock())
    assert reply.fate is Fate.OURS
    assert reply.detail.startswith(type(error).__name__)
    assert KEY not in reply.detail


async def test_a_text_that_quotes_a_header_is_masked_and_made_one_short_line() -> None:
    error = httpx.ReadError(f"bad\n  header: Bearer {KEY}, {KEY} {'x' * 1000}")
    reply = await exchange(Broken(error), ask("http://x/"), SystemClock())
    assert reply.fate is Fate.RESET
    assert reply.detail.startswith("bad header: ")
    assert KEY not in reply.detail
    assert len(reply.detail) == 200


PREFIXES = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        JSON + b"\r\n",
        JSON + CHUNKED,
        SSE + b"\r\n",
        SSE + CHUNKED,
        SSE + b"Content-Encoding: gzip\r\n\r\n",
    ]
)
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=64), st.sampled_from([TOKEN, b"data: ", b"\r\n\r\n", b"[DONE]", b"5\r\n", b"\xff\xfe"])
    ),
    max_size=8,
)


@given(prefix=PREFIXES, pieces=PIECES, stream=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_whatever_end_as_a_reply(prefix: bytes, pieces: list[bytes], stream: bool) -> None:
    async def ask_a_server_that_sends_them() -> Reply:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(prefix + b"".join(pieces))
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        transport = AioTransport()
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            return await exchange(transport, replace(ask(url, stream=stream, deadline=30.0), body=None), SystemClock())
        finally:
            await transport.aclose()
            server.close()
            await server.wait_closed()

    reply = asyncio.run(ask_a_server_that_sends_them())
    assert reply.fate is not Fate.OURS, reply.detail
    assert reply.duration < 30.0
