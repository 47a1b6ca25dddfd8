"""Any service that takes JSON by POST: answers with what it is told to, and remembers every request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """``async with Receiver() as receiver``: it answers ``status`` with ``headers``, or nothing at all (``hang``)."""

    def __init__(self) -> None:
        self.status = 202
        self.headers: dict[str, str] = {}
        self.text = ""
        self.hang = False
        self.requests: list[Received] = []
        self.url = ""
        self._released = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append(Received(request.method, request.path, request.headers.copy(), body))
        if self.hang:
            await self._released.wait()
        return web.Response(status=self.status, headers=self.headers, text=self.text)
