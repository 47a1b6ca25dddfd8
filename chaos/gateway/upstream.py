"""The way to the endpoint: aiohttp's connector and parser, with requests written as the bytes that they are.

aiohttp's own client would rewrite heads (order, defaults, its own fields) and costs three times as much per request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import hdrs
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter
from yarl import URL

from chaos.gateway.heads import LAST_CHUNK, frame
from chaos.gateway.line import CONNECT_TIMEOUT, KEEP_IDLE, Lines

_HEAD_LIMIT = 65536
_READ_SIZE = 65536


class Upstream:
    """Connections to one endpoint. ``open`` and ``ask`` raise aiohttp.ClientError, OSError or TimeoutError."""

    def __init__(self, url: str, *, ca_file: str | None = None) -> None:
        """Must be made inside the event loop. Raises OSError or ssl.SSLError where the CA file cannot be read."""
        self.url = URL(url)
        self._loop = asyncio.get_running_loop()
        trust = ssl.create_default_context(cafile=ca_file)
        trust.set_alpn_protocols(["http/1.1"])
        self.lines = Lines(self.url, trust, self._loop)
        self._connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE, ssl=trust)
        self._timeout = aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT)
        # The connector takes a request to know where to connect to; all of ours go to the same place.
        self._where = ClientRequest(hdrs.METH_GET, self.url.origin(), loop=self._loop, ssl=trust)
        port = "" if self.url.is_default_port() else f":{self.url.port}"
        self.host = f"{self.url.host_subcomponent}{port}".encode()

    async def open(self) -> Connection:
        return await self._connector.connect(self._where, [], self._timeout)

    async def close(self) -> None:
        await self.lines.close()
        await self._connector.close()

    async def ask(self, connection: Connection, head: bytes, *, has_body: bool) -> tuple[RawResponseMessage, Any]:
        """Send a request (its head, with what is there of its body) and wait for the head of the final answer.

        The second value is the body, an ``aiohttp.StreamReader``.
        """
        self.send(connection, head, has_body=has_body)
        return await self.receive(connection)

    def send(self, connection: Connection, head: bytes, *, has_body: bool) -> None:
        """``has_body``: whether the answer may have one (not that of HEAD)."""
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=not has_body, read_until_eof=True, auto_decompress=False, read_bufsize=_READ_SIZE,
            max_line_size=_HEAD_LIMIT, max_field_size=_HEAD_LIMIT, max_headers=1024,
        )  # fmt: skip
        transport.write(head)

    async def receive(self, connection: Connection) -> tuple[RawResponseMessage, Any]:
        protocol = connection.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        while True:
            message, body = await protocol.read()
            if message.code >= 200:
                return message, body

    async def upload(self, connection: Connection, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        """Send the rest of a request's body as it comes."""
        if connection.protocol is None:
            raise aiohttp.ServerDisconnectedError
        writer = StreamWriter(connection.protocol, self._loop)
        async for piece in body:
            await writer.write(frame(piece) if chunked else piece)
        if chunked:
            await writer.write(LAST_CHUNK)
