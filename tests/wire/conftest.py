"""A server on a real socket that does what it is told, step by step, and nothing that HTTP asks for."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest

RESET = "reset"
HOLD = "hold"
"""Keep the connection open and silent until the test ends."""
DRIP = "drip"
"""Send comment lines for ever."""

Step = bytes | float | str
"""Bytes to send, seconds to wait, or one of the words above."""


@dataclass
class Rogue:
    """``requests``: what arrived, head and body. ``connections`` counts them."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


Serve = Callable[[Sequence[Step]], Awaitable[Rogue]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers that answer each request with the steps, and then close the connection."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(steps: Sequence[Step]) -> Rogue:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(_answer(rogue, steps, reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        rogue = Rogue(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions")
        return rogue

    yield start
    for task in tuple(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        server.close()
        await server.wait_closed()


async def _answer(
    rogue: Rogue, steps: Sequence[Step], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    rogue.connections += 1
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if b"content-length:" in line), 0)
            rogue.requests.append(head + await reader.readexactly(length))
            for step in steps:
                await _take(step, writer)
            if not steps or steps[-1] != "again":
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _take(step: Step, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, bytes):
        writer.write(step)
        await writer.drain()
    elif isinstance(step, float):
        await asyncio.sleep(step)
    elif step == RESET:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    elif step == HOLD:
        await asyncio.Event().wait()
    elif step == DRIP:
        while True:
            await _take(b": OPENROUTER PROCESSING\n\n", writer)
            await asyncio.sleep(0.01)
