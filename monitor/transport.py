"""An httpx transport over aiohttp: quick, honest about time, and true about what went wrong on the wire.

httpx's own pool scans all its connections for each request and then counts that wait as the endpoint's; this one uses
aiohttp's pool and says in each response how long its phases took.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial

import aiohttp
import certifi
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace
from yarl import URL

from monitor.arrivals import Arriving, Exchange, Receiver, Take, stamped
from monitor.breakage import BROKEN, true_kind
from monitor.errors import StartError
from monitor.model.quick import quick
from monitor.phases import CURRENT, ConnectionTrace, Phases, TimedContext

CONNECT_SECONDS = 10.0
"""For DNS, TCP and TLS together, where the request itself names no limit."""

LINGER_SECONDS = 1.0
"""What ends a body comes right behind its last byte, or not at all."""

_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What aiohttp says by itself where a request does not; to leave it unsaid costs something for each request."""

IDLE_SECONDS = 4.0
"""An idle connection is closed before usual servers (5 s and up) close it, so that their closing meets no request of
ours. No POST is ever sent twice: a monitor that tried again would hide what it is there to see."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request, ready to send. ``headers`` tell all that aiohttp would add by itself (see ``_ADDED``). In seconds:
    ``connect`` is for DNS, TCP and TLS together, ``queue`` for a free connection of our own."""

    method: str
    address: URL
    headers: Mapping[str, str]
    content: bytes | None
    connect: float = CONNECT_SECONDS
    queue: float = 0.0


class Incoming(ABC):
    """A reply of which the headers are there. Close it when done with it.

    ``headers`` in order, as they were sent. ``sent`` and ``head``: when the request went out and the headers came, by
    ``time.perf_counter``; ``sent`` is None where a connection had to be made for it, ``head`` where they came just now.
    ``queued``: seconds of waiting for a connection of our own.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    sent: float | None
    head: float | None
    queued: float

    @abstractmethod
    async def pour(self, take: Take) -> None:
        """Hand on the body as it comes, until its end or until ``take`` wants no more. Raises httpx's exceptions."""

    @abstractmethod
    async def close(self, *, whole: bool) -> None:
        """``whole``: all that was wanted came."""


class Direct(httpx.AsyncBaseTransport, ABC):
    """A transport that can also be asked without httpx's requests and responses, which cost more than the asking."""

    @abstractmethod
    async def open(self, sending: Sending) -> Incoming:
        """Send a request and wait for the headers of its reply. Raises httpx's exceptions."""


class AioTransport(Direct):
    """Raises httpx's exceptions of the true kind (see ``breakage``).

    No redirects, no cookies, no proxies, no decoding. Takes httpx's ``timeout`` extension. Responses carry the
    extension ``fallbackd_phases``: seconds by phase, those that happened (see ``phases``). ``limit``: connections at
    one time. Made anywhere, used in one event loop. Raises StartError when ``ca_file`` cannot be used.
    """

    def __init__(self, *, ca_file: str | None = None, limit: int = 200) -> None:
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._tls = _tls_context(ca_file)  # now: reading certificates takes long enough to be seen in a first latency

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        response, exchange = await self._send(
            request.method,
            _address(request.url),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
            await request.aread(),
            _timeout(limits.get("connect") or CONNECT_SECONDS, limits.get("pool") or 0.0, limits.get("read")),
            unsaid=_ADDED,
        )
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Body(response),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": (response.reason or "").encode("latin-1", "replace"),
                "fallbackd_phases": dict(exchange.seconds),
            },
        )

    async def open(self, sending: Sending) -> Incoming:
        response, exchange = await self._send(
            sending.method,
            sending.address,
            sending.headers,
            sending.content,
            _timeout(sending.connect, sending.queue, None),
        )
        assert exchange.reply is not None  # noqa: S101 - aiohttp returns a response when its headers were read; narrows the type
        return _Opened(response, exchange.reply, exchange.seconds.get("queued", 0.0))

    async def aclose(self) -> None:
        """Close every connection. Safe to run twice; a request after it is a RuntimeError."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(
        self,
        method: str,
        address: URL,
        headers: Mapping[str, str] | list[tuple[str, str]],
        content: bytes | None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's, by phase
        unsaid: Sequence[str] | None = None,
    ) -> tuple[aiohttp.ClientResponse, Exchange]:
        exchange = Exchange()
        token = CURRENT.set(exchange)
        try:
            response = await self._session_open().request(
                method,
                address,
                headers=headers,
                data=content or None,
                skip_auto_headers=unsaid,
                allow_redirects=False,
                timeout=timeout,
                ssl=self._tls if address.scheme == "https" else True,
            )
        except BROKEN as error:
            kind = true_kind(error, exchange, address.host or "")
            raise kind from kind.__cause__
        finally:
            CURRENT.reset(token)
        return response, exchange

    def _session_open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the transport is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(self._limit),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


class _Connector(aiohttp.TCPConnector):
    """Makes connections that tell when their bytes came, and how long it took to make them."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit, keepalive_timeout=IDLE_SECONDS, socket_factory=stamped)
        make: Callable[..., ResponseHandler] = Receiver
        self._factory = partial(make, asyncio.get_running_loop())  # aiohttp has no public place for it

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own, by phase
    ) -> aiohttp.connector.Connection:
        phases = CURRENT.get()
        return await super().connect(req, [*traces, ConnectionTrace(phases)] if phases else traces, timeout)


class _Opened(Incoming):
    def __init__(self, response: aiohttp.ClientResponse, reply: Arriving, queued: float) -> None:
        self._response = response
        self._reply = reply
        self.status = response.status
        self.headers = response.raw_headers
        self.sent, self.head, self.queued = reply.sent, reply.head, queued

    async def pour(self, take: Take) -> None:
        try:
            await self._reply.pour(take)
        except BROKEN as error:
            kind = true_kind(error, Phases(), self._response.url.host or "")
            raise kind from kind.__cause__

    async def close(self, *, whole: bool) -> None:
        """What ends a whole body is given a moment to come as well, so that its connection can be used again."""
        if whole and not self._response.closed:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._response.close)
        else:
            self._response.close()


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


@lru_cache(maxsize=256)
def _timeout(connect: float, queue: float, read: float | None) -> aiohttp.ClientTimeout:
    """aiohttp's ``connect`` spans the wait for a free connection, DNS, TCP and TLS; ``sock_connect`` TCP and TLS."""
    return aiohttp.ClientTimeout(
        total=None,
        connect=connect + queue,
        sock_connect=connect,
        sock_read=read,
        ceil_threshold=math.inf,  # it would round limits above 5 s up to whole seconds
    )


@lru_cache(maxsize=1024)
def _address(url: httpx.URL) -> URL:
    return URL(str(url), encoded=True)


class _Body(httpx.AsyncByteStream):
    """A response's body as it arrives. Closing it before its end closes the connection."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except BROKEN as error:
            kind = true_kind(error, Phases(), self._response.url.host or "")
            raise kind from kind.__cause__

    async def aclose(self) -> None:
        self._response.close()
