"""Misbehaving on the wire, as only a server that holds the socket can."""

from __future__ import annotations

import socket
import struct

from aiohttp import web

from chaos.errors import error_body, error_headers
from chaos.faults.replies import reply
from chaos.model import Effect
from monitor.clock import Clock

FOR_EVER = 86400.0
_BROKE_OFF = reply(502, message="The sandbox broke off")


def close(request: web.Request) -> None:
    """End the connection at once (FIN), in whatever state the answer is."""
    if request.transport is not None:
        request.transport.close()


def reset(request: web.Request) -> None:
    """End the connection with RST instead of FIN: nothing that was written is sent any more."""
    if request.transport is None:
        return
    own = request.transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


async def at_the_door(request: web.Request, effect: Effect, clock: Clock) -> web.StreamResponse | None:
    """Perform what hits a connection before any answer; None where the effect leaves the request to be answered."""
    if effect.reset:
        reset(request)
        return web.Response()  # nobody is there to get it
    if effect.connect is not None:
        close(request)  # an accepted connection cannot be refused any more; closing it without a byte comes nearest
        return web.Response()
    if effect.delay or effect.connect_delay:
        await clock.sleep(effect.delay + effect.connect_delay)
    if effect.error is not None and effect.error_after is None:
        return _json(error_body(effect.error), effect.error.status, error_headers(effect.error))
    if effect.raw is not None:
        kind = {"Content-Type": effect.raw.content_type}
        return web.Response(body=effect.raw.body, status=effect.raw.status, headers=kind)
    return None


async def bend(request: web.Request, answer: web.Response, effect: Effect, clock: Clock) -> web.StreamResponse:
    """A plain answer on its way out; that an effect counts events does not matter here, only that it is set."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    if effect.first_token_delay:
        await clock.sleep(effect.first_token_delay)
    if effect.stall_after is not None:
        await _half(request, answer, body)
        await clock.sleep(FOR_EVER)
    if effect.cut_after is not None or effect.reset_after is not None:
        response = await _half(request, answer, body, begun=effect.reset_after != 0)
        (reset if effect.reset_after is not None else close)(request)
        return response
    if effect.end_after is not None:
        answer.body = body[: len(body) // 2]
    if effect.error_after is not None:
        return _json(error_body(effect.error or _BROKE_OFF), 200, {})
    if effect.malformed_after is not None:
        answer.body = body[: len(body) // 2] or b"{"
    return answer


async def _half(request: web.Request, answer: web.Response, body: bytes, *, begun: bool = True) -> web.StreamResponse:
    """Half of an answer whose length was announced whole; its head alone where it has not ``begun``."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    if begun:
        await response.write(body[: len(body) // 2])
    return response


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
