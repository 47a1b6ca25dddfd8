"""When the bytes of a reply arrived by the kernel's record, and not when this process came to look at them.

A process with fifty questions in flight looks late. What it adds to an endpoint's latency that way is its own queueing,
so the times are taken where the bytes are: the socket notes when a request went out and when what it reads came in,
and a reply's body is handed on from there, without waking a task for each piece.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import AddrInfoType, StreamReader
from aiohttp.client_proto import ResponseHandler

from monitor.phases import CURRENT, Phases

_TIMESTAMPS = 35 if sys.platform == "linux" else None
"""SO_TIMESTAMPNS (Linux, socket(7)): each read tells when the last of its bytes came in. Python has no name for it."""
_TIMESPEC = struct.Struct("@ll")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)
_OLDEST = 5.0
"""Seconds. The kernel's record is by the wall clock; bytes that seem to have lain here longer show that it was set."""

_MOST = 65536
"""Bytes of one read. asyncio asks for 256 KiB; room of that size may be mapped from the system and given back each
time, while most pieces of a stream have some 300 bytes."""

Take = Callable[[bytes, float | None], bool]
"""Takes a piece of a body and when it came (by ``time.perf_counter``; None: just now). True: no more is wanted."""


class StampedSocket(socket.socket):
    """Knows when it wrote and read, by ``time.perf_counter``.

    ``sent``: when the first bytes went out since it was last set to None. ``arrived``: when what was read last had
    come in; of several pieces that lay together it is the time of the last one.
    """

    sent: float | None = None
    arrived: float = 0.0

    def send(self, data: Any, flags: int = 0, /) -> int:
        if self.sent is None:
            self.sent = time.perf_counter()
        return super().send(data, flags)

    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        if self.sent is None:
            self.sent = time.perf_counter()
        return super().sendmsg(buffers, *rest)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data, notes, _, _ = self.recvmsg(min(_MOST, bufsize), _ROOM, flags)
        self.arrived = _arrival(notes)
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        room = memoryview(buffer)[:nbytes] if nbytes else buffer
        size, notes, _, _ = self.recvmsg_into([room], _ROOM, flags)
        self.arrived = _arrival(notes)
        return size


def stamped(address: AddrInfoType) -> StampedSocket:
    """A socket for a connection, as aiohttp's connector asks for one."""
    family, kind, protocol, _, _ = address
    made = StampedSocket(family, kind, protocol)
    if _TIMESTAMPS is not None:
        made.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
    _SOCKETS[made.fileno()] = made
    return made


_SOCKETS: WeakValueDictionary[int, StampedSocket] = WeakValueDictionary()


def _arrival(notes: list[tuple[int, int, bytes]]) -> float:
    now = time.perf_counter()
    for level, kind, data in notes:
        if level == socket.SOL_SOCKET and kind == _TIMESTAMPS:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            age = time.time() - seconds - nanoseconds * 1e-9
            return now - age if 0.0 < age < _OLDEST else now
    return now


class Arriving:
    """A reply as it comes in. ``sent``: when its request went out, None where a connection had to be made for it;
    ``head``: when its headers were there. Both by ``time.perf_counter``."""

    __slots__ = (
        "_content", "_end", "_error", "_looking", "_marks", "_over", "_passed", "_take", "_whole", "head", "sent",
    )  # fmt: skip

    def __init__(self, content: StreamReader, sent: float | None, head: float) -> None:
        self.sent = sent
        self.head = head
        self._content = content
        self._marks: list[tuple[int, float | None]] = []
        self._passed = 0
        self._take: Take | None = None
        self._looking = False
        self._whole = False
        self._over = False
        self._error: BaseException | None = None
        self._end: asyncio.Future[None] | None = None

    async def pour(self, take: Take) -> None:
        """Hand on the body, each piece as soon as it is there, until its end or until ``take`` wants no more.

        Raises what broke it, and what ``take`` raises.
        """
        for total, at in self._marks:
            if total > self._passed and not self._over:
                self._hand(take, self._content.read_nowait(total - self._passed), at)
        self._take = take
        self.look(None, None)
        if not self._over:
            self._end = asyncio.get_running_loop().create_future()
            await self._end
        if self._error is not None:
            raise self._error

    def look(self, at: float | None, lost: BaseException | None) -> None:
        """Something came in at ``at`` (None: just now), or (``lost``) the connection broke: hand it on."""
        take, content = self._take, self._content
        if self._over or self._looking:  # a read that makes room may bring in the next bytes before it returns
            return
        if take is None:
            self._marks.append((content.total_bytes, at))
        elif content.exception() is None:
            self._looking = True
            while not self._over and content.total_bytes > self._passed and (piece := content.read_nowait()):
                self._hand(take, piece, at)
            self._looking = False
            if self._over:
                return
        broken = None if self._whole else content.exception() or (self._why_lost(lost) if lost is not None else None)
        self._whole = self._whole or (broken is None and content.is_eof())
        if broken is not None:
            self._finish(broken)
        elif take is not None and self._whole:
            self._finish(None)

    def _why_lost(self, lost: BaseException) -> BaseException | None:
        """aiohttp takes a reset for the end of a body that has no length, and a malformed chunk wakes nobody."""
        if self._content.is_eof() and not isinstance(lost, OSError):
            return None
        self._content.set_exception(lost)
        return lost

    def _hand(self, take: Take, piece: bytes, at: float | None) -> None:
        self._passed += len(piece)
        try:
            if take(piece, at):
                self._finish(None)
        except Exception as error:  # noqa: BLE001 - it belongs to the task that waits for the end, not to the socket
            self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if self._over:
            return
        self._over, self._error = True, error
        if self._end is not None and not self._end.done():
            self._end.set_result(None)


class Exchange(Phases):
    """The phases of a request, and its reply once the headers are there."""

    __slots__ = ("reply",)

    def __init__(self) -> None:
        super().__init__()
        self.reply: Arriving | None = None


class Receiver(ResponseHandler):
    """aiohttp's end of a connection, which tells each reply what comes in and what breaks, at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._stamps: StampedSocket | None = None
        self._replies: deque[Arriving] = deque()
        self._current: Arriving | None = None
        self._fresh = True
        self._at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._stamps = _SOCKETS.get(transport.get_extra_info("socket").fileno())

    def set_response_params(self, **params: Any) -> None:
        """The next request goes out."""
        self._fresh = self._current is None
        if self._stamps is not None:
            self._stamps.sent = None
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if data:
            self._at = self._stamps.arrived if self._stamps is not None else time.perf_counter()
        super().data_received(data)
        if self._current is not None:
            self._current.look(self._at, self.exception())

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Headers are there: of the reply, or of a 1xx before it."""
        sent = None if self._fresh or self._stamps is None else self._stamps.sent
        self._current = Arriving(data[1], sent, self._at)
        self._replies.append(self._current)
        super().feed_data(data, size)

    async def read(self) -> Any:
        found = await super().read()
        reply, exchange = self._replies.popleft(), CURRENT.get()
        if isinstance(exchange, Exchange):
            exchange.reply = reply
        return found

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Called after each piece that is read, and nearly never was anything held back."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._broke()

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        super().set_exception(exc, *cause)
        self._broke()

    def _broke(self) -> None:
        if self._current is not None:
            self._current.look(None, self.exception())
