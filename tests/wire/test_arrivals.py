"""The time of a reply is that of its bytes, however late this process comes to look at them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.clock import SystemClock
from monitor.exchange import Ask, Fate, Reply
from monitor.transport import AioTransport
from monitor.wire import exchange

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TOKEN = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
LATE = 0.3
CLOCKS = 0.02
"""The kernel's record is by the wall clock, the assertions by another one."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Server:
    """Answers each request of one connection with a stream, from a thread of its own: it goes on while the loop is
    blocked. ``answered`` says that the whole answer is out, and ``at`` when."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.at = 0.0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            read = b""
            while piece := connection.recv(65536):
                read += piece
                if read.endswith(b"}"):
                    read = b""
                    connection.sendall(HEAD + chunk(TOKEN) + chunk(DONE) + chunk(b""))
                    self.at = time.perf_counter()
                    self.answered.set()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def question(url: str, **changes: Any) -> Ask:
    settings = {"method": "POST", "headers": {}, "body": {"model": "m"}, "stream": True, "deadline": 30.0}
    return Ask(url=url, **{**settings, **changes})


async def ask_with_a_blocked_loop(transport: AioTransport, server: Server) -> tuple[Reply, float]:
    """The reply, and how long it took until the server had written it."""
    server.answered.clear()

    def block() -> None:
        assert server.answered.wait(30)
        while time.perf_counter() < server.at + LATE:
            pass

    began = time.perf_counter()
    task = asyncio.create_task(exchange(transport, question(server.url), SystemClock()))
    while not transport_has_sent(transport):
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(block)
    reply = await task
    return reply, server.at - began


def transport_has_sent(transport: AioTransport) -> bool:
    """Whether a request is out: what remains to be waited for is the other end."""
    session = transport._session
    connector = session.connector if session is not None else None
    return any(getattr(one, "_stamps", None) and one._stamps.sent for one in (connector._acquired if connector else ()))


async def test_a_loop_that_is_late_does_not_make_the_endpoint_late(server: Server) -> None:
    transport = AioTransport()
    await exchange(transport, question(server.url), SystemClock())
    reply, true = await ask_with_a_blocked_loop(transport, server)
    assert (reply.fate, reply.done, len(reply.events)) == (Fate.ANSWERED, True, 1)
    assert reply.first_byte is not None
    assert reply.first_byte <= reply.events[0].at <= reply.duration
    assert reply.duration <= true + CLOCKS  # and not LATE more
    await transport.aclose()


async def test_the_connection_of_a_stream_that_ended_is_used_again(server: Server) -> None:
    transport = AioTransport()
    for _ in range(3):
        assert (await exchange(transport, question(server.url), SystemClock())).done
    assert server.connections == 1
    await transport.aclose()


async def test_without_the_kernels_record_the_time_is_that_of_the_read(server: Server, monkeypatch: Any) -> None:
    monkeypatch.setattr("monitor.arrivals._TIMESTAMPS", None)
    transport = AioTransport()
    reply = await exchange(transport, question(server.url), SystemClock())
    assert (reply.fate, reply.done) == (Fate.ANSWERED, True)
    assert reply.duration > 0
    await transport.aclose()
