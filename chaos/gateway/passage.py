"""The plain way of one exchange: a whole request to the endpoint, and each piece of the answer back as it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
from httptools import HttpParserError

from chaos.gateway.heads import answer_head, own_answer
from chaos.gateway.parsing import AnswerHead, Chunks, read_answer_head
from chaos.gateway.record import End, Record

if TYPE_CHECKING:
    from chaos.gateway.door import Door
    from chaos.gateway.line import Line

HEAD_LIMIT = 65536


class Passage:
    """Called back by both sides, in whatever order they come; after ``over`` nothing more happens.

    An answer keeps its framing: the chunks of a chunked one are the endpoint's own.
    """

    __slots__ = (
        "_chunks",
        "_door",
        "_head",
        "_left",
        "_lives_on",
        "_reusable",
        "_started",
        "_time",
        "line",
        "over",
        "record",
    )

    def __init__(self, door: Door, record: Record, time: Callable[[], float], *, lives_on: bool) -> None:
        self.record = record
        self.line: Line | None = None
        self.over = False
        self._door = door
        self._time = time
        self._lives_on = lives_on
        self._reusable = False
        self._started = False
        self._head = b""
        self._left: int | None = None
        self._chunks: Chunks | None = None

    def came(self, data: bytes) -> None:
        """A piece of the answer."""
        if self._started:
            self._pass(b"", data, self._time())
        else:
            self._begin(self._head + data if self._head else data, self._time())

    def ended(self, error: Exception | None) -> None:
        """The connection to the endpoint is gone, or there never was one."""
        if self.over:
            return
        self.line = None
        if not self._started:
            self._fail(error or aiohttp.ServerDisconnectedError())
        elif error is not None or self._left is not None or self._chunks is not None:
            self._fail(error or aiohttp.ClientPayloadError())
        else:
            self._finish()

    def abandon(self) -> None:
        """The client has left."""
        if not self.over:
            self.record.end = End.CLIENT_GONE
            self._close()

    def _begin(self, data: bytes, at: float) -> None:
        """Interim answers (RFC 9110 section 15.2) stay here, as the client did not ask for them."""
        while (end := data.find(b"\r\n\r\n") + 4) > 3:
            raw = data[:end]
            head, data = read_answer_head(raw), data[end:]
            if head is None:
                break
            if head.status >= 200:
                self._answer(head, raw, data, at)
                return
        else:
            self._head = data
            if len(data) <= HEAD_LIMIT:
                return
        self._fail(HttpParserError("no answer of HTTP/1.1"))

    def _answer(self, head: AnswerHead, raw: bytes, data: bytes, at: float) -> None:
        self._head = b""
        self._started, self._left, self._chunks = True, head.length, head.chunks
        self._reusable = head.lives_on
        ends = head.length is None and head.chunks is None
        self._lives_on = self._lives_on and not ends
        record = self.record
        record.status, record.headers = head.status, head.headers
        record.first_byte = at
        if head.hops or not self._lives_on:
            reason = head.reason.decode("utf-8", "surrogateescape")
            raw = answer_head(head.status, reason, head.headers, chunked=False, close=not self._lives_on, framed=True)
        self._pass(raw, data, at)
        record.passed = self._time()

    def _pass(self, head: bytes, data: bytes, at: float) -> None:
        if self._chunks is not None:
            self._pass_chunks(head, data, at, self._chunks)
            return
        if self._left is not None:
            if len(data) > self._left:
                data, self._reusable = data[: self._left], False
            self._left -= len(data)
        if data:
            self.record.answer.take(data, at)
        self._door.write(head + data if head else data)
        if self._left == 0:
            self._finish()

    def _pass_chunks(self, head: bytes, data: bytes, at: float, chunks: Chunks) -> None:
        try:
            piece = chunks.feed(data) if data else b""
        except HttpParserError as error:
            self._fail(error)
            return
        if piece:
            self.record.answer.take(piece, at)
        if chunks.surplus:  # where the answer ends in this piece is not known, and the next must not begin in it
            self._fail(HttpParserError("more came than the answer"))
            return
        self._door.write(head + data if head else data)
        if chunks.ended:
            self._finish()

    def _finish(self) -> None:
        self._close(whole=self._reusable)
        self._door.done(lives_on=self._lives_on)

    def _fail(self, error: Exception) -> None:
        """The endpoint failed: told as a 502 while that is possible, else by ending the answer where it ended."""
        record = self.record
        record.error = error
        record.end = End.CUT if self._started else End.UNREACHABLE
        unframed = self._started and self._left is None and self._chunks is None
        self._close()
        if not self._started:
            text = f"The endpoint gave no answer: {type(error).__name__}"
            self._door.write(own_answer(502, "endpoint_unreachable", text))
        self._door.done(lives_on=False, broken=unframed)

    def _close(self, *, whole: bool = False) -> None:
        self.over = True
        self.record.ended = self._time()
        line, self.line = self.line, None
        if line is not None:
            line.let_go(whole=whole)
        chunks, self._chunks = self._chunks, None
        if chunks is not None:
            chunks.free()
