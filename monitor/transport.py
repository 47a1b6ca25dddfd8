"""An httpx transport over aiohttp: quick, honest about time, and true about what went wrong on the wire.

httpx's own pool scans all its connections for each request and then counts that wait as the endpoint's; this one uses
aiohttp's pool and says in each response how long its phases took.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import AsyncIterator
from functools import cache, lru_cache, partial

import aiohttp
import certifi
import httpx
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from monitor.breakage import BROKEN, true_kind
from monitor.errors import StartError
from monitor.phases import CURRENT, Phases, TimedContext, tracing

CONNECT_SECONDS = 10.0
"""For DNS, TCP and TLS together, where the request itself names no limit."""

IDLE_SECONDS = 4.0
"""An idle connection is closed before usual servers (5 s and up) close it, so that their closing meets no request of
ours. No POST is ever sent twice: a monitor that tried again would hide what it is there to see."""


class AioTransport(httpx.AsyncBaseTransport):
    """Raises httpx's exceptions of the true kind (see ``breakage``).

    No redirects, no cookies, no proxies, no decoding. Takes httpx's ``timeout`` extension. Responses carry the
    extension ``fallbackd_phases``: seconds by phase, those that happened (see ``phases``). ``limit``: connections at
    one time. Made anywhere, used in one event loop. Raises StartError when ``ca_file`` cannot be used.
    """

    def __init__(self, *, ca_file: str | None = None, limit: int = 200) -> None:
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None
        self._lost = _LostConnections()
        self._closed = False
        self._tls = _tls_context(ca_file)  # now: reading certificates takes long enough to be seen in a first latency

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        phases = Phases()
        token = CURRENT.set(phases)
        try:
            response = await self._send(request, phases)
        except BROKEN as error:
            kind = true_kind(error, phases, request.url.host)
            raise kind from kind.__cause__
        finally:
            CURRENT.reset(token)
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Body(response, self._lost),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": (response.reason or "").encode("latin-1", "replace"),
                "fallbackd_phases": dict(phases.seconds),
            },
        )

    async def aclose(self) -> None:
        """Close every connection. Safe to run twice; a request after it is a RuntimeError."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, request: httpx.Request, phases: Phases) -> aiohttp.ClientResponse:
        content = await request.aread()
        return await self._open().request(
            request.method,
            _address(request.url),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
            data=content or None,
            allow_redirects=False,
            timeout=_timeout(request),
            ssl=self._tls if request.url.scheme == "https" else True,
            trace_request_ctx=phases,
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the transport is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[tracing()],
            )
        return self._session


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trusts ``ca_file`` alone, where there is one."""
    if ca_file is None:
        return _usual_context()
    context = TimedContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise StartError(f"ca_file {ca_file}: {error.strerror or error}") from error
    return context


@cache
def _usual_context() -> ssl.SSLContext:
    """Trusts the system's store and certifi's: a bare container has no store of its own."""
    context = TimedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context


def _timeout(request: httpx.Request) -> aiohttp.ClientTimeout:
    """aiohttp's ``connect`` spans the wait for a free connection, DNS, TCP and TLS; ``sock_connect`` TCP and TLS."""
    limits = request.extensions.get("timeout", {})
    connect = limits.get("connect") or CONNECT_SECONDS
    return aiohttp.ClientTimeout(
        total=None,
        connect=connect + (limits.get("pool") or 0.0),
        sock_connect=connect,
        sock_read=limits.get("read"),
        ceil_threshold=math.inf,  # it would round limits above 5 s up to whole seconds
    )


@lru_cache(maxsize=1024)
def _address(url: httpx.URL) -> URL:
    return URL(str(url), encoded=True)


class _LostConnections:
    """Tells a reader that its connection was lost, where aiohttp 3.14 lets it wait for ever.

    A malformed chunk after the headers closes the connection and wakes nobody; the error is known to the
    connection's protocol object alone, which this watches.
    """

    def __init__(self) -> None:
        self._reading: dict[ResponseHandler, aiohttp.StreamReader | None] = {}

    def watch(self, protocol: ResponseHandler, content: aiohttp.StreamReader) -> None:
        closed = protocol.closed
        if closed is None:  # lost already; what came of the body is all in ``content``
            return
        if protocol not in self._reading:
            closed.add_done_callback(partial(self._wake, protocol))
        self._reading[protocol] = content

    def forget(self, protocol: ResponseHandler) -> None:
        """The connection is watched on, since it may be used again."""
        if protocol in self._reading:
            self._reading[protocol] = None

    def _wake(self, protocol: ResponseHandler, closed: asyncio.Future[None]) -> None:
        if not closed.cancelled():
            closed.exception()  # asyncio complains about one that nobody fetched
        content = self._reading.pop(protocol, None)
        error = protocol.exception()
        if content is not None and error is not None and not content.is_eof() and content.exception() is None:
            content.set_exception(error)


class _Body(httpx.AsyncByteStream):
    """A response's body as it arrives. Closing it before its end closes the connection."""

    def __init__(self, response: aiohttp.ClientResponse, lost: _LostConnections) -> None:
        self._response = response
        self._lost = lost
        self._protocol = response.connection.protocol if response.connection is not None else None
        if self._protocol is not None:
            lost.watch(self._protocol, response.content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
            self._check_end()
        except BROKEN as error:
            kind = true_kind(error, Phases(), self._response.url.host or "")
            raise kind from kind.__cause__

    async def aclose(self) -> None:
        if self._protocol is not None:
            self._lost.forget(self._protocol)
        self._response.close()

    def _check_end(self) -> None:
        """aiohttp takes a reset for the end of a body that has no length."""
        error = self._protocol.exception() if self._protocol is not None else None
        if isinstance(error, OSError):
            raise error
