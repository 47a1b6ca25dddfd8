"""How a request travels: straight to a transport of ours, or over httpx where the transport is any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import httpx
from pydantic_core import to_json
from yarl import URL

from monitor.arrivals import Take
from monitor.exchange import Ask
from monitor.transport import CONNECT_SECONDS, Direct, Incoming, Sending
from monitor.version import VERSION

QUEUE_SECONDS = 5.0
"""A longer wait for a connection of our own is our fault, and said so."""
_OVER = "fallbackd_transport"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


async def send(ask: Ask, transport: httpx.AsyncBaseTransport, allowed: float) -> Incoming:
    """Send a request and wait for the headers of its reply, ``allowed`` seconds in all (which are not watched here).

    Raises httpx's exceptions. What stands in our client's way (respx does so in tests) is passed through, and a
    transport that is not ours gets an httpx request with the marks of ``ask``.
    """
    url, address = _urls(ask.url)
    sending = _sending(ask, address, allowed)
    if isinstance(transport, Direct) and _client().is_free(url):
        return await transport.open(sending)
    extensions = {
        "timeout": {"connect": sending.connect, "read": None, "write": None, "pool": sending.queue},
        "fallbackd": dict(ask.marks or {}),
        _OVER: transport,
    }
    request = httpx.Request(
        sending.method, url, headers=sending.headers, content=sending.content, extensions=extensions
    )
    return _OverHttpx(await _client().send(request, stream=True))


class _OverHttpx(Incoming):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers = response.headers.raw
        self.sent = self.head = None
        self.queued = response.extensions.get("fallbackd_phases", {}).get("queued", 0.0)

    async def pour(self, take: Take) -> None:
        stream = self._response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an async client has no other; narrows the type
        async for piece in stream:
            if take(piece, None):
                return

    async def close(self, *, whole: bool) -> None:  # noqa: ARG002 - httpx closes the same either way
        await self._response.aclose()


class _NoCookies(httpx.Cookies):
    """Questions know nothing of one another; and looking for cookies costs more than sending the request."""

    def extract_cookies(self, response: httpx.Response) -> None: ...


class _Carrier(httpx.AsyncBaseTransport):
    """Hands each request to the transport that it names itself, so that one client serves them all."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport: httpx.AsyncBaseTransport = request.extensions.pop(_OVER)
        return await transport.handle_async_request(request)


class _Client(httpx.AsyncClient):
    def is_free(self, url: httpx.URL) -> bool:
        """Whether nothing was put between this client and its transport."""
        return self._transport_for_url(url) is self._transport

    @property
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None: ...


@cache
def _client() -> _Client:
    """Holds no connection and belongs to no loop: it is never closed."""
    return _Client(transport=_Carrier(), trust_env=False, follow_redirects=False, timeout=None)


_NO_COOKIES = _NoCookies()


def _sending(ask: Ask, address: URL, allowed: float) -> Sending:
    # A compressed stream comes in lumps: first token and gaps would be those of the compressor.
    headers = {
        "accept": "*/*",
        "user-agent": f"fallbackd/{VERSION}",
        "accept-encoding": "identity" if ask.stream else "gzip",
    }
    if ask.body is not None:
        headers["content-type"] = "application/json"
    headers.update({name.lower(): value for name, value in ask.headers.items()})
    return Sending(
        method=ask.method,
        address=address,
        headers=headers,
        content=None if ask.body is None else _encoded(ask.body),
        # It ends before our own deadline, so that a connection that never comes is named as the cause.
        connect=min(CONNECT_SECONDS, 0.9 * allowed),
        queue=QUEUE_SECONDS,
    )


def _encoded(body: Mapping[str, Any]) -> bytes:
    """Raises ValueError for what JSON has no word for."""
    content = to_json(body)
    if b"NaN" in content or b"Infinity" in content:  # as a text, or as a number that the standard library refuses
        return _JSON.encode(dict(body)).encode()
    return content


@lru_cache(maxsize=1024)
def _urls(text: str) -> tuple[httpx.URL, URL]:
    """Raises httpx.InvalidURL, and UnsupportedProtocol for what is no web address."""
    url = httpx.URL(text)
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol(f"{url.scheme or 'no'} scheme in the address; it needs http:// or https://")
    return url, URL(str(url), encoded=True)
