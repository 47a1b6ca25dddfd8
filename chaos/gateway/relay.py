"""The way of one exchange through the gateway: client to endpoint and back, each piece passed on as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import aiohttp
import structlog
from aiohttp import StreamReader, web
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, HttpVersion11, RawResponseMessage

from chaos.gateway.breaking import MET, before_answer, reset
from chaos.gateway.heads import LAST_CHUNK, Address, answer_head, frame, own_answer, request_head
from chaos.gateway.record import End, Record
from chaos.gateway.rules import Struck
from chaos.gateway.upstream import Upstream
from chaos.injectors.bending import CutError, ResetError, bend, bends

log = structlog.get_logger("gateway")

SMALL = 256 * 1024
"""A request body of at most this size is sent in one piece with its head, a larger one as it comes."""
_BODILESS = frozenset({204, 304})
_UPSTREAM_TROUBLE = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class TooLargeError(Exception):
    """The client sent more than the gateway passes on."""


class Sent(web.StreamResponse):
    """An answer that has already been written, as bytes; tells the server only whether the connection lives on."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._lives_on = keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._lives_on

    async def prepare(self, request: web.BaseRequest) -> None:  # noqa: ARG002 - the server's interface
        return None

    async def write_eof(self, data: bytes | bytearray | memoryview = b"") -> None:  # noqa: ARG002 - as above
        return None


Decide = Callable[[web.BaseRequest, Record], Struck | None]
"""Whether a fault meets an exchange; asked once its request is known. It raises nothing."""


class Relay:
    """Passes exchanges on. ``max_body`` in bytes; ``time`` is the loop's clock."""

    def __init__(self, upstream: Upstream, *, max_body: int, time: Callable[[], float], decide: Decide) -> None:
        self._upstream = upstream
        self._address = Address(upstream.url.raw_path)
        self._max_body = max_body
        self._time = time
        self._decide = decide

    async def pass_on(self, request: web.BaseRequest, record: Record) -> Sent:
        """The exchange from its beginning to its end; what happened stands in the record."""
        connection: Connection | None = None
        struck: Struck | None = None
        try:
            body, streamed = await self._read(request, record)
            record.whole = self._time() if streamed is None else None
            struck = self._decide(request, record)
            instead, struck = await _before(request, struck)
            if instead is not None:
                return await self._instead(request, record, *instead, whole=streamed is None)
            body = body if struck is None or struck.body is None else struck.body
            connection = await self._upstream.open()
            head = self._head(request, chunked=streamed is not None and request.content_length is None, struck=struck)
            record.sent = self._time()
            message, answer = await self._exchange(request, connection, head + body, streamed, record)
            if struck is not None and bends(struck.effect):
                return await self._bent(request, message, answer, record, struck, connection)
            sent = await self._answer(request, message, answer, record)
        except TooLargeError:
            return await self._refuse(request, record, connection)
        except _UPSTREAM_TROUBLE as error:
            return await self._fail(request, record, connection, error)
        except BaseException:
            if connection is not None:
                connection.close()
            record.end, record.ended = End.CLIENT_GONE, self._time()
            raise
        finally:
            if struck is not None:
                struck.end()
        connection.release() if streamed is None or streamed.is_eof() else connection.close()
        return sent

    async def _read(self, request: web.BaseRequest, record: Record) -> tuple[bytes, StreamReader | None]:
        """The request's body: what is sent with its head, or the reader of one that is passed on as it comes."""
        payload, length = request.content, request.content_length
        if length is not None and length > self._max_body:
            raise TooLargeError
        if "Expect" in request.headers:
            await _write(request, _CONTINUE)
        if (length is None and request.body_exists) or (length or 0) > SMALL:
            return b"", payload
        if not length:
            return b"", None
        body = payload.read_nowait() if payload.is_eof() else await payload.read()
        record.asked.take(body, record.started)
        return body, None

    def _head(self, request: web.BaseRequest, *, chunked: bool, struck: Struck | None) -> bytes:
        """An answer that is to be bent must come unpacked; a body that was changed has another length."""
        headers = request.raw_headers
        target = self._address.target(request.raw_path).encode("utf-8", "surrogateescape")
        if struck is not None and struck.body is not None:
            size = b"%d" % len(struck.body)
            headers = tuple((name, size if name.lower() == b"content-length" else value) for name, value in headers)
        elif struck is not None:
            headers = tuple(pair for pair in headers if pair[0].lower() != b"accept-encoding")
        return request_head(request.method.encode(), target, headers, self._upstream.host, chunked=chunked)

    async def _exchange(
        self,
        request: web.BaseRequest,
        connection: Connection,
        head: bytes,
        streamed: StreamReader | None,
        record: Record,
    ) -> tuple[RawResponseMessage, Any]:
        if streamed is None:
            return await self._upstream.ask(connection, head, has_body=request.method != "HEAD")
        self._upstream.send(connection, head, has_body=True)
        pieces = self._pieces(streamed, record)
        upload = asyncio.ensure_future(
            self._upstream.upload(connection, pieces, chunked=request.content_length is None)
        )
        answer = asyncio.ensure_future(self._upstream.receive(connection))
        try:
            await asyncio.wait({upload, answer}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                await upload
            return await answer
        finally:
            for task in (upload, answer):
                task.cancel()
            await asyncio.gather(upload, answer, return_exceptions=True)

    async def _pieces(self, body: StreamReader, record: Record) -> AsyncIterator[bytes]:
        while piece := await body.readany():
            record.asked.take(piece, self._time())
            if record.asked.size > self._max_body:
                raise TooLargeError
            yield piece

    async def _answer(self, request: web.BaseRequest, message: RawResponseMessage, body: Any, record: Record) -> Sent:
        record.status, record.headers = message.code, message.raw_headers
        record.first_byte = self._time()
        bodiless = request.method == "HEAD" or message.code in _BODILESS
        counted = b"content-length" in {name.lower() for name, _ in message.raw_headers}
        modern = request.version >= HttpVersion11
        chunked = not (bodiless or counted) and modern
        keep = request.keep_alive and (bodiless or counted or chunked)
        out = answer_head(message.code, message.reason, message.raw_headers, chunked=chunked, close=not keep)
        if not bodiless:
            out = await self._body(request, out, body, record, chunked=chunked)
        if out:
            await _write(request, out)
        record.ended = self._time()
        return Sent(keep_alive=keep)

    async def _body(self, request: web.BaseRequest, out: bytes, body: Any, record: Record, *, chunked: bool) -> bytes:
        """Pass the body on; what is returned is still to be written. What has come with the head leaves with it."""
        copy, time = record.answer, self._time
        piece = body.read_nowait()
        while True:
            if piece:
                copy.take(piece, time())
                out += frame(piece) if chunked else piece
            if body.at_eof():
                return out + LAST_CHUNK if chunked else out
            if out:
                await _write(request, out)
                out = b""
            piece = await body.readany()

    async def _instead(
        self, request: web.BaseRequest, record: Record, status: int | None, answer: bytes, *, whole: bool
    ) -> Sent:
        """An answer of the gateway's own, or none; a body that was not read leaves the connection of no more use."""
        record.status, record.ended = status, self._time()
        record.injected = True
        if status is None:
            return Sent(keep_alive=False)
        await _write(request, answer)
        return Sent(keep_alive=whole and request.keep_alive)

    async def _bent(
        self, request: web.BaseRequest, message: RawResponseMessage, body: Any, record: Record, struck: Struck,
        connection: Connection,
    ) -> Sent:  # fmt: skip
        """The endpoint's answer, changed on its way. Its length is void, and nothing of it is kept for a next one."""
        record.status, record.headers, record.injected = message.code, message.raw_headers, True
        record.first_byte = self._time()
        headers = (*message.raw_headers, (MET, struck.rule.id.encode()))
        chunked = request.version >= HttpVersion11
        out = answer_head(
            message.code, message.reason, headers, chunked=chunked, close=True, without=frozenset({b"content-length"})
        )
        await _write(request, out)
        streamed = message.headers.get("Content-Type", "").lower().startswith("text/event-stream")
        words = struck.words(request.path)
        try:
            bent = bend(body.iter_any(), struck.effect, struck.hold, words, streamed=streamed)
            async with aclosing(bent) as pieces:
                async for piece in pieces:
                    record.answer.take(piece, self._time())
                    await _write(request, frame(piece) if chunked and piece else piece)
        except CutError as cut:
            record.end = End.CUT
            if isinstance(cut, ResetError):
                reset(request)
        else:
            if chunked:
                await _write(request, LAST_CHUNK)
        connection.close()
        record.ended = self._time()
        if request.transport is not None:
            request.transport.close()
        return Sent(keep_alive=False)

    async def _refuse(self, request: web.BaseRequest, record: Record, connection: Connection | None) -> Sent:
        if connection is not None:
            connection.close()
        record.end, record.status, record.ended = End.TOO_LARGE, 413, self._time()
        text = f"The request is larger than the {self._max_body} bytes that this gateway passes on"
        return await say(request, 413, "request_too_large", text)

    async def _fail(
        self, request: web.BaseRequest, record: Record, connection: Connection | None, error: Exception
    ) -> Sent:
        """The endpoint failed: told as a 502 while that is possible, else by ending the answer where it ended."""
        if connection is not None:
            connection.close()
        record.error, record.ended = error, self._time()
        transport = request.transport
        if transport is None or transport.is_closing():
            record.end = End.CLIENT_GONE
            return Sent(keep_alive=False)
        if record.status is None:
            record.end = End.UNREACHABLE
            text = f"The endpoint gave no answer: {type(error).__name__}"
            return await say(request, 502, "endpoint_unreachable", text)
        record.end = End.CUT
        transport.close()
        return Sent(keep_alive=False)


async def _before(
    request: web.BaseRequest, struck: Struck | None
) -> tuple[tuple[int | None, bytes] | None, Struck | None]:
    """What stands in place of the endpoint's answer, if anything does. A fault that fails lets the exchange pass."""
    if struck is None:
        return None, None
    try:
        return await before_answer(request, struck), struck
    except Exception:
        log.exception("a fault could not be performed; the exchange passes", rule=struck.rule.id)
        struck.end()
        return None, None


async def say(request: web.BaseRequest, status: int, kind: str, text: str) -> Sent:
    """An error of the gateway's own."""
    await _write(request, own_answer(status, kind, text))
    return Sent(keep_alive=False)


async def _write(request: web.BaseRequest, data: bytes) -> None:
    """Raises ConnectionResetError when the client has gone; waits while it does not keep up."""
    await request.writer.write(data)
