"""Performs a fault around an httpx transport: on our own requests to the targets of one drill, and on no others."""

from __future__ import annotations

import errno
import math
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from random import Random

import httpx

from chaos.faults.shape import error_body, error_headers
from chaos.injectors.shaping import (
    UPSTREAM_ERROR,
    EventSplitter,
    Rewrite,
    error_event,
    halve,
    halve_event,
)
from chaos.model import Connect, Effect, ErrorReply, Fault, Injection, RawReply
from monitor.clock import Clock
from monitor.sse import DONE, EventReader, bears_content

_ON_PURPOSE = "broken on purpose"
_AFTER = ("stall_after", "cut_after", "error_after", "malformed_after")
_BODY_LIMIT = 4 * 1024 * 1024


class TransportInjector:
    """One fault on the way to the targets of one injection.

    Only requests marked (httpx extension ``fallbackd``) with the injection's chain and drill and one of its positions
    are hit, at most ``max_count``, and none after ``until``: then even a stall that is under way ends. ``count`` says
    how many were hit.
    """

    def __init__(self, injection: Injection, fault: Fault, clock: Clock, rng: Random) -> None:
        self._injection = injection
        self._fault = fault
        self._clock = clock
        self._rng = rng
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def wrap(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """A transport that hits what is meant and passes all else on to ``inner``, which stays its maker's to close."""
        return _BrokenTransport(self, inner)

    def strike(self, request: httpx.Request) -> Effect | None:
        """What happens to this request, counted; None where it is not meant."""
        marks = request.extensions.get("fallbackd") or {}
        meant = (
            marks.get("chain") == self._injection.chain
            and marks.get("drill") == self._injection.drill
            and marks.get("position") in self._injection.positions
        )
        if not meant or self._count >= self._injection.max_count or self._left() <= 0:
            return None
        self._count += 1
        return self._fault.effect(self._injection.options, self._rng)

    async def hold(self, seconds: float = math.inf) -> None:
        """Wait, but not beyond the end of the injection."""
        wait = min(seconds, self._left())
        if wait > 0:
            await self._clock.sleep(wait)

    def _left(self) -> float:
        return self._injection.until - self._clock.now()


class _BrokenTransport(httpx.AsyncBaseTransport):
    def __init__(self, injector: TransportInjector, inner: httpx.AsyncBaseTransport) -> None:
        self._injector = injector
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        effect = self._injector.strike(request)
        if effect is None:
            return await self._inner.handle_async_request(request)
        if effect.connect is not None:
            raise _unconnected(effect.connect)
        if effect.reset:
            raise httpx.ReadError(f"the connection was reset, {_ON_PURPOSE}") from ConnectionResetError(
                errno.ECONNRESET, _ON_PURPOSE
            )
        await self._injector.hold(effect.delay)
        if effect.error is not None and effect.error_after is None:
            return _error_response(effect.error)
        if effect.raw is not None:
            return _raw_response(effect.raw)
        response = await self._inner.handle_async_request(request)
        return _shaped(response, effect, self._injector) if _bends(effect) else response


def _unconnected(connect: Connect) -> httpx.ConnectError:
    """Of the kind, and with the cause, that a real transport raises."""
    causes = {
        Connect.REFUSE: (ConnectionRefusedError(errno.ECONNREFUSED, _ON_PURPOSE), "the connection was refused"),
        Connect.DNS: (socket.gaierror(socket.EAI_NONAME, _ON_PURPOSE), "the name cannot be resolved"),
        Connect.TLS: (ssl.SSLError(_ON_PURPOSE), "the TLS handshake failed"),
    }
    cause, text = causes[connect]
    error = httpx.ConnectError(f"{text}, {_ON_PURPOSE}")
    error.__cause__ = cause
    return error


def _error_response(error: ErrorReply) -> httpx.Response:
    headers = {"content-type": "application/json", **error_headers(error)}
    return httpx.Response(error.status, headers=headers, content=error_body(error))


def _raw_response(raw: RawReply) -> httpx.Response:
    return httpx.Response(raw.status, headers={"content-type": raw.content_type}, content=raw.body)


def _bends(effect: Effect) -> bool:
    slows = effect.first_token_delay > 0 or effect.chunk_delay > 0
    return slows or effect.rewrite is not None or any(getattr(effect, name) is not None for name in _AFTER)


def _shaped(response: httpx.Response, effect: Effect, injector: TransportInjector) -> httpx.Response:
    """The true response with its body bent. It is unpacked on the way, so its length and encoding are void."""
    void = {b"content-length", b"content-encoding", b"transfer-encoding"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in void]
    streams = response.headers.get("content-type", "").lower().startswith("text/event-stream")
    body = _Stream(effect, injector).bend(response) if streams else _bend_plain(response, effect, injector)
    return httpx.Response(
        response.status_code, headers=headers, stream=_Bent(body, response), extensions=response.extensions
    )


class _Bent(httpx.AsyncByteStream):
    def __init__(self, body: AsyncGenerator[bytes, None], inner: httpx.Response) -> None:
        self._body = body
        self._inner = inner

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body

    async def aclose(self) -> None:
        await self._body.aclose()
        await self._inner.aclose()


def _cut() -> httpx.RemoteProtocolError:
    error = httpx.RemoteProtocolError(f"the connection was closed early, {_ON_PURPOSE}")
    error.__cause__ = EOFError(_ON_PURPOSE)
    return error


async def _bend_plain(
    response: httpx.Response, effect: Effect, injector: TransportInjector
) -> AsyncGenerator[bytes, None]:
    """An answer of one piece: 0 events are before its body, any more are in the middle of it."""
    await injector.hold(effect.first_token_delay + effect.chunk_delay)
    body = await _whole(response)
    if effect.rewrite is not None:
        body = Rewrite(effect.rewrite).body(body)
    if effect.error_after is not None:
        body = error_body(effect.error or UPSTREAM_ERROR)
    if effect.malformed_after is not None:
        body = halve(body)
    breaks = [after for after in (effect.stall_after, effect.cut_after) if after is not None]
    begun = halve(body) if breaks and min(breaks) > 0 else b""
    if begun:
        yield begun
    if effect.stall_after is not None:
        await injector.hold()
    if effect.cut_after is not None:
        raise _cut()
    yield body[len(begun) :]


async def _whole(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _BODY_LIMIT:
            break
    return body


class _Stream:
    """Bends an event stream. A fault due after more events than there are comes before the stream's end."""

    def __init__(self, effect: Effect, injector: TransportInjector) -> None:
        self._effect = effect
        self._injector = injector
        self._rewrite = Rewrite(effect.rewrite) if effect.rewrite is not None else None
        self._sent = 0
        self._due = {name: after for name in _AFTER if (after := getattr(effect, name)) is not None}

    async def bend(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        async for block in _blocks(response):
            data = next(EventReader().feed(block), "")
            token, last = bears_content(data), data == DONE
            if token:
                await self._injector.hold(self._effect.chunk_delay if self._sent else self._effect.first_token_delay)
            if token or last:
                if "error_after" in (due := await self._strike(last=last)):
                    yield error_event(self._effect.error or UPSTREAM_ERROR)
                    return
                if "malformed_after" in due:
                    yield halve_event(block)
                    continue
            self._sent += token
            yield self._rewrite.event(block, data) if self._rewrite else block
        if "error_after" in await self._strike(last=True):  # it ended without [DONE]
            yield error_event(self._effect.error or UPSTREAM_ERROR)

    async def _strike(self, *, last: bool) -> set[str]:
        """Perform what is due before the next event; what changes that event is returned."""
        due = {name for name, after in self._due.items() if last or self._sent >= after}
        for name in due:
            del self._due[name]
        if "stall_after" in due:
            await self._injector.hold()
        if "cut_after" in due:
            raise _cut()
        return due


async def _blocks(response: httpx.Response) -> AsyncIterator[bytes]:
    splitter = EventSplitter()
    async for chunk in response.aiter_bytes():
        for block in splitter.feed(chunk):
            yield block
    if splitter.rest:
        yield splitter.rest
