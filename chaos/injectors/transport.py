"""Performs a fault around an httpx transport: on our own requests to the targets of one drill, and on no others."""

from __future__ import annotations

import errno
import math
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from random import Random

import httpx

from chaos.apis import api_of
from chaos.errors import Wording, error_body, error_headers, wording
from chaos.faults import FAULTS
from chaos.faults.unfit import concerns
from chaos.injectors.bending import CutError, Hold, ResetError, bend, bends
from chaos.model import Connect, Effect, ErrorReply, Fault, Injection, RawReply
from chaos.striking import Striking
from monitor.clock import Clock
from monitor.reading import parse

_ON_PURPOSE = "broken on purpose"


class TransportInjector:
    """The faults of one injection on the way to its targets.

    Only requests marked (httpx extension ``fallbackd``) with the injection's chain and drill and one of its positions
    are hit, at most ``max_count``, and none after ``until``: then even a stall that is under way ends. ``count`` says
    how many were hit.
    """

    def __init__(self, injection: Injection, clock: Clock, rng: Random, faults: Mapping[str, Fault] = FAULTS) -> None:
        self._injection = injection
        self._clock = clock
        self._striking = Striking(injection.strikes, since=clock.now(), rng=rng, faults=faults)

    @property
    def count(self) -> int:
        return self._striking.met.total()

    @property
    def met(self) -> Mapping[int, int]:
        """How many of them were requests for each position."""
        return self._striking.met

    @property
    def because(self) -> str:
        return self._striking.because

    def wrap(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """A transport that hits what is meant and passes all else on to ``inner``, which stays its maker's to close."""
        return _BrokenTransport(self, inner)

    def strike(self, request: httpx.Request) -> Effect | None:
        """What happens to this request, counted; None where it is not meant."""
        marks = request.extensions.get("fallbackd") or {}
        position = marks.get("position")
        meant = (
            marks.get("chain") == self._injection.chain
            and marks.get("drill") == self._injection.drill
            and position in self._injection.positions
        )
        if position is None or not meant or self.count >= self._injection.max_count or self._left() <= 0:
            return None
        body, api = parse(request.content), api_of(request.url.path)
        return self._striking.effect(position, self._clock.now(), lambda effect: concerns(effect.rewrite, body, api))

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
        timeout = request.extensions.get("timeout") or {}
        hold = _Patience(self._injector.hold, timeout.get("read"))
        await self._connect(effect.connect_delay, timeout.get("connect"))
        if effect.reset:
            raise _reset() from ConnectionResetError(errno.ECONNRESET, _ON_PURPOSE)
        await hold(effect.delay)
        words = wording((request.extensions.get("fallbackd") or {}).get("dialect"), request.url.path)
        if effect.error is not None and effect.error_after is None:
            return _error_response(effect.error, words)
        if effect.raw is not None:
            return _raw_response(effect.raw)
        response = await self._inner.handle_async_request(request)
        return _shaped(response, effect, hold, words) if bends(effect) else response

    async def _connect(self, delay: float, allowed: float | None) -> None:
        """Raises ConnectTimeout where a connection takes longer than the request allows."""
        if allowed is None or delay <= allowed:
            await self._injector.hold(delay)
            return
        await self._injector.hold(allowed)
        raise httpx.ConnectTimeout(f"no connection within {allowed:g} s, {_ON_PURPOSE}")


class _Patience:
    """Waits as the injection says, and not for longer than the request allows between two pieces of its answer."""

    def __init__(self, hold: Hold, allowed: float | None) -> None:
        self._hold = hold
        self._allowed = allowed

    async def __call__(self, seconds: float = math.inf) -> None:
        """Raises ReadTimeout."""
        if self._allowed is None or seconds <= self._allowed:
            await self._hold(seconds)
            return
        await self._hold(self._allowed)
        raise httpx.ReadTimeout(f"nothing came for {self._allowed:g} s, {_ON_PURPOSE}")


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


def _error_response(error: ErrorReply, words: Wording) -> httpx.Response:
    headers = {"content-type": "application/json", **error_headers(error)}
    return httpx.Response(error.status, headers=headers, content=error_body(error, words))


def _raw_response(raw: RawReply) -> httpx.Response:
    return httpx.Response(raw.status, headers={"content-type": raw.content_type}, content=raw.body)


def _shaped(response: httpx.Response, effect: Effect, hold: Hold, words: Wording) -> httpx.Response:
    """The true response with its body bent. It is unpacked on the way, so its length and encoding are void."""
    void = {b"content-length", b"content-encoding", b"transfer-encoding"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in void]
    streams = response.headers.get("content-type", "").lower().startswith("text/event-stream")
    body = bend(response.aiter_bytes(), effect, hold, words, streamed=streams)
    return httpx.Response(
        response.status_code, headers=headers, stream=_Bent(body, response), extensions=response.extensions
    )


class _Bent(httpx.AsyncByteStream):
    def __init__(self, body: AsyncGenerator[bytes, None], inner: httpx.Response) -> None:
        self._body = body
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                yield piece
        except ResetError:
            raise _reset() from ConnectionResetError(errno.ECONNRESET, _ON_PURPOSE)
        except CutError:
            raise _cut() from EOFError(_ON_PURPOSE)

    async def aclose(self) -> None:
        await self._body.aclose()
        await self._inner.aclose()


def _reset() -> httpx.ReadError:
    return httpx.ReadError(f"the connection was reset, {_ON_PURPOSE}")


def _cut() -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(f"the connection was closed early, {_ON_PURPOSE}")
