"""The client's side of the plain way. Whatever is not plain is handed over, connection and all, to the careful way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from chaos.gateway.breaking import reset_connection
from chaos.gateway.heads import Address, request_head
from chaos.gateway.line import Lines
from chaos.gateway.parsing import RequestHead, read_request
from chaos.gateway.passage import HEAD_LIMIT, Passage
from chaos.gateway.record import Record
from chaos.gateway.relay import SMALL

MOST_HELD = 64 * 1024
"""Bytes of further requests that a client may send before the answer to its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """What all doors share. ``careful`` says whether requests need more care just now; ``other`` makes the protocol
    of the careful way; ``seen`` gets the record of each exchange."""

    lines: Lines
    address: Address
    host: bytes
    now: Callable[[], float]
    time: Callable[[], float]
    careful: Callable[[], bool]
    other: Callable[[], asyncio.Protocol]
    seen: Callable[[Record], None]


class Doors:
    """The connections of clients on the plain way."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.closing = False
        self._open: set[Door] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __call__(self) -> Door:
        return Door(self)

    def opened(self, door: Door) -> None:
        self._open.add(door)
        self._empty.clear()

    def closed(self, door: Door) -> None:
        self._open.discard(door)
        if not self._open:
            self._empty.set()

    async def close(self, grace: float) -> None:
        """Exchanges in flight get ``grace`` seconds to end."""
        self.closing = True
        for door in list(self._open):
            door.close_idle()
        try:
            async with asyncio.timeout(grace):
                await self._empty.wait()
        except TimeoutError:
            for door in list(self._open):
                door.abort()


class Door(asyncio.Protocol):
    """One client's connection: one exchange at a time, in the order in which they are asked for."""

    __slots__ = ("_doors", "_hall", "_head", "_held", "_passage", "_reading", "_size", "_transport", "_writing")

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._hall = doors.hall
        self._held = b""
        self._head: RequestHead | None = None
        self._size = 0
        self._passage: Passage | None = None
        self._reading = self._writing = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        own = transport.get_extra_info("socket")
        if own is not None:  # a client that vanished without a word is found out some day
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._doors.opened(self)

    def data_received(self, data: bytes) -> None:
        self._held = self._held + data if self._held else data
        if self._passage is None:
            self._next()
        elif len(self._held) > MOST_HELD and self._reading:
            self._reading = False
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's interface
        self._doors.closed(self)
        passage, self._passage = self._passage, None
        if passage is not None:
            passage.abandon()
            self._hall.seen(passage.record)

    def pause_writing(self) -> None:
        self._writing = False
        if self._passage is not None and self._passage.line is not None:
            self._passage.line.pause()

    def resume_writing(self) -> None:
        self._writing = True
        if self._passage is None:
            self._next()
        elif self._passage.line is not None:
            self._passage.line.resume()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def done(self, *, lives_on: bool, broken: bool = False) -> None:
        """The exchange is over. ``broken``: only a reset tells the client that its answer has not ended well."""
        passage, self._passage = self._passage, None
        if passage is not None:
            self._hall.seen(passage.record)
        if broken:
            reset_connection(self._transport)
        elif not lives_on or self._doors.closing:
            self._transport.close()
        else:
            if not self._reading:
                self._reading = True
                self._transport.resume_reading()
            self._next()

    def close_idle(self) -> None:
        if self._passage is None:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _next(self) -> None:
        """Begin the next exchange once its request is whole; a client that does not take its answer gets no other."""
        held = self._held
        if not held or not self._writing:
            return
        if self._head is None:
            end = held.find(b"\r\n\r\n") + 4
            if end == 3:
                if len(held) > HEAD_LIMIT:
                    self._hand_over()
                return
            head = read_request(held[:end])
            if head is None or head.length > SMALL:
                self._hand_over()
                return
            self._head, self._size = head, end + head.length
        if len(held) < self._size:
            return
        if self._hall.careful():
            self._hand_over()
            return
        head, self._head = self._head, None
        body, self._held = held[self._size - head.length : self._size], held[self._size :]
        self._begin(head, body)

    def _begin(self, head: RequestHead, body: bytes) -> None:
        hall = self._hall
        asked = head.target.decode("ascii")
        record = Record(at=hall.now(), started=hall.time(), path=asked)
        record.whole = record.started
        if head.own is not None:
            named = head.own.get(b"x-fallbackd-chain")
            record.chain = None if named is None else named.decode("latin-1")
            record.marked = b"x-fallbackd-drill" in head.own
        if body:
            record.asked.take(body, record.started)
        target = hall.address.target(asked).encode("ascii")
        request = request_head(head.method, target, head.headers, hall.host, chunked=False)
        passage = self._passage = Passage(self, record, hall.time, lives_on=head.lives_on)
        hall.lines.carry(passage, request + body)

    def _hand_over(self) -> None:
        """The careful way gets the connection, with all that has come on it and was not answered yet."""
        self._doors.closed(self)
        held, self._held = self._held, b""
        other = self._hall.other()
        self._transport.set_protocol(other)
        other.connection_made(self._transport)
        if not self._writing:
            other.pause_writing()
        other.data_received(held)
