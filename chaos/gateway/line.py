"""Connections to the endpoint for the plain way: each serves one exchange after the other."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from typing import TYPE_CHECKING, cast

import aiohappyeyeballs
from yarl import URL

if TYPE_CHECKING:
    from chaos.gateway.passage import Passage

CONNECT_TIMEOUT = 10.0
KEEP_IDLE = 15.0
"""Seconds that a connection may idle: less than any endpoint allows, so that none is closed under a new request."""
HEAD_START = 0.25
"""Seconds after which the next address of the endpoint's host is tried as well (RFC 8305)."""


class Line(asyncio.Protocol):
    """One connection. What comes while it carries no exchange makes it useless."""

    __slots__ = ("_lines", "_passage", "_transport", "since")

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._passage: Passage | None = None
        self._transport: asyncio.Transport | None = None
        self.since = 0.0
        """When it became idle, by the loop's clock."""

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def carry(self, passage: Passage, request: bytes) -> None:
        """Send a request; its answer goes to the passage, piece by piece."""
        if self._transport is None:
            passage.ended(None)
            return
        self._passage = passage
        passage.line = self
        self._transport.write(request)
        passage.record.sent = self._lines.time()

    def let_go(self, *, whole: bool) -> None:
        """The exchange is over. ``whole``: nothing of its answer is still to come, and the endpoint goes on."""
        self._passage = None
        if whole and self.usable:
            self.resume()
            self._lines.keep(self)
        else:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """The client does not keep up."""
        if self.usable and self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self.usable and self._transport is not None:
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._passage is not None:
            self._passage.came(data)
        else:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lines.forget(self)
        passage, self._passage = self._passage, None
        if passage is not None:
            passage.ended(exc)


class Lines:
    """Opens connections to one endpoint and keeps the idle ones. ``time`` is the loop's clock."""

    def __init__(self, url: URL, trust: ssl.SSLContext, loop: asyncio.AbstractEventLoop) -> None:
        self._host = url.raw_host or ""
        self._port = url.port or 443
        self._trust = trust if url.scheme == "https" else None
        self._loop = loop
        self.time = loop.time
        self._idle: deque[Line] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None

    def carry(self, passage: Passage, request: bytes) -> None:
        """Send a request on an idle connection, at once, or on a new one."""
        while self._idle:
            line = self._idle.pop()
            if line.usable:
                line.carry(passage, request)
                return
        task = self._loop.create_task(self._open(passage, request))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def keep(self, line: Line) -> None:
        line.since = self._loop.time()
        self._idle.append(line)
        if self._sweep is None:
            self._sweep = self._loop.call_later(KEEP_IDLE, self._close_old)

    def forget(self, line: Line) -> None:
        """The connection is gone."""
        if line in self._idle:
            self._idle.remove(line)

    async def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # the loop closes them at its next turn

    async def _open(self, passage: Passage, request: bytes) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                line = await self._connect()
        except (OSError, TimeoutError) as error:
            passage.ended(error)
            return
        if passage.over:  # the client has left meanwhile
            self.keep(line)
        else:
            line.carry(passage, request)

    async def _connect(self) -> Line:
        found = await self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        own = await aiohappyeyeballs.start_connection(found, happy_eyeballs_delay=HEAD_START, loop=self._loop)
        name = self._host if self._trust is not None else None
        _, line = await self._loop.create_connection(
            lambda: Line(self), sock=own, ssl=self._trust, server_hostname=name
        )
        return line

    def _close_old(self) -> None:
        """The longest idle ones are at the left."""
        self._sweep = None
        before = self._loop.time() - KEEP_IDLE
        while self._idle and self._idle[0].since <= before:
            self._idle.popleft().close()
        if self._idle:
            wait = max(self._idle[0].since - before, 1.0)
            self._sweep = self._loop.call_later(wait, self._close_old)
