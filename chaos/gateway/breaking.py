"""Performs a fault on the wire, as only one who holds the client's socket can."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from chaos.errors import error_body, error_headers
from chaos.gateway.heads import answer_head
from chaos.gateway.rules import Struck

MET = b"X-Fallbackd-Injected"
"""Stands in answers of the gateway itself, with the rule's id; never in an answer of the endpoint."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def reset(request: web.BaseRequest) -> None:
    if request.transport is not None:
        reset_connection(request.transport)


def reset_connection(transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN: nothing that was written is sent any more."""
    own = transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def before_answer(request: web.BaseRequest, struck: Struck) -> tuple[int | None, bytes] | None:
    """Perform what comes before any answer of the endpoint; None where the endpoint is to be asked.

    Otherwise the status and the bytes of the answer that stands in its place; (None, b"") when the connection ended.
    """
    effect = struck.effect
    if effect.reset:
        reset(request)
        return None, b""
    if effect.connect is not None:  # an accepted connection cannot be refused any more; closing it comes nearest
        if request.transport is not None:
            request.transport.close()
        return None, b""
    await struck.hold(effect.delay)
    if effect.error is not None and effect.error_after is None:
        body = error_body(effect.error, struck.words(request.path))
        headers = error_headers(effect.error)
        return effect.error.status, _whole(effect.error.status, "application/json", body, headers, struck)
    if effect.raw is not None:
        return effect.raw.status, _whole(effect.raw.status, effect.raw.content_type, effect.raw.body, {}, struck)
    return None


def _whole(status: int, kind: str, body: bytes, more: dict[str, str], struck: Struck) -> bytes:
    phrase = _PHRASES.get(status, "")
    headers = [
        (b"Content-Type", kind.encode()),
        (b"Content-Length", b"%d" % len(body)),
        (MET, struck.rule.id.encode()),
        *((name.encode(), value.encode()) for name, value in more.items()),
    ]
    return answer_head(status, phrase, headers, chunked=False, close=False) + body
