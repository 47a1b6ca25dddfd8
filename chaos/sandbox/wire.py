"""Misbehaving on the wire, as only a server that holds the socket can."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

from chaos.faults.shape import error_body, error_headers
from chaos.model import Effect
from monitor.clock import Clock

LONGEST = 3600.0
"""Seconds after which even a silence ends."""


def reset(request: web.Request) -> None:
    """End the connection with RST instead of FIN: nothing that was written is sent any more."""
    if request.transport is None:
        return
    own = request.transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def abort(request: web.Request) -> None:
    """End the connection at once, in whatever state the answer is."""
    if request.transport is not None:
        request.transport.close()


async def cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Half of an answer whose length was announced whole."""
    response = await _half(request, body)
    abort(request)
    return response


async def stall(request: web.Request, body: bytes) -> web.StreamResponse:
    """Half of an answer, and then nothing until the caller leaves."""
    response = await _half(request, body)
    await asyncio.sleep(LONGEST)
    return response


async def at_the_door(request: web.Request, effect: Effect, clock: Clock) -> web.StreamResponse | None:
    """Perform what hits the connection itself; None where the effect leaves the request to be answered."""
    if effect.connect is not None or effect.reset:
        reset(request)
        return web.Response(status=500)
    await clock.sleep(min(effect.delay + effect.first_token_delay, LONGEST))
    if effect.error is not None and effect.error_after is None:
        headers = error_headers(effect.error)
        return web.Response(
            body=error_body(effect.error), status=effect.error.status, content_type="application/json", headers=headers
        )
    if effect.raw is not None:
        return web.Response(body=effect.raw.body, status=effect.raw.status, content_type=effect.raw.content_type)
    return None


async def _half(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return response
