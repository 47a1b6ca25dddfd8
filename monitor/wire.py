"""One exchange on the wire: an Ask goes out, a Reply comes back, whatever the bytes and whatever breaks."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import httpx

from monitor.clock import Clock
from monitor.exchange import Ask, Event, Fate, Reply
from monitor.sse import DONE, EventReader, bears_content
from monitor.version import VERSION

MAX_BYTES = 2 * 1024 * 1024
MAX_EVENTS = 20_000
"""An answer to a probe has some dozens of events; each one costs a hundred times its bytes in memory."""
CONNECT_SECONDS = 10.0
QUEUE_SECONDS = 5.0
"""A longer wait for a connection of our own is our fault, and said so."""


async def exchange(transport: httpx.AsyncBaseTransport, ask: Ask, clock: Clock, *, limit: int = MAX_BYTES) -> Reply:
    """Send ``ask`` and read the reply: a stream to its ``[DONE]``, its end or a deadline, all else to its end.

    Never raises but for cancellation: trouble is the reply's ``fate``, with what was read until then. ``limit`` is in
    bytes, after decompression. The first token's deadline ends with the first event that bears content, or with
    headers that announce no stream.
    """
    reading = _Reading(ask, clock, limit)
    try:
        async with asyncio.timeout(reading.allowed) as alarm:
            reading.alarm = alarm
            fate, detail = await reading.run(transport)
    except (TimeoutError, _LateError) as error:
        late = isinstance(error, _LateError) or alarm.expired()
        fate, detail = reading.why_late() if late else (Fate.OURS, _place(error))
    except (httpx.TransportError, httpx.InvalidURL) as error:
        fate, detail = fate_of(error, answered=reading.status is not None), str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, a probe must end as an outcome; the fate says that it is ours
        fate, detail = Fate.OURS, _place(error)
    return reading.reply(fate, _presentable(detail, ask))


def fate_of(error: httpx.TransportError | httpx.InvalidURL, *, answered: bool) -> Fate:
    """The fate that an exception of a transport means. ``answered``: the status line had arrived."""
    broken = Fate.CUT if answered else Fate.RESET
    match error:
        case httpx.PoolTimeout() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | httpx.InvalidURL():
            return Fate.OURS
        case httpx.ConnectTimeout():
            return Fate.CONNECT_TIMEOUT
        case httpx.TimeoutException():
            return Fate.TIMEOUT
        case httpx.ConnectError():
            return _unconnected(error)
        case httpx.RemoteProtocolError():
            return broken if any(isinstance(cause, EOFError) for cause in _causes(error)) else Fate.PROTOCOL
        case httpx.NetworkError():
            return broken
        case httpx.ProxyError():
            return Fate.UNREACHABLE
    return Fate.OURS


class _LateError(Exception):
    """The clock handed in says that a deadline has passed; it may run faster than the loop's."""


class _Reading:
    """What has been read so far, filled as it comes, so that nothing is lost when the exchange breaks."""

    def __init__(self, ask: Ask, clock: Clock, limit: int) -> None:
        self.status: int | None = None
        self.alarm: asyncio.Timeout | None = None
        self._ask = ask
        self._clock = clock
        self._limit = limit
        self._started = clock.monotonic()
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._events: list[Event] = []
        self._first_byte: float | None = None
        self._streaming = ask.stream
        self._began = False
        self._done = False

    @property
    def allowed(self) -> float:
        """Seconds from the start until the deadline that holds now."""
        first_token = self._ask.first_token
        if self._streaming and not self._began and first_token is not None:
            return min(first_token, self._ask.deadline)
        return self._ask.deadline

    async def run(self, transport: httpx.AsyncBaseTransport) -> tuple[Fate, str]:
        response = await _client().send(_request(self._ask, self.allowed, transport), stream=True)
        try:
            self._take_head(response)
            return await self._read(response)
        finally:
            await response.aclose()

    def why_late(self) -> tuple[Fate, str]:
        if self._began:
            return Fate.STALLED, f"it began to answer and did not finish within {self._ask.deadline:g} s"
        seen = "no response" if self.status is None else f"only the headers of a {self.status}"
        detail = f"{seen} within {self.allowed:g} s"
        if self._streaming and (self.allowed < self._ask.deadline or self.status is not None):
            return Fate.FIRST_TOKEN_TIMEOUT, f"no token: {detail}"
        return Fate.TIMEOUT, detail

    def reply(self, fate: Fate, detail: str) -> Reply:
        return Reply(
            fate=fate,
            status=self.status,
            headers=self._headers if self.status is not None else None,
            body=bytes(self._body),
            events=tuple(self._events),
            done=self._done,
            first_byte=self._first_byte,
            duration=self._elapsed(),
            detail=detail,
        )

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    def _take_head(self, response: httpx.Response) -> None:
        # Waiting for a connection of our own is no slowness of the endpoint.
        self._started += response.extensions.get("fallbackd_phases", {}).get("queued", 0.0)
        self._check_time()
        self.status = response.status_code
        self._headers = _headers(response)
        self._first_byte = self._elapsed()
        content_type = self._headers.get("content-type", "")
        self._streaming = self._ask.stream and content_type.lower().startswith("text/event-stream")
        self._set_alarm()

    def _check_time(self) -> None:
        if self._elapsed() >= self.allowed:
            raise _LateError

    def _set_alarm(self) -> None:
        left = self.allowed - self._elapsed()
        if self.alarm is not None and not self.alarm.expired():
            self.alarm.reschedule(asyncio.get_running_loop().time() + left)

    async def _read(self, response: httpx.Response) -> tuple[Fate, str]:
        gzipped = self._headers.get("content-encoding", "").lower() in {"gzip", "x-gzip"}
        unpack = _Gunzip(self._limit) if gzipped else None
        events, size = EventReader(), 0
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an async client has no other; narrows the type
        async for raw in response.stream:
            self._check_time()
            chunk = unpack.feed(raw) if unpack else raw
            size += len(chunk)
            if self._streaming:
                self._take_events(events.feed(chunk))
            else:
                self._take_body(chunk)
            if self._done:
                return Fate.ANSWERED, ""
            if size > self._limit or len(self._events) > MAX_EVENTS:
                return Fate.TOO_LARGE, f"the reply is longer than {self._limit} bytes or {MAX_EVENTS} events"
        if unpack is not None and not unpack.whole:
            return Fate.CUT, "the compressed reply ends before its end"
        self._done = events.pending == DONE
        return Fate.ANSWERED, ""

    def _take_events(self, events: Iterator[str]) -> None:
        now = self._elapsed()
        for data in events:
            if data == DONE:
                self._done = True
                return
            self._events.append(Event(at=now, data=data))
            if not self._began and bears_content(data):
                self._began = True
                self._set_alarm()

    def _take_body(self, chunk: bytes) -> None:
        self._body += chunk[: self._limit - len(self._body)]
        # Routers send headers and blanks while a model is still silent: those are no beginning of an answer.
        self._began = self._began or bool(chunk.strip())


class _Gunzip:
    """Unpacks piece by piece, never more than ``limit`` bytes and one: a small reply can hold gigabytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._unpack = zlib.decompressobj(wbits=31)
        self._fed = False

    @property
    def whole(self) -> bool:
        """Nothing came, or all of it did."""
        return self._unpack.eof or not self._fed

    def feed(self, chunk: bytes) -> bytes:
        self._fed = self._fed or bool(chunk)
        try:
            return self._unpack.decompress(chunk, self._limit + 1)
        except zlib.error as error:
            raise httpx.RemoteProtocolError("the reply is not the gzip that its headers announce") from error


class _NoCookies(httpx.Cookies):
    """Questions know nothing of one another; and looking for cookies costs more than sending the request."""

    def extract_cookies(self, response: httpx.Response) -> None: ...


class _Carrier(httpx.AsyncBaseTransport):
    """Hands each request to the transport that it names itself, so that one client serves them all."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport: httpx.AsyncBaseTransport = request.extensions.pop(_OVER)
        return await transport.handle_async_request(request)


class _Client(httpx.AsyncClient):
    @property
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None: ...


@cache
def _client() -> httpx.AsyncClient:
    """Holds no connection and belongs to no loop: it is never closed."""
    return _Client(transport=_Carrier(), trust_env=False, follow_redirects=False, timeout=None)


_NO_COOKIES = _NoCookies()
_OVER = "fallbackd_transport"


def _request(ask: Ask, allowed: float, transport: httpx.AsyncBaseTransport) -> httpx.Request:
    # The time to connect ends before our own deadline, so that a connection that never comes is named as the cause.
    connect = min(CONNECT_SECONDS, 0.9 * allowed)
    # A compressed stream comes in lumps: first token and gaps would be those of the compressor.
    headers = {
        "accept": "*/*",
        "user-agent": f"fallbackd/{VERSION}",
        "accept-encoding": "identity" if ask.stream else "gzip",
        **{name.lower(): value for name, value in ask.headers.items()},
    }
    return httpx.Request(
        ask.method,
        _url(ask.url),
        headers=headers,
        json=None if ask.body is None else dict(ask.body),
        extensions={
            "timeout": {"connect": connect, "read": None, "write": None, "pool": QUEUE_SECONDS},
            "fallbackd": dict(ask.marks or {}),
            _OVER: transport,
        },
    )


@lru_cache(maxsize=1024)
def _url(address: str) -> httpx.URL:
    """Raises httpx.InvalidURL, and UnsupportedProtocol for what is no web address."""
    url = httpx.URL(address)
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol(f"{url.scheme or 'no'} scheme in the address; it needs http:// or https://")
    return url


def _headers(response: httpx.Response) -> dict[str, str]:
    """By name in lower case; what is repeated is joined by commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _unconnected(error: httpx.ConnectError) -> Fate:
    kinds = {
        socket.gaierror: Fate.DNS,
        ssl.SSLError: Fate.TLS,
        ConnectionRefusedError: Fate.REFUSED,
        ConnectionResetError: Fate.RESET,
    }
    for cause in _causes(error):
        for kind, fate in kinds.items():
            if isinstance(cause, kind):
                return fate
    return Fate.UNREACHABLE


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _place(error: BaseException) -> str:
    """Where our mistake is. Not its text: that may quote a header."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _presentable(detail: str, ask: Ask) -> str:
    """One short line, without any header's value, wherever the text came from."""
    for value in ask.headers.values():
        for secret in {value, value.rpartition(" ")[2]}:
            if len(secret) >= 8:
                detail = detail.replace(secret, "***")
    return " ".join(detail.split())[:200]
