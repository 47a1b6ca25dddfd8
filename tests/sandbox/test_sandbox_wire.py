"""A sandbox that misbehaves on the wire, seen from a plain socket; and starting and stopping it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from chaos.sandbox import Sandbox
from monitor.errors import StartError
from tests.fakes.clock import FakeClock

from .conftest import LLAMA

pytestmark = pytest.mark.anyio


class Wire:
    """One connection that says what came over it: the bytes, and how it ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def ask(self, path: str, body: Any = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{'GET' if body is None else 'POST'} /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
        self.writer.write(head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data)

    async def rest(self) -> tuple[bytes, str]:
        """Everything until the end, and ``closed`` or ``reset``."""
        seen = b""
        try:
            while chunk := await self.reader.read(65536):
                seen += chunk
        except ConnectionResetError:
            return seen, "reset"
        return seen, "closed"

    async def until(self, mark: bytes) -> bytes:
        return await self.reader.readuntil(mark)


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[Wire]:
    port = urlsplit(sandbox.control_url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Wire(reader, writer)
    writer.transport.abort()


def completion(**body: Any) -> dict[str, Any]:
    prompt = "Tell me a story"
    return {"model": LLAMA, "messages": [{"role": "user", "content": prompt}], "max_tokens": 64, **body}


@pytest.mark.parametrize(("fault", "end"), [("refused", "closed"), ("dns", "closed"), ("reset", "reset")])
async def test_a_refusing_front_door_ends_the_connection_without_a_byte(
    sandbox: Sandbox, wire: Wire, fault: str, end: str
) -> None:
    sandbox.break_("*", None, fault)
    wire.ask("/models")
    assert await wire.rest() == (b"", end)


RAW: dict[str, tuple[bytes, bytes]] = {
    "html": (b"200 OK", b"<!DOCTYPE html>"),
    "empty": (b"200 OK", b""),
    "unavailable": (b"503 Service Unavailable", b'{"error": {"code": 503'),
    "unauthorized": (b"401 Unauthorized", b'{"error": {"code": 401'),
    "error_in_200": (b"200 OK", b'{"error": {"code": 502'),
    "malformed": (b"200 OK", b'{"data": [{"id"'),
}


@pytest.mark.parametrize(("fault", "expected"), RAW.items(), ids=RAW)
async def test_a_front_door_answers_something_else(
    sandbox: Sandbox, wire: Wire, fault: str, expected: tuple[bytes, bytes]
) -> None:
    sandbox.break_("*", None, fault)
    wire.ask("/models")
    head = await wire.until(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await wire.reader.readexactly(length)
    assert head.startswith(b"HTTP/1.1 " + expected[0])
    assert body.startswith(expected[1])
    assert (body == b"") is (fault == "empty")
    if fault == "malformed":
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            json.loads(body)


@pytest.mark.parametrize("path", ["/models", "/chat/completions"])
async def test_a_front_door_cuts_a_plain_answer_in_the_middle(sandbox: Sandbox, wire: Wire, path: str) -> None:
    sandbox.break_("*", None, "cut")
    wire.ask(path, completion() if path == "/chat/completions" else None)
    seen, end = await wire.rest()
    head, _, body = seen.partition(b"\r\n\r\n")
    assert end == "closed"
    assert head.startswith(b"HTTP/1.1 200")
    assert 0 < len(body) < int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])


async def test_a_front_door_holds_a_plain_answer_back(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.break_("*", None, "stall")
    wire.ask("/providers")
    head = await wire.until(b"\r\n\r\n")
    length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    await wire.reader.readexactly(length // 2)
    more = asyncio.create_task(wire.reader.read(1))
    await asyncio.wait({more}, timeout=0.2)
    assert not more.done(), "neither another byte nor the end"
    more.cancel()


async def test_a_provider_cuts_its_stream(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.break_(LLAMA, None, "cut", {"after": 2})
    wire.ask("/chat/completions", completion(stream=True))
    seen, end = await wire.rest()
    assert end == "closed"
    assert seen.count(b"data: ") == 2
    assert b"[DONE]" not in seen
    assert not seen.endswith(b"0\r\n\r\n"), "the last chunk of the transfer is missing"


async def test_a_fault_due_after_more_events_than_there_are_comes_before_the_end(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.break_(LLAMA, None, "cut", {"after": 1000})
    wire.ask("/chat/completions", completion(stream=True))
    seen, _ = await wire.rest()
    assert seen.count(b"data: ") > 10
    assert b'"finish_reason":"stop"' not in seen


async def test_a_provider_sends_an_event_that_is_no_json(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.break_(LLAMA, None, "malformed", {"after": 2})
    wire.ask("/chat/completions", completion(stream=True))
    seen = await wire.until(b"[DONE]")
    events = [line[6:] for line in seen.split(b"\n") if line.startswith(b"data: {")]
    broken = [number for number, event in enumerate(events) if not event.endswith(b"}")]
    assert broken == [2]


async def test_the_front_door_breaks_a_stream_as_well(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.break_("*", None, "cut", {"after": 3})
    wire.ask("/chat/completions", completion(stream=True))
    seen, _ = await wire.rest()
    assert seen.count(b"data: ") == 3


async def test_a_stalled_stream_looks_alive() -> None:
    clock = FakeClock()
    sandbox = Sandbox(seed=1, clock=clock)
    await sandbox.start()
    sandbox.break_(LLAMA, None, "stall", {"after": 1})
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sandbox.control_url).port)
    wire = Wire(reader, writer)
    wire.ask("/chat/completions", completion(stream=True))
    seen = b""
    while seen.count(b": OPENROUTER PROCESSING") < 5:
        reading = asyncio.create_task(reader.read(65536))
        while not reading.done():
            if clock.next_wake is not None:
                clock.advance(1.0)
            await asyncio.sleep(0)
        seen += reading.result()
    assert seen.count(b"data: ") == 1
    writer.transport.abort()
    await sandbox.stop()


async def test_waiting_is_done_on_the_clock_that_was_handed_in() -> None:
    clock = FakeClock()
    sandbox = Sandbox(seed=1, clock=clock)
    await sandbox.start()
    sandbox.break_(LLAMA, None, "delay", {"seconds": 100}, seconds=50)
    assert len(sandbox.breaks) == 1
    clock.advance(50)
    assert sandbox.breaks == ()
    await sandbox.stop()


async def test_an_address_that_is_taken_is_one_sentence(sandbox: Sandbox) -> None:
    port = urlsplit(sandbox.control_url).port or 0
    with pytest.raises(StartError) as raised:
        await Sandbox().start("127.0.0.1", port)
    assert str(raised.value).startswith(f"the sandbox cannot listen on 127.0.0.1:{port}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("no.such.host.invalid", 0)])
async def test_an_address_that_cannot_be_is_one_sentence(host: str, port: int) -> None:
    with pytest.raises(StartError, match=f"cannot listen on {host}:{port}: "):
        await Sandbox().start(host, port)


@pytest.mark.parametrize("fault", ["silent", "stall"])
async def test_stopping_is_prompt_with_requests_in_flight_and_safe_to_repeat(fault: str) -> None:
    sandbox = Sandbox(seed=1)
    await sandbox.start()
    sandbox.break_(LLAMA, None, fault)
    port = urlsplit(sandbox.control_url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    Wire(reader, writer).ask("/chat/completions", completion(stream=True))
    while not sandbox.requests:
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await sandbox.stop()
        await sandbox.stop()
    writer.transport.abort()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_caller_who_leaves_ends_its_call() -> None:
    sandbox = Sandbox(seed=1, generation_delay=0)
    await sandbox.start()
    sandbox.break_(LLAMA, None, "stall")
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sandbox.control_url).port)
    wire = Wire(reader, writer)
    wire.ask("/chat/completions", completion(stream=True))
    seen = await wire.until(b"data: ")
    writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    async with asyncio.timeout(5):
        while not sandbox.requests[0].get("answered"):
            await asyncio.sleep(0.01)
    assert sandbox.requests[0]["answered"]["attempts"][0]["status"] == 200
    async with aiohttp.ClientSession() as session:
        url, key = f"{sandbox.control_url}/api/v1/generation", {"Authorization": "Bearer k"}
        id_ = re.findall(rb"gen-[0-9a-f-]+", seen)[0].decode()
        async with session.get(url, params={"id": id_}, headers=key) as reply:
            record = (await reply.json())["data"]
    assert (record["cancelled"], record["total_cost"]) == (True, 0)
    writer.transport.abort()
    await sandbox.stop()


async def test_a_caller_who_leaves_before_an_answer_is_remembered_as_unanswered() -> None:
    sandbox = Sandbox(seed=1)
    await sandbox.start()
    sandbox.break_(LLAMA, None, "silent")
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sandbox.control_url).port)
    Wire(reader, writer).ask("/chat/completions", completion())
    async with asyncio.timeout(5):
        while not sandbox.requests or sandbox.requests[0]["body"] is None:
            await asyncio.sleep(0.01)
        writer.transport.abort()
        while "answered" not in sandbox.requests[0]:
            await asyncio.sleep(0.01)
    assert sandbox.requests[0]["answered"] == {"status": None}
    await sandbox.stop()
